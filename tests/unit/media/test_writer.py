"""Files that are written behind the reading: all of them, whole, and no failure unheard."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from streamhost.media import tasks, writer
from streamhost.media.errors import OutOfSpace
from streamhost.media.execute import execute
from streamhost.media.writer import MOST_PARTS, MOST_WAITING, Parts, WriteBehind
from streamhost.testing import clips
from tests.unit.media import workshop


def test_everything_is_written(tmp_path: Path) -> None:
    """After the block every file is whole, also of more parts than one call takes, and over what was there."""
    files = {f"{number}.m4s": [bytes([number, part % 251]) for part in range(MOST_PARTS + 1)] for number in range(50)}
    (tmp_path / "0.m4s").write_bytes(b"x" * 100_000)
    with WriteBehind() as put:
        for name, parts in files.items():
            put(tmp_path / name, parts)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {n: b"".join(p) for n, p in files.items()}


def test_a_failure_is_heard(tmp_path: Path) -> None:
    """At the end, or before more is written than may wait."""
    with pytest.raises(FileNotFoundError), WriteBehind() as put:
        put(tmp_path / "nowhere" / "1.m4s", [b"data"])
    put = WriteBehind()
    put(tmp_path / "nowhere" / "1.m4s", [b"data"])
    with put, pytest.raises(FileNotFoundError):
        for number in range(MOST_WAITING):
            put(tmp_path / f"{number}.m4s", [b"data"])


def test_what_ended_the_block_is_what_is_raised(tmp_path: Path) -> None:
    """A failed write hides no other reason, and nothing is written any more once the block is over."""
    with pytest.raises(ValueError, match="the reason"), WriteBehind() as put:
        put(tmp_path / "nowhere" / "1.m4s", [b"data"])
        put(tmp_path / "1.m4s", [b"data"])
        raise ValueError("the reason")
    assert (tmp_path / "1.m4s").read_bytes() == b"data"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which the first header still finds room, and nothing after it."""
    real, headers = writer.write_file, 0

    def write(path: Path, parts: Parts) -> None:
        nonlocal headers
        headers += path.suffix == ".mp4"
        if path.suffix != ".mp4" or headers > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, parts)

    monkeypatch.setattr(writer, "write_file", write)


@pytest.mark.parametrize("again", [False, True], ids=["copied", "encrypted anew"])
def test_a_disk_that_is_full_at_the_end(again: bool, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """One segment a track, so every failure comes after all was read: it is told as what it is."""
    source = clips.make(tmp_path / "short.mp4", clips.Clip(seconds=2))
    task: tasks.Task = tasks.CopyTracks(str(source), str(tmp_path / "out"), workshop.probe(source), ())
    if again:
        made = workshop.package(source, tmp_path / "package", rungs=())
        task = tasks.Repackage(str(made.out), str(tmp_path / "out"), made.presentation.renditions)
    request.getfixturevalue("full")
    with pytest.raises(OutOfSpace):
        execute(task)
