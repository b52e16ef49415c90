"""Storage in memory: for tests and throw-away instances. Survives nothing."""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from streamhost.model.clock import Clock, system_clock
from streamhost.model.ids import new_id
from streamhost.ports import InvalidKey, NotStored, StorageUnavailable, StoredObject
from streamhost.storage.keys import check_key, check_prefix

CHUNK = 256 * 1024


class MemoryStorage:
    """The `Storage` port on a dictionary. `capacity`: bytes that fit, None for no bound."""

    def __init__(self, capacity: int | None = None, clock: Clock = system_clock) -> None:
        self._capacity = capacity
        self._clock = clock
        self._objects: dict[str, tuple[StoredObject, bytes]] = {}

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Read the file, then remove it."""
        check_key(key)
        return self._take(key, source)

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """Keep the bytes."""
        return self._keep(check_key(key), data)

    def _take(self, key: str, source: Path) -> StoredObject:
        try:
            if not stat.S_ISREG(source.lstat().st_mode):
                raise StorageUnavailable(f"{source.name} is not a regular file.")
            stored = self._keep(key, source.read_bytes())
            source.unlink()
        except OSError as error:
            raise StorageUnavailable(f"{error.strerror}.") from error
        return stored

    def _keep(self, key: str, data: bytes) -> StoredObject:
        replaced = len(self._objects[key][1]) if key in self._objects else 0
        if self._capacity is not None and self._used() - replaced + len(data) > self._capacity:
            raise StorageUnavailable("No space left.", hint="Free some space, or raise the quota.")
        etag = hashlib.sha256(data).hexdigest()[:32]
        stored = StoredObject(key=key, size=len(data), etag=etag, modified=self._clock())
        self._objects[key] = (stored, bytes(data))
        return stored

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """Keep every file of a directory, then remove it."""
        check_prefix(prefix)
        moves = [(check_key(prefix + path.relative_to(directory).as_posix()), path) for path in _own_files(directory)]
        for key, path in moves:
            self._take(key, path)
        shutil.rmtree(directory, ignore_errors=True)
        return len(moves)

    async def stat(self, key: str) -> StoredObject:
        """What is known of an object; raises `NotStored`."""
        return self._found(key)[0]

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of an object from `start` up to `end`, in chunks."""
        data = self._found(key)[1][start:end]
        for position in range(0, len(data), CHUNK):
            yield data[position : position + CHUNK]

    async def fetch(self, key: str, directory: Path) -> Path:
        """A copy in `directory`."""
        data = self._found(key)[1]
        path = directory / f"{new_id()}-{key.rsplit('/', 1)[-1]}"
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StorageUnavailable(f"{error.strerror}.") from error
        return path

    def local_path(self, key: str) -> Path | None:
        """Nowhere on disk."""
        check_key(key)
        return None

    async def delete(self, key: str) -> None:
        """Forget one object."""
        self._objects.pop(check_key(key), None)

    async def delete_prefix(self, prefix: str) -> int:
        """Forget everything below a prefix."""
        check_prefix(prefix)
        gone = [key for key in self._objects if key.startswith(prefix)]
        for key in gone:
            del self._objects[key]
        return len(gone)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object below a prefix, ordered by key."""
        check_prefix(prefix, empty=True)
        for key in sorted(self._objects):
            if key.startswith(prefix) and key in self._objects:
                yield self._objects[key][0]

    async def free_bytes(self) -> int | None:
        """What is left of the capacity."""
        return None if self._capacity is None else max(0, self._capacity - self._used())

    def _used(self) -> int:
        return sum(stored.size for stored, _ in self._objects.values())

    def _found(self, key: str) -> tuple[StoredObject, bytes]:
        check_key(key)
        if key not in self._objects:
            raise NotStored(key)
        return self._objects[key]


def _own_files(directory: Path) -> list[Path]:
    files = sorted(path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    for path in files:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise InvalidKey(f"{path.name} is a link or no regular file.")
    return files
