"""The house at a glance: what an administrator wants to know before anything else."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from streamhost import __version__
from streamhost.config import Settings
from streamhost.db import jobs as job_rows
from streamhost.db import overview as rows
from streamhost.db.core import Database
from streamhost.model.accounts import Role
from streamhost.model.clock import DAY, Clock, Timestamp
from streamhost.model.tasks import JobState
from streamhost.model.videos import VideoState

RECENTLY = DAY

Reports = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Says what is wrong with each part, None where nothing is."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of the data directory, in bytes. `keep_free` is what uploads leave alone."""

    total: int
    free: int
    keep_free: int

    @property
    def full(self) -> bool:
        """Whether uploads are refused."""
        return self.free <= self.keep_free

    @property
    def low(self) -> bool:
        """Whether it will soon be: less than twice as much is left."""
        return self.free <= 2 * self.keep_free


@dataclass(frozen=True, slots=True)
class Standing:
    """How the house stands. `parts`: what is wrong with each, None where nothing is."""

    versions: Mapping[str, str]
    started_at: Timestamp
    parts: Mapping[str, str | None]
    disk: Disk
    storage: str
    catalog_bytes: int
    videos: Mapping[VideoState, int]
    source_bytes: int
    users: Mapping[Role, int]
    arriving: int
    jobs: Mapping[JobState, int]
    failed_lately: int

    @property
    def well(self) -> bool:
        """Whether nothing needs a look at once."""
        return not (any(self.parts.values()) or self.disk.full or self.failed_lately)


class Overview:
    """Tells how the house stands."""

    def __init__(self, settings: Settings, db: Database, report: Reports, clock: Clock):
        """The house counts as started now."""
        self._settings = settings
        self._db = db
        self._report = report
        self._clock = clock
        self.started_at = clock()
        """Since when this server runs."""

    async def disk(self) -> Disk:
        """The file system of the data directory, as it is now."""
        usage = await asyncio.to_thread(shutil.disk_usage, self._settings.data)
        return Disk(usage.total, usage.free, self._settings.uploads.keep_free)

    async def now(self) -> Standing:
        """Everything, as it is now. Some ten queries over indexes and small tables: for people, not for probes."""
        now = self._clock()
        parts, disk, catalog = await asyncio.gather(self._report(), self.disk(), asyncio.to_thread(self._db.path.stat))
        async with self._db.read() as conn:
            jobs: dict[JobState, int] = {}
            for (_lane, state), number in (await job_rows.counts(conn)).items():
                jobs[state] = jobs.get(state, 0) + number
            return Standing(
                versions=versions(),
                started_at=self.started_at,
                parts=parts,
                disk=disk,
                storage=self._settings.storage.backend,
                catalog_bytes=catalog.st_size,
                videos=await rows.videos(conn),
                source_bytes=await rows.source_bytes(conn),
                users=await rows.users(conn),
                arriving=await rows.arriving(conn, now),
                jobs=jobs,
                failed_lately=await rows.failed_jobs(conn, now - RECENTLY),
            )


def versions() -> dict[str, str]:
    """What runs here, by name."""
    return {
        "streamhost": __version__,
        "Python": platform.python_version(),
        "SQLite": rows.SQLITE,
        platform.system(): platform.release(),
    }
