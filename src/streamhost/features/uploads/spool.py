"""The spool: one append-only file for each upload, written in threads, with the SHA-256 of what it holds.

A file may be longer than the catalog says: bytes beyond the stored offset were never acknowledged and are cut off
when the upload goes on. It is never shorter, because bytes are synced before their offset is stored.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from streamhost.features.uploads.errors import NoRoom, UploadGone
from streamhost.model.ids import UploadId, is_id
from streamhost.ports import StorageUnavailable
from streamhost.swapping import synced

P = ParamSpec("P")
T = TypeVar("T")
Piece = bytes | memoryview

THREADS = 4
"""Writers at the same time; enough to keep a disk busy, few enough to leave the processor to others."""
READ_SIZE = 4 * 1024**2
"""Bytes read at a time when a digest is made up for or parts are joined."""
VECTOR = 512
"""Pieces handed to one writev; the system's own limit (IOV_MAX) is 1024."""
REMEMBERED = 1024
"""Uploads whose running digest is kept between requests, a few hundred bytes each."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _opened(path: Path, make: bool) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        if not make:
            raise
    handle = os.open(path, flags | os.O_CREAT, 0o600)
    synced(path.parent)
    return handle


class Digest:
    """SHA-256 of the first `length` bytes of a file, fed while they are written."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.length = 0

    def copy(self) -> Digest:
        """The same state, to go back to."""
        other = Digest()
        other.hash, other.length = self.hash.copy(), self.length
        return other

    def become(self, other: Digest) -> None:
        """Go back to a state kept by `copy`."""
        self.hash, self.length = other.hash, other.length


class SpoolFile:
    """One open file of the spool. Every method blocks; they are called one at a time, in threads."""

    def __init__(self, path: Path, offset: int, digest: Digest) -> None:
        """Open the file to append at `offset`, making it if that is 0. Raises `UploadGone` if it holds less."""
        self.path = path
        self.digest = digest
        try:
            self._handle = _opened(path, make=offset == 0)
        except FileNotFoundError:
            raise UploadGone(f"None of its {offset} bytes are left.") from None
        except OSError as error:
            raise _translated(error) from error
        try:
            self.position = os.fstat(self._handle).st_size
            if self.position < offset:
                raise UploadGone(f"Only {self.position} of its {offset} bytes are left.")
            self.cut(offset)
        except BaseException:
            self.close()
            raise

    def append(self, pieces: Sequence[Piece]) -> None:
        """Write the pieces in order. Raises `NoRoom` when the disk is full, `StorageUnavailable` when it fails."""
        following = self.digest.length == self.position
        try:
            for start in range(0, len(pieces), VECTOR):
                self._write(pieces[start : start + VECTOR])
        except OSError as error:
            raise _translated(error) from error
        if following:
            for piece in pieces:
                self.digest.hash.update(piece)
            self.digest.length = self.position

    def _write(self, pieces: Sequence[Piece]) -> None:
        total = sum(map(len, pieces))
        done = os.pwritev(self._handle, pieces, self.position)
        self.position += done
        if done < total:
            rest = memoryview(b"".join(pieces))[done:]
            while rest:
                done = os.pwrite(self._handle, rest, self.position)
                self.position += done
                rest = rest[done:]

    def sync(self) -> None:
        """Wait until everything written is on the disk for good."""
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise _translated(error) from error

    def cut(self, offset: int) -> None:
        """Forget the bytes from `offset` on."""
        if self.position > offset:
            os.ftruncate(self._handle, offset)
        self.position = offset
        if self.digest.length > offset:
            self.digest.become(Digest())

    def catch_up(self, limit: int) -> bool:
        """Read what the digest has missed, at most `limit` bytes; whether it has seen everything now."""
        end = min(self.digest.length + limit, self.position)
        while self.digest.length < end:
            try:
                data = os.pread(self._handle, min(READ_SIZE, end - self.digest.length), self.digest.length)
            except OSError as error:
                raise _translated(error) from error
            if not data:
                raise UploadGone(f"Only {self.digest.length} of its {self.position} bytes are left.")
            self.digest.hash.update(data)
            self.digest.length += len(data)
        return self.digest.length == self.position

    def take(self, source: Path, start: int, limit: int) -> int:
        """Append at most `limit` bytes of another file from `start` on; how many there were.

        Raises `UploadGone` if there is no such file."""
        taken = 0
        try:
            with source.open("rb", buffering=0) as file:
                file.seek(start)
                while taken < limit and (data := file.read(min(READ_SIZE, limit - taken))):
                    self.append([data])
                    taken += len(data)
        except FileNotFoundError:
            raise UploadGone(f"The file of {source.name} is not there.") from None
        except OSError as error:
            raise _translated(error) from error
        return taken

    def close(self) -> None:
        """Let go of the file; what was not synced may be lost with the power."""
        os.close(self._handle)


class Spool:
    """The directory of files on their way in."""

    def __init__(self, directory: Path, threads: int = THREADS) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="spool")
        self._digests: OrderedDict[UploadId, Digest] = OrderedDict()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work in one of the spool's own threads, so that a slow disk holds up nothing else."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def path(self, upload_id: UploadId) -> Path:
        """Where an upload's bytes lie."""
        return self._directory / upload_id

    async def open(self, upload_id: UploadId, offset: int) -> SpoolFile:
        """The file of an upload, open to append at `offset`; its digest goes on where this process left it."""
        digest = self._digests.pop(upload_id, None) or Digest()
        self._digests[upload_id] = digest
        while len(self._digests) > REMEMBERED:
            self._digests.popitem(last=False)
        return await self.run(SpoolFile, self.path(upload_id), offset, digest)

    def forget(self, upload_id: UploadId) -> None:
        """Drop the running digest of an upload that is over."""
        self._digests.pop(upload_id, None)

    async def remove(self, upload_id: UploadId) -> None:
        """Delete the file of an upload; one that is not there is no error."""
        self.forget(upload_id)
        await self.run(self.path(upload_id).unlink, missing_ok=True)

    async def names(self) -> list[UploadId]:
        """Every upload that has a file."""
        return [UploadId(name) for name in await self.run(os.listdir, self._directory) if is_id(name)]

    async def free(self) -> int:
        """Bytes that are free on the spool's disk."""
        usage = await self.run(shutil.disk_usage, self._directory)
        return usage.free

    def close(self) -> None:
        """End the threads once their work is done."""
        self._threads.shutdown()


def _translated(error: OSError) -> NoRoom | StorageUnavailable:
    if error.errno in _FULL:
        return NoRoom("The disk is full.")
    return StorageUnavailable(f"The spool of uploads failed: {error.strerror}.")
