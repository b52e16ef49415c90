"""Progress of a part on its way into the catalog: often reported, seldom written."""

from __future__ import annotations

import asyncio
from types import TracebackType

from streamhost.db import packages, videos
from streamhost.db.core import Database
from streamhost.jobs.context import JobContext
from streamhost.model.ids import PackageId, VideoId

WRITE_EVERY = 0.5
"""Seconds between two writes: people see a moving bar, the catalog two small writes a second for a running part."""


class ProgressNotes:
    """Writes the newest report every half second, in the background, while the part runs.

    `work` is the weight of the whole package, also of parts that are not known yet, so that the share never falls back.
    """

    def __init__(
        self, db: Database, video_id: VideoId, package_id: PackageId, part: str, work: float, job: JobContext
    ) -> None:
        self._db = db
        self._video_id = video_id
        self._package_id = package_id
        self._part = part
        self._work = work
        self._job = job
        self._newest: tuple[float, str] | None = None
        self._writer: asyncio.Task[None] | None = None

    def report(self, share: float, step: str) -> None:
        """Note how far the part is (0..1) and what it is doing; returns at once."""
        self._newest = (share, step)
        self._job.report(share, step)

    async def __aenter__(self) -> ProgressNotes:
        self._writer = asyncio.create_task(self._write_along())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write_along(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY)
            if self._newest is None:
                continue
            (share, step), self._newest = self._newest, None
            async with self._db.write() as conn:
                await packages.part_progress(conn, self._package_id, self._part, share)
                done, known = await packages.work_done(conn, self._package_id)
                await videos.progress(conn, self._video_id, done / max(self._work, known, 1e-9), step)
