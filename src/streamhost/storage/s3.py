"""Storage in a bucket of a server that speaks S3.

Objects up to a part's size are sent in one request, larger ones in parts of which a few are on their way at a time:
memory is bounded by that, whatever the size. Nothing counts as stored before the server, asked anew, says that it has
as many bytes as were sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions

from streamhost.model.clock import Timestamp
from streamhost.model.ids import new_id
from streamhost.ports import InvalidKey, NotStored, StorageUnavailable, StoredObject
from streamhost.storage import s3_checks, s3_leftovers, s3_listing, s3_reading
from streamhost.storage.abilities import Check
from streamhost.storage.keys import check_key, check_prefix
from streamhost.storage.s3_bucket import S3Bucket
from streamhost.storage.s3_errors import translated
from streamhost.storage.s3_requests import S3Requests
from streamhost.storage.s3_urls import S3SignsUrls

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta, PutMode

MOST_PARTS = 9_000
"""Servers take 10,000; files that need more get larger parts."""
FILES_AT_ONCE = 16
"""Small files of a tree that are on their way at the same time: each mostly waits for the server."""
KEEP_FREE = 256 * 1024**2
"""Bytes of disk that a fetched copy leaves free."""
PROBE_KEY = "health/probe"
KINDS = {
    "m4s": "video/iso.segment",
    "mp4": "video/mp4",
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "jpg": "image/jpeg",
    "vtt": "text/vtt; charset=utf-8",
}
"""Media type by the end of the name, stored along: viewers who read by a signed address get it from the server."""
_ERRORS = (exceptions.BaseError, OSError, TimeoutError)


class S3Storage:
    """The `Storage` port on a bucket; also signs addresses (`SignsUrls`)."""

    def __init__(self, bucket: S3Bucket) -> None:
        self.bucket = bucket
        self.urls = S3SignsUrls(bucket)
        self._store = bucket.store()
        self._requests = S3Requests(bucket, bucket.credentials) if bucket.credentials else None

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Send a file, then remove it."""
        check_key(key)
        size = _size_of(source)
        await self._send(key, source, size)
        stored = await self._surely(key, size)
        with self._errors("take over a file", key):
            os.unlink(source)
        return stored

    async def put_new(self, key: str, source: Path) -> bool:
        """Send a copy unless the key is taken. Objects of more than one part, which never change, are compared by
        their presence before."""
        check_key(key)
        size = _size_of(source)
        if size > self.bucket.part_bytes:
            with contextlib.suppress(NotStored):
                await self.stat(key)
                return False
            await self._send(key, source, size)
        else:
            try:
                await self._send(key, await asyncio.to_thread(source.read_bytes), size, "create")
            except exceptions.AlreadyExistsError:
                return False
        await self._surely(key, size)
        return True

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """Send bytes."""
        await self._send(check_key(key), data, len(data))
        return await self._surely(key, len(data))

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """Send every file of a directory, several at once, then remove it; after a failure all of it is still there."""
        check_prefix(prefix)
        with self._errors("take over a folder", prefix):
            files = await asyncio.to_thread(_own_files, directory)
        work = iter([(check_key(prefix + name), path, size) for name, path, size in files])

        async def send() -> None:
            for key, path, size in work:
                await self._send(key, path, size)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(FILES_AT_ONCE, len(files))):
                    group.create_task(send())
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from group_error
        await self._check_tree(prefix, {prefix + name: size for name, _, size in files})
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        return len(files)

    async def stat(self, key: str) -> StoredObject:
        """What is known of an object; raises `NotStored`."""
        check_key(key)
        with self._errors("look at an object", key):
            return _described(key, await obstore.head_async(self._store, key))

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of an object from `start` up to `end`, in chunks."""
        check_key(key)
        with self._errors("read an object", key):
            async with contextlib.aclosing(
                s3_reading.pieces(self._store, key, start, end, self.bucket.part_bytes)
            ) as pieces:
                async for piece in pieces:
                    yield bytes(piece)

    async def fetch(self, key: str, directory: Path) -> Path:
        """A copy in `directory`, if there is room for it."""
        found = await self.stat(key)
        with self._errors("hand out an object", key):
            free = shutil.disk_usage(directory).free
        if found.size + KEEP_FREE > free:
            detail = f"A copy of {key} needs {found.size} bytes at {directory}, where {free} are free."
            raise StorageUnavailable(detail, hint="Free some space in the data directory.")
        target = directory / f"{new_id()}-{key.rpartition('/')[2]}"
        with self._errors("hand out an object", key):
            try:
                await s3_reading.fetch(self._store, found, key, target, self.bucket.part_bytes, self.bucket.at_once)
            except ExceptionGroup as group:
                raise group.exceptions[0] from group
        return target

    def local_path(self, key: str) -> Path | None:
        """Nowhere on this machine."""
        check_key(key)
        return None

    async def delete(self, key: str) -> None:
        """Remove one object."""
        check_key(key)
        with self._errors("delete an object", key), contextlib.suppress(*(exceptions.NotFoundError, FileNotFoundError)):
            await obstore.delete_async(self._store, key)

    async def delete_prefix(self, prefix: str) -> int:
        """Remove everything below a prefix, a thousand in a request."""
        check_prefix(prefix)
        number = 0
        with self._errors("delete objects", prefix):
            async for page in s3_listing.pages(self._store, prefix):
                await obstore.delete_async(self._store, [meta["path"] for meta in page])
                number += len(page)
        return number

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object below a prefix, ordered by key."""
        check_prefix(prefix, empty=True)
        with self._errors("list objects", prefix):
            async with contextlib.aclosing(s3_listing.ordered(self._store, prefix)) as found:
                async for meta in found:
                    yield _described(meta["path"], meta)

    async def free_bytes(self) -> int | None:
        """Not known: buckets do not say."""
        return None

    async def sign_get(self, key: str, seconds: float) -> str:
        """An address by which whoever has it reads the object for so many seconds."""
        return await self.urls.sign_get(key, seconds)

    async def probe(self) -> None:
        """Store and delete an object of no bytes, in one short try."""
        store = self.bucket.store(patient=False)
        with self._errors("take an object", PROBE_KEY):
            await obstore.put_async(store, PROBE_KEY, b"", use_multipart=False)
            await obstore.delete_async(store, PROBE_KEY)

    def checks(self, folder: str, origin: str, *, by_viewers: bool) -> Sequence[Check]:
        """What else must work: see `s3_checks`."""
        return s3_checks.steps(self.bucket, self._store, self.urls, folder, origin, by_viewers=by_viewers)

    async def sweep(self, before: Timestamp) -> int:
        """End uploads in parts that were begun before a moment and never finished; how many. It needs keys of its own:
        by the role of a machine it cannot."""
        return 0 if self._requests is None else await s3_leftovers.sweep(self.bucket, self._requests, before)

    async def _send(self, key: str, what: Path | bytes, size: int, mode: PutMode = "overwrite") -> None:
        ending = key.rpartition(".")[2]
        attributes: Attributes = {"Content-Type": KINDS.get(ending, "application/octet-stream")}
        part = max(self.bucket.part_bytes, -(-size // MOST_PARTS))
        small = size <= part
        with self._errors("store an object", key):
            # A small file is read first: as one body it is one request, and safe to send again.
            data = await asyncio.to_thread(what.read_bytes) if small and isinstance(what, Path) else what
            if isinstance(data, bytes) and len(data) != size:
                raise OSError("it changed while it was read")
            await obstore.put_async(
                self._store,
                key,
                data,
                attributes=attributes,
                mode=mode,
                use_multipart=not small,
                chunk_size=part,
                max_concurrency=self.bucket.at_once,
            )

    async def _surely(self, key: str, size: int) -> StoredObject:
        """What the server has now. Raises `StorageUnavailable` where that is not what was sent."""
        try:
            stored = await self.stat(key)
        except NotStored as error:
            raise StorageUnavailable(f"The server took {key} and does not have it.") from error
        if stored.size != size:
            raise StorageUnavailable(f"The server has {stored.size} of {size} bytes of {key}.")
        return stored

    async def _check_tree(self, prefix: str, sizes: dict[str, int]) -> None:
        """As `_surely`, for many objects by one listing."""
        if not sizes:
            return
        there = {stored.key: stored.size async for stored in self.list(prefix)}
        for key, size in sizes.items():
            if there.get(key) != size:
                raise StorageUnavailable(f"The server has {there.get(key, 0)} of {size} bytes of {key}.")

    @contextlib.contextmanager
    def _errors(self, doing: str, key: str) -> Iterator[None]:
        try:
            yield
        except exceptions.AlreadyExistsError:
            raise
        except _ERRORS as error:
            raise translated(error, self.bucket, doing, key) from error


def _described(key: str, meta: ObjectMeta) -> StoredObject:
    etag = (meta["e_tag"] or "").removeprefix("W/").strip('"')
    return StoredObject(key=key, size=meta["size"], etag=etag, modified=meta["last_modified"].timestamp())


def _size_of(source: Path) -> int:
    try:
        facts = source.lstat()
    except OSError as error:
        raise StorageUnavailable(f"{error.strerror}.") from error
    if not stat.S_ISREG(facts.st_mode):
        raise StorageUnavailable(f"{source.name} is not a regular file.")
    return facts.st_size


def _own_files(directory: Path) -> list[tuple[str, Path, int]]:
    """Name below the folder, place and size of every file. Links are refused: they could point at secrets."""
    found = []
    for folder, folders, names in os.walk(directory):
        for name in [*names, *(one for one in folders if (Path(folder) / one).is_symlink())]:
            path = Path(folder) / name
            facts = path.lstat()
            if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
                raise InvalidKey(f"{name} is a link or no regular file.")
            found.append((path.relative_to(directory).as_posix(), path, facts.st_size))
    return sorted(found)
