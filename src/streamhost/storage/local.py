"""Storage in a directory: each object is a file at the place that its key says.

Durable in this order: the bytes (fsync), then the name (rename, fsync of the folder). A crash leaves at worst a file in
`.incoming`, which no key can name; whoever writes next removes those that nobody holds locked any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from streamhost.model.clock import DAY
from streamhost.model.ids import new_id
from streamhost.ports import InvalidKey, NotStored, StorageUnavailable, StoredObject
from streamhost.storage.keys import check_key, check_prefix

T = TypeVar("T")

CHUNK = 256 * 1024
_SYNCS = 8
"""Files synced at once: 1,800 small ones took 0.10 s with 8 threads, 0.16 s with 4, 0.19 to 0.70 s one by one.
syncfs(2) took 0.07 to 0.25 s, but would also wait for everybody else's unwritten bytes."""
_TRIES = 5
"""A folder that was made may be removed as empty by another process before the rename; then it is made again."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LocalStorage:
    """The `Storage` port on a local file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / ".incoming"
        self._tidied = False
        self._folders = threading.Lock()
        """Held while a folder is made and filled, or removed as empty: nobody's folder goes from under its feet."""

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Take over a file; by renaming when it lies on the same file system."""
        target = self._path(key)
        return await _blocking(lambda: self._put_file(key, source, target))

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """Store bytes."""
        target = self._path(key)

        def put() -> StoredObject:
            with self._temporary() as temporary:
                temporary.write_bytes(data)
                _sync(temporary)
                self._publish(temporary, target)
            return _described(key, target)

        return await _blocking(put)

    async def put_new(self, key: str, source: Path) -> bool:
        """Store a copy of a file unless the key is taken: a link is made, which never replaces anything."""
        target = self._path(key)

        def put() -> bool:
            try:
                with self._temporary() as temporary:
                    shutil.copyfile(source, temporary)
                    _sync(temporary)
                    with self._folders:
                        changed = self._make_folders(target.parent)
                        os.link(temporary, target)
            except FileExistsError:
                return False
            for folder in changed | {target.parent}:
                _sync(folder)
            return True

        return await _blocking(put)

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """Take over a directory: all files are synced, then all renamed, then the folders synced."""
        check_prefix(prefix)
        return await _blocking(lambda: self._put_tree(prefix, directory))

    async def stat(self, key: str) -> StoredObject:
        """What is known of an object; raises `NotStored`."""
        target = self._path(key)
        return await _blocking(lambda: _described(key, target))

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of an object from `start` up to `end`, in chunks."""
        target = self._path(key)
        file = await _blocking(lambda: _opened(key, target, start))
        try:
            position = start
            while end is None or position < end:
                wanted = CHUNK if end is None else min(CHUNK, end - position)
                chunk = await _blocking(partial(file.read, wanted))
                if not chunk:
                    return
                position += len(chunk)
                yield chunk
        finally:
            file.close()

    async def fetch(self, key: str, directory: Path) -> Path:
        """The object's own place; nothing is copied."""
        await self.stat(key)
        return self._path(key)

    def local_path(self, key: str) -> Path | None:
        """Where the object lies."""
        return self._path(key)

    async def delete(self, key: str) -> None:
        """Remove one object, and the folders that become empty."""
        target = self._path(key)

        def remove() -> None:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                target.unlink()
            self._remove_empty(target.parent)

        await _blocking(remove)

    async def delete_prefix(self, prefix: str) -> int:
        """Remove everything below a prefix."""
        folder = self.root / check_prefix(prefix)

        def remove() -> int:
            number = sum(1 for _ in _files(folder))
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                _remove_tree(folder)
                _sync(folder.parent)
            self._remove_empty(folder.parent)
            return number

        return await _blocking(remove)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object below a prefix, ordered by key; a folder is looked at when its turn comes."""
        folders = [check_prefix(prefix, empty=True)]
        while folders:
            here = folders.pop()
            if here.endswith("/") or not here:
                names = await _blocking(partial(_names, self.root / here))
                folders += [here + name for name in reversed(names)]
                continue
            with contextlib.suppress(NotStored):
                yield await self.stat(here)

    async def free_bytes(self) -> int | None:
        """What the file system has left for accounts that are not root."""

        def free() -> int:
            self.root.mkdir(parents=True, exist_ok=True)
            return shutil.disk_usage(self.root).free

        return await _blocking(free)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _put_file(self, key: str, source: Path, target: Path) -> StoredObject:
        if not stat.S_ISREG(source.lstat().st_mode):
            raise StorageUnavailable(f"{source.name} is not a regular file.")
        _sync(source)
        try:
            self._publish(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._publish_copy(source, target)
            source.unlink()
        return _described(key, target)

    def _put_tree(self, prefix: str, directory: Path) -> int:
        moves = [(file, self._path(prefix + file.relative_to(directory).as_posix())) for file in _own_files(directory)]
        with ThreadPoolExecutor(_SYNCS) as pool:
            for _ in pool.map(_sync, [source for source, _ in moves]):
                pass
        touched: set[Path] = set()
        for source, target in moves:
            try:
                touched |= self._rename(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._publish_copy(source, target)
        for folder in touched:
            _sync(folder)
        shutil.rmtree(directory, ignore_errors=True)
        return len(moves)

    def _publish(self, source: Path, target: Path) -> None:
        for folder in self._rename(source, target):
            _sync(folder)

    def _rename(self, source: Path, target: Path) -> set[Path]:
        """Rename into place; the folders whose entries changed and that must be synced for it to last."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self._folders:
                    changed = self._make_folders(target.parent)
                    os.replace(source, target)
            except FileNotFoundError:
                if attempt == _TRIES or not source.exists():
                    raise
                continue
            return changed | {target.parent}
        raise AssertionError("the loop above returns or raises")

    def _publish_copy(self, source: Path, target: Path) -> None:
        """For a source on another file system."""
        with self._temporary() as temporary:
            shutil.copyfile(source, temporary)
            _sync(temporary)
            self._publish(temporary, target)

    def _make_folders(self, folder: Path) -> set[Path]:
        """Make a folder and those above it; the folders that got a new entry."""
        changed: set[Path] = set()
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            with contextlib.suppress(FileExistsError):
                path.mkdir()
            changed.add(path.parent)
        return changed

    def _remove_empty(self, folder: Path) -> None:
        with self._folders:
            while folder != self.root and folder.is_relative_to(self.root):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    pass
                except OSError:
                    return
                folder = folder.parent

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A new file that is not seen until it is renamed or linked, and removed if it is still there in the end. It is
        locked meanwhile: of the files of those who ended in the middle, the system has taken the lock."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        if not self._tidied:
            self._tidied = True
            self._tidy()
        while True:
            path = self._incoming / new_id()
            with path.open("xb") as held:
                with contextlib.suppress(OSError):  # not every network's file system has locks
                    fcntl.flock(held, fcntl.LOCK_EX)
                if not path.exists():
                    continue  # before it was locked somebody has taken it for left over
                try:
                    yield path
                finally:
                    path.unlink(missing_ok=True)
                return

    def _tidy(self) -> None:
        for leftover in self._incoming.iterdir():
            with contextlib.suppress(OSError), leftover.open("rb") as abandoned:
                if time.time() - os.fstat(abandoned.fileno()).st_mtime < DAY:
                    fcntl.flock(abandoned, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error while somebody writes it
                leftover.unlink()


async def _blocking(work: Callable[[], T]) -> T:
    """Do blocking work in a thread. A cancelled caller waits for its end: nothing is written behind its back.

    Errors of the system become `StorageUnavailable`."""
    future = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.shield(future)
        raise
    except OSError as error:
        hint = "Free some space, or raise the quota." if error.errno in _NO_ROOM else None
        raise StorageUnavailable(f"{error.strerror or error}.", hint=hint) from error


def _remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, also what others add or remove there meanwhile."""
    for attempt in range(1, _TRIES + 1):
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if attempt == _TRIES or error.errno not in (errno.ENOENT, errno.ENOTEMPTY) or not folder.exists():
                raise
            continue
        return


def _described(key: str, path: Path) -> StoredObject:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotStored(key) from error
    if not stat.S_ISREG(facts.st_mode):
        raise NotStored(key)
    etag = f"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
    return StoredObject(key=key, size=facts.st_size, etag=etag, modified=facts.st_mtime)


def _opened(key: str, path: Path, start: int) -> BinaryIO:
    try:
        file = path.open("rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise NotStored(key) from error
    file.seek(start)
    return file


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder that is not itself a folder; nothing when it is not there."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield entry


def _own_files(folder: Path) -> Iterable[Path]:
    """The files below a folder. Links are refused: what made the folder could have pointed them at secrets."""
    for entry in _files(folder):
        facts = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise InvalidKey(f"{entry.name} is a link or no regular file.")
        yield Path(entry.path)


def _names(folder: Path) -> list[str]:
    """The names in a folder in the order of the keys: folders sort with their slash."""
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name
                for entry in entries
                if not entry.name.startswith(".")
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(names)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
