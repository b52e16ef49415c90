"""Health: whether the parts that every request needs do their work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from streamhost.db.core import Database
from streamhost.jobs.worker import Worker
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.ports import Storage
from streamhost.storage.abilities import Probes

PATIENCE = 3.0
"""Seconds after which a part that has not answered counts as failing; probes usually give up after five or more."""
WRITE_EVERY = 30.0
"""Seconds between two attempts to write to the storage: each costs an fsync, and probes come every few seconds."""
PROBE_KEY = "health/probe"


class Health:
    """Looks at catalog, storage and worker when asked."""

    def __init__(self, db: Database, storage: Storage, worker: Worker, clock: Clock) -> None:
        self._db = db
        self._storage = storage
        self._worker = worker
        self._clock = clock
        self._written_at: Timestamp | None = None

    async def report(self) -> dict[str, str | None]:
        """What is wrong with each part, in words; None where nothing is."""
        checks = {"catalog": self._catalog, "storage": self._writable, "worker": self._working}
        found = await asyncio.gather(*(self._look(check) for check in checks.values()))
        return dict(zip(checks, found, strict=True))

    @staticmethod
    async def _look(check: Callable[[], Awaitable[str | None]]) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await check()
        except TimeoutError:
            return f"It has not answered within {PATIENCE:g} seconds."
        except StreamhostError as error:
            return str(error)

    async def _catalog(self) -> str | None:
        async with self._db.read() as conn:
            await conn.fetch_one("SELECT 1 AS one")
        return None

    async def _writable(self) -> str | None:
        now = self._clock()
        if self._written_at is None or not 0 <= now - self._written_at < WRITE_EVERY:
            if isinstance(self._storage, Probes):
                await self._storage.probe()
            else:
                await self._storage.put_bytes(PROBE_KEY, b"")
                await self._storage.delete(PROBE_KEY)
            self._written_at = now
        return None

    async def _working(self) -> str | None:
        return None if self._worker.alive else "It does not run."
