"""Reads and copies files of import folders. Everything here blocks, and is called in threads, a slice at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from pathlib import Path

from streamhost.features.imports.errors import ImportChanged, ImportNoRoom, ImportNotLinked, ImportUnreadable
from streamhost.features.imports.listing import mark_of, sidecar_mark
from streamhost.model.imports import Mark
from streamhost.ports import StorageUnavailable

PROBE = 64 * 1024
"""Bytes that are read at the head, in the middle and at the end for a fingerprint."""
READ = 4 * 1024**2
FICLONE = 0x40049409
"""`ioctl` that makes a file share the blocks of another (linux/fs.h)."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def opened(path: bytes, mark: Mark | None) -> int:
    """A descriptor to read a file, which must be the one that was seen.

    Raises `ImportUnreadable`, `ImportChanged`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ImportChanged("It is gone.") from error
    except OSError as error:
        raise ImportUnreadable(f"{error.strerror}.") from error
    if mark is not None and not mark_of(os.fstat(handle)).same(mark):
        os.close(handle)
        raise ImportChanged
    return handle


def being_written(path: bytes) -> bool:
    """Whether somebody has the file open for writing, as far as the system tells.

    A read lease is only granted where nobody has (fcntl(2), F_SETLEASE); who may not ask, or asks a file system that
    does not know, learns nothing."""
    handle = opened(path, None)
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def fingerprint(path: bytes, mark: Mark) -> str:
    """A hash of the size and of three stretches: files that differ in it differ; equal ones must be read to be sure.

    Raises `ImportUnreadable`, `ImportChanged`."""
    handle = opened(path, mark)
    digest = hashlib.sha256(str(mark.size).encode())
    try:
        for start in sorted({0, max(0, mark.size // 2 - PROBE // 2), max(0, mark.size - PROBE)}):
            digest.update(os.pread(handle, PROBE, start))
    except OSError as error:
        raise ImportUnreadable(f"{error.strerror}.") from error
    finally:
        os.close(handle)
    return digest.hexdigest()


class Reading:
    """Goes through a file for its SHA-256, copying it as it goes where a target is given."""

    def __init__(self, path: bytes, mark: Mark, target: Path | None = None) -> None:
        """Open the file, which must be the one that was seen; make the target, empty."""
        self._path = path
        self._mark = mark
        self._digest = hashlib.sha256()
        self._out = -1
        self.done = 0
        self._handle = opened(path, mark)
        try:
            if target is not None:
                target.unlink(missing_ok=True)
                self._out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        except BaseException:
            self.close()
            raise

    def clone(self) -> bool:
        """Let the target share the file's blocks; False where that is not possible here."""
        try:
            fcntl.ioctl(self._out, FICLONE, self._handle)
        except OSError:
            return False
        os.close(self._out)
        self._out = -1
        return True

    def step(self) -> bool:
        """Go on by some megabytes; whether the end was reached.

        Raises `ImportUnreadable`, and `ImportNoRoom` when the disk is full."""
        try:
            data = os.read(self._handle, READ)
        except OSError as error:
            raise ImportUnreadable(f"{error.strerror}.") from error
        self._digest.update(data)
        self.done += len(data)
        if self._out >= 0:
            self._write(data)
        return not data

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._out, rest) :]
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise ImportNoRoom("The disk is full.") from error
            raise StorageUnavailable(f"{error.strerror}.") from error

    def finish(self) -> str:
        """The SHA-256 of the whole; raises `ImportChanged` if the file changed meanwhile."""
        if self.done != self._mark.size or not mark_of(os.fstat(self._handle)).same(self._mark):
            raise ImportChanged
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let go of the files."""
        for handle in (self._handle, self._out):
            if handle >= 0:
                os.close(handle)


def linked(path: bytes, mark: Mark, target: Path) -> None:
    """Make `target` a second name of a file. Raises `ImportNotLinked`, `ImportChanged`."""
    target.unlink(missing_ok=True)
    try:
        os.link(path, target, follow_symlinks=False)
    except FileNotFoundError as error:
        raise ImportChanged("It is gone.") from error
    except OSError as error:
        raise ImportNotLinked(f"{error.strerror}.") from error
    if not mark_of(target.lstat()).same(mark):
        target.unlink()
        raise ImportChanged


def same_file_system(path: bytes, folder: Path) -> bool:
    """Whether a file can be renamed into a folder."""
    try:
        return os.lstat(path).st_dev == folder.stat().st_dev
    except OSError:
        return False


def removed(path: bytes, mark: Mark | str) -> bool:
    """Remove a file if it is still the one that was seen (a text: the mark of a sidecar); False if it could not be."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        try:
            facts = os.lstat(path)
            if sidecar_mark(facts) == mark if isinstance(mark, str) else mark_of(facts).same(mark):
                os.unlink(path)
        except PermissionError:
            return False
    return True
