"""Work that comes again."""

from __future__ import annotations

import asyncio

from streamhost.jobs.schedule import Schedule, every
from streamhost.model.tasks import JobState
from tests.unit.jobs.kit import Bench, Count, Heavy


async def kinds(bench: Bench) -> list[str]:
    """The kinds of all jobs that were ever added, sorted."""
    async with bench.db.read() as conn:
        return sorted(job.kind for job in await bench.queue.list(conn))


async def test_due_once(bench: Bench) -> None:
    """A task is added when its time has come, and not again while it waits or before its time."""
    schedule = Schedule(bench.db, bench.queue, bench.clock, [every(100, Count()), every(300, Heavy())])
    before = bench.clock()
    at = await schedule.tick()
    assert at is not None
    assert before + 100 <= at <= bench.clock() + 100
    assert await kinds(bench) == ["count", "heavy"]
    bench.ahead = 101
    await schedule.tick()
    assert await kinds(bench) == ["count", "heavy"], "the first one still waits"
    worker = bench.worker()
    await worker.start()
    await worker.idle()
    await schedule.tick()
    assert await kinds(bench) == ["count", "count", "heavy"]


async def test_restart_does_not_repeat(bench: Bench) -> None:
    """A restart runs nothing before its time; what was missed while the server was down is done once."""
    entries = [every(100, Count())]
    await Schedule(bench.db, bench.queue, bench.clock, entries).tick()
    worker = bench.worker()
    await worker.start()
    await worker.idle()
    bench.ahead = 50
    await Schedule(bench.db, bench.queue, bench.clock, entries).tick()
    assert await kinds(bench) == ["count"]
    bench.ahead = 1000
    await Schedule(bench.db, bench.queue, bench.clock, entries).tick()
    await worker.idle()
    assert await kinds(bench) == ["count", "count"]


async def test_clock_set_back(bench: Bench) -> None:
    """After the system's clock was set back by a year, the work does not wait for a year."""
    schedule = Schedule(bench.db, bench.queue, bench.clock, [every(100, Count())])
    await schedule.tick()
    async with bench.db.write() as conn:
        for job in await bench.queue.list(conn, [JobState.QUEUED]):
            await bench.queue.cancel(conn, job.id)
    bench.ahead = -365 * 86400
    await schedule.tick()
    assert await kinds(bench) == ["count", "count"]


async def test_runs_by_itself(bench: Bench) -> None:
    """Started, it adds what is due again and again until it is stopped."""
    schedule = Schedule(bench.db, bench.queue, bench.clock, [every(0.05, Count())])
    await bench.worker().start()
    await schedule.start()

    async def thrice() -> bool:
        return len(bench.done) >= 3

    await bench.when(thrice)
    await schedule.stop()
    await asyncio.sleep(0.1)
    number = len(await kinds(bench))
    await asyncio.sleep(0.15)
    assert len(await kinds(bench)) == number


async def test_nothing_periodic(bench: Bench) -> None:
    """An empty schedule starts and stops."""
    schedule = Schedule(bench.db, bench.queue, bench.clock, [])
    await schedule.start()
    await schedule.stop()
    await schedule.stop()
