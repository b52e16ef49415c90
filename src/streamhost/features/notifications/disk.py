"""Looks now and then whether there is room for what comes in, and says so once when there is not."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from streamhost import log
from streamhost.db import alarms
from streamhost.db.core import Database
from streamhost.jobs.announcing import announce
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.events import DiskLow
from streamhost.model.tasks import CheckDisk
from streamhost.ports import Storage

EVERY = 10 * MINUTE
ALARM = "disk"
CALM = 1.25
"""How much more than the threshold must be free before the alarm can be raised anew: a disk that swings around it is
told of once."""

_logger = log.get("notifications")


class DiskWatch:
    """Compares what is free with a threshold. `keep_free` is what uploads leave free in any case; bytes."""

    def __init__(
        self, db: Database, queue: Queue, clock: Clock, storage: Storage, data: Path, low: int, keep_free: int
    ) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._storage = storage
        self._data = data
        self._low = low
        self._keep_free = keep_free

    async def check(self, _task: CheckDisk, job: JobContext) -> None:
        """The job: raise the alarm, or let it go."""
        free = await self._free()
        async with self._db.write() as conn:
            if free < self._low and await alarms.raise_once(conn, ALARM, self._clock()):
                event = DiskLow(free=free, keep_free=self._keep_free, at=self._clock())
                await announce(conn, self._queue, event)
                _logger.warning("The disk is nearly full", action="disk_low", free=free)
            elif free >= self._low * CALM and await alarms.clear(conn, ALARM):
                _logger.info("There is room on the disk again", action="disk_calm", free=free)
            await job.complete(conn)

    async def _free(self) -> int:
        """What is free for uploads and for what is kept, whichever is less."""
        here = (await asyncio.to_thread(shutil.disk_usage, self._data)).free
        stored = await self._storage.free_bytes()
        return here if stored is None else min(here, stored)
