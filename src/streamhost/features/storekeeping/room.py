"""Minds where objects are stored: notes where they may lie, tidies up, compares with the catalog, moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from streamhost import log
from streamhost.config import Settings
from streamhost.db import storage_places as rows
from streamhost.db.core import Database
from streamhost.features.storekeeping.building import Places
from streamhost.features.storekeeping.checking import Checked, check
from streamhost.features.storekeeping.moving import Mover
from streamhost.features.storekeeping.survey import NamesOf, Survey
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, Clock
from streamhost.model.tasks import SweepBucket
from streamhost.ports import Storage
from streamhost.storage.abilities import Sweeps

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
        self.mover = Mover(db, places, data, clock)
        self._log = log.get("storekeeping")

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
