"""Progress of a part on its way into the catalog: often reported, seldom written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType

from streamhost.db import packages
from streamhost.db.core import Connection, Database
from streamhost.db.errors import CatalogUnavailable
from streamhost.features.transcoding.pace import Estimate, Left, Pace
from streamhost.jobs.context import JobContext
from streamhost.model.clock import Clock
from streamhost.model.ids import PackageId

WRITE_EVERY = 0.5
"""Seconds between two writes: people see a moving bar, the catalog two small writes a second for a running part."""

Told = Callable[[Connection, float, str, Estimate], Awaitable[None]]
"""Writes down how far the whole package is: share, step, and what is known of its pace."""


class Paces:
    """The paces of all packages that are being made in this process."""

    def __init__(self) -> None:
        self._known: dict[PackageId, Pace] = {}

    def of(self, package_id: PackageId) -> Pace:
        """The pace of one package."""
        return self._known.setdefault(package_id, Pace())

    def forget(self, package_id: PackageId) -> None:
        """The package is finished, or given up."""
        self._known.pop(package_id, None)


class ProgressNotes:
    """Writes the newest report every half second, in the background, while the part runs.

    `work` is the weight of the whole package, also of parts that are not known yet, so that the share never falls back.
    """

    def __init__(
        self,
        db: Database,
        package_id: PackageId,
        part: str,
        work: float,
        job: JobContext,
        pace: Pace,
        clock: Clock,
        told: Told,
    ) -> None:
        self._db = db
        self._package_id = package_id
        self._part = part
        self._work = work
        self._job = job
        self._pace = pace
        self._clock = clock
        self._told = told
        self._weight = 0.0
        self._speed: float | None = None
        self._newest: tuple[float, str] | None = None
        self._writer: asyncio.Task[None] | None = None

    def report(self, share: float, step: str) -> None:
        """Note how far the part is (0..1) and what it is doing; returns at once."""
        self._newest = (share, step)
        self._pace.heard(self._part, self._weight, share, self._clock())
        self._job.report(share, step, self._speed)

    async def __aenter__(self) -> ProgressNotes:
        async with self._db.read() as conn:
            parts = await packages.parts(conn, self._package_id)
        self._weight = next((part.weight for part in parts if part.name == self._part), 0.0)
        self._pace.begin(self._part, self._clock())
        self._writer = asyncio.create_task(self._write_along())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pace.end(self._part)
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write_along(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            if self._newest is None:
                continue
            (share, step), self._newest = self._newest, None
            # A catalog that is busy for once must not keep the bar still until the part is over.
            with contextlib.suppress(CatalogUnavailable):
                await self._write(share, step)

    async def _write(self, share: float, step: str) -> None:
        async with self._db.write() as conn:
            await packages.part_progress(conn, self._package_id, self._part, share)
            left = Left.of(await packages.weights(conn, self._package_id))
            done = sum(part.weight * part.progress for part in left)
            estimate = self._pace.estimate(left, self._work)
            self._speed = estimate.speed
            known = sum(part.weight for part in left)
            await self._told(conn, done / max(self._work, known, 1e-9), step, estimate)
