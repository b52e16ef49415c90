"""What the delivery path keeps in memory: bounded, current, and let go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streamhost.server import hot
from streamhost.server.hot import KnownFile, KnownFiles

KIND = (b"video/mp4", b"no-cache")


def known(folder: Path, name: str, size: int, asked: int = 2) -> KnownFile:
    """A file that was asked for `asked` times."""
    path = folder / name
    path.write_bytes(b"x" * size)
    file = KnownFile(str(path), KIND, [])
    for _ in range(asked):
        file.look(os.stat(path))
    return file


async def test_only_what_is_asked_for_again_is_kept(tmp_path: Path) -> None:
    """Somebody who watches a film once leaves nothing behind."""
    files = KnownFiles(1000)
    assert not files.worth_keeping(known(tmp_path, "once", 10, asked=1))
    assert files.worth_keeping(known(tmp_path, "twice", 10))


async def test_large_files_are_not_kept(tmp_path: Path) -> None:
    """Neither larger than the room, nor so large that copying would hold up others."""
    assert not KnownFiles(1000).worth_keeping(known(tmp_path, "a", 1001))
    assert not KnownFiles(10**9).worth_keeping(known(tmp_path, "b", hot.HOT_FILE_BYTES + 1))


async def test_the_bound_holds_and_the_more_wanted_stay(tmp_path: Path) -> None:
    """A newcomer pushes out only what is less wanted; the sum never passes the bound."""
    files = KnownFiles(1000)
    kept = {name: known(tmp_path, name, 400, asked=5) for name in ("a", "b")}
    for name, file in kept.items():
        files.keep(name, file, bytearray(400))
    assert not files.worth_keeping(known(tmp_path, "c", 400, asked=5)), "a round of equals must not push each other out"
    wanted = known(tmp_path, "d", 400, asked=6)
    assert files.worth_keeping(wanted)
    files.keep("d", wanted, bytearray(400))
    assert files.wanted("a", kept["a"]) is None
    assert files.wanted("b", kept["b"]) == (bytes(400),)
    assert files.wanted("d", wanted) == (bytes(400),)


async def test_another_version_drops_the_content(tmp_path: Path) -> None:
    """Also one of the same size and time: it is another inode."""
    files = KnownFiles(1000)
    file = known(tmp_path, "a", 10)
    files.keep("a", file, bytearray(b"x" * 10))
    facts = os.stat(file.path)
    (tmp_path / "new").write_bytes(b"y" * 10)
    os.utime(tmp_path / "new", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    (tmp_path / "new").replace(file.path)
    etag = file.etag
    file.look(os.stat(file.path))
    assert files.wanted("a", file) is None
    assert file.etag != etag


async def test_what_is_forgotten_frees_its_room(tmp_path: Path) -> None:
    """A deleted file, and the oldest of too many, take their content with them."""
    files = KnownFiles(1000)
    for _ in range(3):
        file = known(tmp_path, "a", 900)
        files.add("a", file)
        files.keep("a", file, bytearray(900))
        files.forget("a")
        assert files.wanted("a", file) is None


async def test_nobody_wants_it_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a quiet minute the memory is given back."""
    monkeypatch.setattr(hot, "COOL_SECONDS", 0.0)
    files = KnownFiles(1000)
    file = known(tmp_path, "a", 900)
    files.keep("a", file, bytearray(900))
    files.sweep()
    assert file.content is None
    assert files.wanted("a", file) is None


async def test_a_content_is_kept_in_pieces(tmp_path: Path) -> None:
    """Whole, in order, none larger than is sent at a time."""
    content = os.urandom(2 * hot.PIECE + 5)
    files = KnownFiles()
    pieces = files.keep("a", known(tmp_path, "a", len(content)), bytearray(content))
    assert [len(piece) for piece in pieces] == [hot.PIECE, hot.PIECE, 5]
    assert b"".join(pieces) == content
