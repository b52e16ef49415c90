"""Uploaded files on local disk for the children that read them: one copy of a remote one for all jobs that need it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from streamhost import log
from streamhost.model.clock import MINUTE
from streamhost.ports import Storage

KEPT_FOR = 2 * MINUTE
"""How long a copy that nobody reads stays: the next part of the same video mostly begins at once."""
KEEP_FREE = 512 * 1024**2
"""Bytes of disk below which copies that nobody reads go at once."""
FOLDER = "sources"

_logger = log.get("transcoding")


@dataclass(slots=True)
class _Copy:
    """One file: being fetched, or there. `users` jobs wait for it or read it."""

    coming: asyncio.Task[Path]
    users: int = 0
    leaving: asyncio.TimerHandle | None = field(default=None)


class Sources:
    """Lends files of a storage. A file that lies on local disk is lent where it is."""

    def __init__(self, storage: Storage, work: Path) -> None:
        self._storage = storage
        self._folder = work / FOLDER
        self._copies: dict[str, _Copy] = {}

    @contextlib.asynccontextmanager
    async def lent(self, key: str) -> AsyncIterator[Path]:
        """The local file while the block lasts; nobody may write to it. Raises `NotStored`, `StorageUnavailable`."""
        if self._storage.local_path(key) is not None:
            yield await self._storage.fetch(key, self._folder)
            return
        copy = self._copies.get(key)
        if copy is None:
            copy = self._copies[key] = _Copy(asyncio.create_task(self._fetch(key)))
        copy.users += 1
        if copy.leaving is not None:
            copy.leaving.cancel()
            copy.leaving = None
        try:
            yield await asyncio.shield(copy.coming)
        finally:
            copy.users -= 1
            if copy.users == 0:
                self._unused(key, copy)

    async def stop(self) -> None:
        """Let go of everything."""
        for key, copy in list(self._copies.items()):
            copy.coming.cancel()
            await asyncio.gather(copy.coming, return_exceptions=True)
            self._drop(key, copy)

    async def _fetch(self, key: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        size = (await self._storage.stat(key)).size
        for other, copy in list(self._copies.items()):
            if shutil.disk_usage(self._folder).free >= size + KEEP_FREE:
                break
            if copy.users == 0:
                self._drop(other, copy)
        _logger.info("A file is fetched", action="source_fetched", key=key, bytes=size)
        return await self._storage.fetch(key, self._folder)

    def _unused(self, key: str, copy: _Copy) -> None:
        """A copy that is there waits for its next reader; one that failed, or that nobody waits for any more, goes."""
        there = copy.coming.done() and not copy.coming.cancelled() and copy.coming.exception() is None
        if there:
            copy.leaving = asyncio.get_running_loop().call_later(KEPT_FOR, self._drop, key, copy)
        else:
            copy.coming.cancel()
            self._drop(key, copy)

    def _drop(self, key: str, copy: _Copy) -> None:
        if copy.leaving is not None:
            copy.leaving.cancel()
        if self._copies.get(key) is copy:
            del self._copies[key]
        if copy.coming.done() and not copy.coming.cancelled() and copy.coming.exception() is None:
            copy.coming.result().unlink(missing_ok=True)
