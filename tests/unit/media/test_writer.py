"""Files that are written behind the reading: all of them, whole, and no failure unheard."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.media.writer import MOST_PARTS, MOST_WAITING, WriteBehind


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
