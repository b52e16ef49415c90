"""Two storages as one, while objects are on their way from one to the other.

What is new goes into the first; what is asked for is looked for in the first, then in the others. An object that is
copied to the first and then removed from another (`moving`) is found at every moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from streamhost.model.clock import Timestamp
from streamhost.model.ids import new_id
from streamhost.ports import NotStored, SignsUrls, Storage, StorageUnavailable, StoredObject
from streamhost.storage.abilities import Probes, Sweeps
from streamhost.storage.keys import check_key, check_prefix

T = TypeVar("T")
PROBE_KEY = "health/probe"


class PlacesStorage:
    """The `Storage` port on several storages; `first` takes what is new."""

    def __init__(self, first: Storage, others: Sequence[Storage]) -> None:
        self.first = first
        self.others = tuple(others)

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Into the first."""
        return await self.first.put_file(key, source)

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """Into the first."""
        return await self.first.put_bytes(key, data)

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """Into the first."""
        return await self.first.put_tree(prefix, directory)

    async def stat(self, key: str) -> StoredObject:
        """Of the first that has it."""
        check_key(key)
        return await self._asked(lambda place: place.stat(key))

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """From the first that has it."""
        check_key(key)
        begun = False
        for place in self._in_order():
            try:
                async with contextlib.aclosing(_generator(place.read(key, start, end))) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
            except NotStored as error:
                if begun:
                    raise StorageUnavailable(f"{key} went away while it was read.") from error
                continue
            return
        raise NotStored(key)

    async def fetch(self, key: str, directory: Path) -> Path:
        """A file of its own in `directory`: the object may leave the disk on which it lies at any time."""
        check_key(key)

        async def fetched(place: Storage) -> Path:
            path = await place.fetch(key, directory)
            if path.parent == directory:
                return path
            try:
                return await asyncio.to_thread(_own_copy, path, directory)
            except FileNotFoundError as error:
                raise NotStored(key) from error
            except OSError as error:
                raise StorageUnavailable(f"{error.strerror}.") from error

        return await self._asked(fetched)

    def local_path(self, key: str) -> Path | None:
        """Nowhere for sure."""
        check_key(key)
        return None

    async def delete(self, key: str) -> None:
        """From all; from the first last, so that what is being copied there goes too."""
        check_key(key)
        for place in (*self.others, self.first):
            await place.delete(key)

    async def delete_prefix(self, prefix: str) -> int:
        """From all; an object that was in two counts once or twice."""
        check_prefix(prefix)
        return sum([await place.delete_prefix(prefix) for place in (*self.others, self.first)])

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """What any of them has, ordered by key; the first one's where several have it."""
        check_prefix(prefix, empty=True)
        lists = [_generator(place.list(prefix)) for place in (self.first, *self.others)]
        heads: list[tuple[str, int, StoredObject]] = []
        last = None
        try:
            for rank, listed in enumerate(lists):
                if (found := await anext(listed, None)) is not None:
                    heapq.heappush(heads, (found.key, rank, found))
            while heads:
                key, rank, found = heapq.heappop(heads)
                if key != last:
                    last = key
                    yield found
                if (following := await anext(lists[rank], None)) is not None:
                    heapq.heappush(heads, (following.key, rank, following))
        finally:
            for listed in lists:
                await listed.aclose()

    async def free_bytes(self) -> int | None:
        """What the first has left."""
        return await self.first.free_bytes()

    async def probe(self) -> None:
        """Of the first, where that can be done; else by storing and deleting something."""
        if isinstance(self.first, Probes):
            await self.first.probe()
            return
        await self.first.put_bytes(PROBE_KEY, b"")
        await self.first.delete(PROBE_KEY)

    async def sweep(self, before: Timestamp) -> int:
        """What any of them left behind."""
        return sum([await place.sweep(before) for place in (self.first, *self.others) if isinstance(place, Sweeps)])

    def _in_order(self) -> tuple[Storage, ...]:
        """The first once more at the end: an object may be brought there while the others are asked."""
        return (self.first, *self.others, self.first)

    async def _asked(self, question: Callable[[Storage], Awaitable[T]]) -> T:
        missing: NotStored | None = None
        for place in self._in_order():
            try:
                return await question(place)
            except NotStored as error:
                missing = error
        assert missing is not None, "there is at least one place"
        raise missing


class PlacesSignsUrls:
    """The `SignsUrls` port on a storage of several places: for objects in the first, which signs."""

    def __init__(self, storage: PlacesStorage, signs: SignsUrls) -> None:
        self._storage = storage
        self._signs = signs

    async def sign_get(self, key: str, seconds: float) -> str:
        """An address if the first has the object. Raises `NotStored` where it is elsewhere, or nowhere."""
        await self._storage.first.stat(key)
        return await self._signs.sign_get(key, seconds)


async def _generator(iterator: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Any iterator as one that can be closed."""
    async for item in iterator:
        yield item


def _own_copy(path: Path, directory: Path) -> Path:
    copy = directory / f"{new_id()}-{path.name}"
    try:
        os.link(path, copy)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, copy)
    return copy
