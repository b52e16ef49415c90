"""The spool's files: what they hold, what they forget, and their digest."""

from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.features.uploads import spool as module
from streamhost.features.uploads.errors import NoRoom, UploadGone
from streamhost.features.uploads.spool import Digest, Spool, SpoolFile
from streamhost.model.ids import UploadId
from streamhost.ports import StorageUnavailable


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_bytes_beyond_the_offset_are_cut_off(tmp_path: Path) -> None:
    """What was written but never acknowledged is gone when the upload goes on."""
    path = tmp_path / "u"
    path.write_bytes(b"kept and not kept")
    file = SpoolFile(path, 4, Digest())
    file.append([b"!", memoryview(b"xyz")[1:]])
    file.close()
    assert path.read_bytes() == b"kept!yz"


def test_a_file_that_lost_bytes_is_gone(tmp_path: Path) -> None:
    """An upload whose file is shorter than its offset cannot be continued, and nothing is made up for it."""
    path = tmp_path / "u"
    path.write_bytes(b"abc")
    with pytest.raises(UploadGone):
        SpoolFile(path, 4, Digest())
    with pytest.raises(UploadGone):
        SpoolFile(tmp_path / "missing", 1, Digest())
    assert not (tmp_path / "missing").exists()


def test_a_link_in_the_spool_is_not_followed(tmp_path: Path) -> None:
    """Nobody can make the server write elsewhere by a link."""
    (tmp_path / "u").symlink_to(tmp_path / "target")
    with pytest.raises(StorageUnavailable):
        SpoolFile(tmp_path / "u", 0, Digest())
    assert not (tmp_path / "target").exists()


def test_only_the_owner_of_the_process_may_read(tmp_path: Path) -> None:
    """Files and directory are private to the server."""
    spool = Spool(tmp_path / "uploads")
    file = SpoolFile(spool.path(UploadId("u")), 0, Digest())
    file.close()
    assert (tmp_path / "uploads").stat().st_mode & 0o777 == 0o700
    assert spool.path(UploadId("u")).stat().st_mode & 0o777 == 0o600
    spool.close()


@given(st.lists(st.binary(max_size=50), max_size=8), st.integers(0, 100), st.booleans())
def test_the_digest_is_that_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], cut: int, fresh: bool
) -> None:
    """Through appends, cuts and restarts the digest is that of what the file holds."""
    path = tmp_path_factory.mktemp("spool") / "u"
    digest, whole = Digest(), b""
    for part in parts:
        file = SpoolFile(path, len(whole), digest)
        file.append([part])
        whole += part
        file.close()
    offset = min(cut, len(whole))
    whole = whole[:offset] + b"end"
    file = SpoolFile(path, offset, Digest() if fresh else digest)
    file.append([b"end"])
    while not file.catch_up(7):
        pass
    file.close()
    assert file.digest.hash.hexdigest() == sha(whole) == sha(path.read_bytes())


def test_more_pieces_than_the_system_takes_at_once(tmp_path: Path) -> None:
    """Thousands of tiny pieces arrive in order."""
    pieces = [bytes([number % 256]) for number in range(5000)]
    file = SpoolFile(tmp_path / "u", 0, Digest())
    file.append(pieces)
    file.close()
    assert (tmp_path / "u").read_bytes() == b"".join(pieces)


def test_a_full_disk_is_no_room_and_keeps_what_was_written(tmp_path: Path) -> None:
    """When no more can be written, what was is still counted right, and its digest too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = SpoolFile(tmp_path / "u", 0, Digest())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(NoRoom):
            file.append([b"a" * 600, b"b" * 600])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.sync()
    assert file.position == os.path.getsize(tmp_path / "u") == 1000
    assert file.catch_up(10_000)
    assert file.digest.hash.hexdigest() == sha(b"a" * 600 + b"b" * 400)
    file.close()


def test_taking_over_another_file_piece_by_piece(tmp_path: Path) -> None:
    """Parts are copied in slices, from any place, and say how much there was."""
    source = tmp_path / "part"
    source.write_bytes(bytes(range(200)))
    file = SpoolFile(tmp_path / "u", 0, Digest())
    assert file.take(source, 0, 150) == 150
    assert file.take(source, 150, 150) == 50
    assert file.take(source, 200, 150) == 0
    file.close()
    assert (tmp_path / "u").read_bytes() == bytes(range(200))
    assert file.digest.hash.hexdigest() == sha(bytes(range(200)))


async def test_the_spool_lists_only_uploads(tmp_path: Path) -> None:
    """Strangers' files in the directory are not taken for uploads."""
    spool = Spool(tmp_path)
    (tmp_path / "abc").touch()
    (tmp_path / "notes.txt").touch()
    assert await spool.names() == ["abc"]
    await spool.remove(UploadId("abc"))
    await spool.remove(UploadId("abc"))
    assert await spool.names() == []
    assert await spool.free() > 0
    spool.close()


async def test_running_digests_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many uploads were begun, only the newest are remembered; a forgotten one is read again."""
    monkeypatch.setattr(module, "REMEMBERED", 3)
    spool = Spool(tmp_path)
    for number in range(10):
        file = await spool.open(UploadId(f"u{number}"), 0)
        await spool.run(file.append, [b"x"])
        file.close()
    file = await spool.open(UploadId("u0"), 1)
    assert file.digest.length == 0
    assert file.catch_up(10)
    assert file.digest.hash.hexdigest() == sha(b"x")
    file.close()
    spool.close()
