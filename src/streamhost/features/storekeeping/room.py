"""Minds where objects are stored: notes where they may lie, tidies up, compares with the catalog, moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streamhost import log
from streamhost.config import Settings, StorageSettings
from streamhost.db import storage_places as rows
from streamhost.db.core import Database
from streamhost.features.storekeeping.building import LOCAL_FOLDER, Places
from streamhost.features.storekeeping.checking import Checked, check
from streamhost.features.storekeeping.counting import Counting
from streamhost.features.storekeeping.moving import Mover
from streamhost.features.storekeeping.survey import NamesOf, Survey
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, Clock
from streamhost.model.house_tasks import CountStored
from streamhost.model.tasks import SweepBucket, Task
from streamhost.ports import Storage
from streamhost.storage.abilities import Sweeps

TRIAL_SECONDS = 5.0
"""For one request of a trial: somebody waits for it."""
LEFT_AFTER = DAY
"""An upload to a storage that was begun so long ago is not going on any more."""


class Storekeeping:
    """Minds the storages of an instance."""

    def __init__(
        self, db: Database, queue: Queue, places: Places, storage: Storage, data: Path, clock: Clock, names: NamesOf
    ) -> None:
        """`data`: the data directory. `names`: what must be stored of a video."""
        self._db = db
        self._clock = clock
        self.places = places
        self.storage = storage
        self.survey = Survey(db, queue, storage, clock, names)
        self.counting = Counting(db, queue, self.survey, data, clock)
        self.mover = Mover(db, places, data, clock)
        self._log = log.get("storekeeping")

    @property
    def handlers(self) -> Mapping[type[Task], Callable[[Any, JobContext], Awaitable[None]]]:
        """What does the jobs of this room."""
        return {SweepBucket: self.sweep, CountStored: self.counting.count}

    async def start(self) -> None:
        """Note in which storages objects may lie from now on; only while holding the instance's lock."""
        async with self._db.write() as conn:
            for name in self.places.used:
                await rows.add(conn, name, self._clock())
            await rows.takes_new(conn, self.places.name, self._clock())

    def tried(self, settings: Settings) -> AsyncIterator[Checked]:
        """Try everything that the storage of the settings must do, step by step."""
        place, redirects = self.places.place(settings.storage.backend), settings.storage.delivery == "redirect"
        return check(place, settings.server.public_url or "http://localhost", by_viewers=redirects)

    async def sweep(self, _task: SweepBucket, job: JobContext) -> None:
        """Remove what uploads that were killed a day ago or earlier have left behind."""
        number = await self.storage.sweep(self._clock() - LEFT_AFTER) if isinstance(self.storage, Sweeps) else 0
        async with self._db.write() as conn:
            await job.complete(conn)
        self._log.info("The storage was tidied", action="sweep_bucket", uploads=number)


async def try_storage(settings: StorageSettings, data: Path, origin: str) -> list[Checked]:
    """Try everything that a storage must do, by settings that are not in force. `data`: the data directory; `origin`:
    the site's. Raises `InvalidSettings` where they do not make a storage."""
    brief = msgspec.structs.replace(settings, s3_timeout_seconds=min(TRIAL_SECONDS, settings.s3_timeout_seconds))
    place = Places(brief, data / LOCAL_FOLDER).place(brief.backend)
    return [one async for one in check(place, origin, by_viewers=brief.delivery == "redirect")]
