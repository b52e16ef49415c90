"""States that are told of once: a disk without room, a quota nearly used up."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.config import UploadSettings
from streamhost.features.notifications import DiskWatch
from streamhost.features.quota import OverQuota, Quotas
from streamhost.jobs.context import JobContext
from streamhost.model.ids import UserId
from streamhost.model.tasks import AnnounceEvent, CheckDisk, JobState
from streamhost.storage.memory import MemoryStorage
from tests.unit.jobs.kit import QUICK
from tests.unit.notifications.conftest import NoticeHouse

GIB = 1024**3
ALICE = UserId("alice")


class Disk(MemoryStorage):
    """A storage with as much room as the test says."""

    free: int | None = 100 * GIB

    async def free_bytes(self) -> int | None:
        """What the test says."""
        return self.free


async def test_a_disk_that_swings(house: NoticeHouse, tmp_path: Path) -> None:
    """Administrators are told when room becomes scarce, and again only after there was clearly more of it."""
    disk = Disk()
    watch = DiskWatch(house.db, house.bench.queue, house.bench.clock, disk, tmp_path, 5 * GIB, 2 * GIB)
    for worker in house.bench.workers:
        await worker.stop(1)

    async def hear(_task: AnnounceEvent, _job: JobContext) -> None:
        """It is counted, and nobody is told."""

    await house.bench.worker({CheckDisk: watch.check, AnnounceEvent: hear}, QUICK, light=1).start()

    async def look(free: int | None) -> int:
        disk.free = free
        job = await house.bench.add(CheckDisk())
        await house.bench.until(job, JobState.DONE)
        return len(await house.jobs(AnnounceEvent.kind))

    told = [await look(free) for free in (9 * GIB, 4 * GIB, 3 * GIB, 6 * GIB, 4 * GIB, 7 * GIB, 4 * GIB)]
    assert told == [0, 1, 1, 1, 1, 1, 2]


async def test_a_quota_nearly_used_up(house: NoticeHouse) -> None:
    """Its owner is told at nine tenths, once, and again after they had come down; who only looks changes nothing."""
    quotas = Quotas(house.db, house.bench.clock, UploadSettings(quota_bytes=100), house.bench.queue, 90)

    async def bring(more: int) -> list[str]:
        async with house.db.write() as conn:
            await quotas.check(conn, ALICE, more, 0)
        await house.settled()
        return [title for kind, title in await house.under_the_bell("alice") if kind == "quota_reached"]

    assert await bring(89) == []
    assert len(await bring(90)) == 1
    assert len(await bring(100)) == 1
    with pytest.raises(OverQuota):
        await bring(101)
    assert len(await bring(85)) == 1
    assert len(await bring(95)) == 1
    assert len(await bring(50)) == 1
    async with house.db.read() as conn:
        await quotas.check(conn, ALICE, 95, 0)
    assert len(await bring(95)) == 2
