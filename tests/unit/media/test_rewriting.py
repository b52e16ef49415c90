"""Pictures that people send: what of a child's work is taken, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.media import tasks
from streamhost.media.errors import NotPicture
from streamhost.media.rewriting import content, written_anew


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "link", "sub/picture.jpg", "", ".", ".."])
def test_only_what_was_written_is_taken(tmp_path: Path, name: str) -> None:
    """A decoder that was taken over cannot have the server read other files for it."""
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"key")
    (out / "link").symlink_to(tmp_path / "secret")
    (out / "sub" / "picture.jpg").write_bytes(b"elsewhere")
    (out / "picture.jpg").write_bytes(b"picture")
    assert content(out, "picture.jpg") == b"picture"
    with pytest.raises(NotPicture):
        content(out, name)


@pytest.mark.parametrize("error", [None, sandbox.ChildNotStarted("no memory"), sandbox.ChildOutOfMemory("")])
async def test_nothing_stays_behind(tmp_path: Path, error: sandbox.ChildError | None) -> None:
    """The file and what was made of it are gone at the end; a child that ended badly has judged the file, but one that
    never began has not."""

    async def run(task: tasks.Task, report: Callable[[float, str], None], writable: Path | None) -> tasks.Answer:
        report(0.5, "read")
        assert isinstance(task, tasks.ReadPicture)
        assert Path(task.source).read_bytes() == b"sent"
        assert writable is not None
        assert str(writable) == task.out_dir
        (writable / "poster.jpg").write_bytes(b"written")
        if error is not None:
            raise error
        return tasks.Poster("poster.jpg")

    room = tmp_path / "room"
    if error is None:
        async with written_anew(run, room, b"sent", tasks.ReadPicture) as (answer, out):
            assert answer == tasks.Poster("poster.jpg")
            assert content(out, "poster.jpg") == b"written"
    else:
        expected = sandbox.ChildNotStarted if isinstance(error, sandbox.ChildNotStarted) else NotPicture
        with pytest.raises(expected):
            async with written_anew(run, room, b"sent", tasks.ReadPicture):
                pass
    assert not room.exists()
