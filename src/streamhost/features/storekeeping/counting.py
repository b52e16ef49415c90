"""Counts what is stored and keeps the result, so that a page can show it at once, however much there is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from streamhost import log
from streamhost.db import storage_counts as rows
from streamhost.db.core import Database
from streamhost.features.storekeeping.survey import Survey
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.house_tasks import CountStored
from streamhost.model.objects import FolderSize, Kinds, OwnerUse, StorageCount, Usage, VideoUse
from streamhost.model.tasks import Job, JobState

LARGEST = 20
"""Videos, and at most so many times five owners, that a count names."""
OWNERS = 5 * LARGEST
ONE_AT_A_TIME = "count_storage"
FIRST_SHARE = 0.5
"""How far the job is when the second look begins."""


class Counting:
    """Knows what was counted last, and counts anew in the background."""

    def __init__(self, db: Database, queue: Queue, survey: Survey, data: Path, clock: Clock) -> None:
        self._db = db
        self._queue = queue
        self._survey = survey
        self._data = data
        self._clock = clock
        self._log = log.get("storekeeping")

    async def last(self) -> StorageCount | None:
        """What was found when it was last counted; None before the first time."""
        async with self._db.read() as conn:
            found = await rows.get(conn)
        return msgspec.json.decode(found[1], type=StorageCount) if found else None

    async def ask(self) -> None:
        """Have it counted; a count that waits already is enough."""
        async with self._db.write() as conn:
            await self._queue.add(conn, CountStored(), lock=ONE_AT_A_TIME, queueing_lock=ONE_AT_A_TIME)

    async def underway(self) -> Job | None:
        """The count that waits or runs."""
        async with self._db.read() as conn:
            jobs = await self._queue.list(conn, (JobState.QUEUED, JobState.RUNNING), kind=CountStored.kind, limit=1)
        return jobs[0] if jobs else None

    async def count(self, _task: CountStored, job: JobContext) -> None:
        """The job. Killed, it begins again; only its end is kept."""
        usages = await self._survey.usage(lambda number, _size: job.report(0.0, f"{number} files seen"))
        found = await self._survey.fsck(lambda number, _size: job.report(FIRST_SHARE, f"{number} files compared"))
        count = summed(usages)
        count.orphans, count.orphan_bytes = len(found.orphans), sum(one.size for one in found.orphans)
        count.missing, count.counted_at = len(found.losses), self._clock()
        async with self._db.write() as conn:
            await rows.put(conn, msgspec.json.encode(count).decode(), count.counted_at)
            await job.complete(conn)
        self._log.info("What is stored was counted", action="storage_counted", objects=count.objects, bytes=count.size)

    async def folders(self, names: Sequence[str]) -> list[FolderSize]:
        """How large some folders and files of the data directory are, those that are there."""
        return await asyncio.to_thread(lambda: [one for name in names if (one := _measured(self._data / name)).size])


def summed(usages: Sequence[Usage]) -> StorageCount:
    """What every video has stored, as sums by kind and by owner."""
    count, owners = StorageCount(), dict[str, OwnerUse]()
    for usage in usages:
        kinds = Kinds(usage.source, usage.streams, usage.other)
        count.kinds += kinds
        count.objects += usage.objects
        if usage.video is None:
            count.unowned_bytes = usage.size
            continue
        video = usage.video
        owner = owners.setdefault(video.owner_id, OwnerUse(video.owner_id, video.owner_email))
        owner.videos += 1
        owner.kinds += kinds
        if video.in_trash:
            count.trash, count.trash_bytes = count.trash + 1, count.trash_bytes + usage.size
        if len(count.largest) < LARGEST:
            count.largest.append(VideoUse(video.id, video.title, video.owner_email, usage.size, video.in_trash))
    count.owners = sorted(owners.values(), key=lambda owner: -owner.kinds.size)[:OWNERS]
    return count


def _measured(path: Path) -> FolderSize:
    """The bytes below a path; what goes away meanwhile is not counted."""
    if path.is_file():
        return FolderSize(path.name, path.stat().st_size)
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name), follow_symlinks=False).st_size
            except OSError:
                continue
    return FolderSize(path.name, total)
