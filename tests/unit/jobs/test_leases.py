"""Whose job is it: leases that are prolonged, that run out, that are lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from streamhost.db import jobs as rows
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import LeaseLost
from streamhost.model.tasks import JobState, Lane
from tests.unit.jobs.kit import QUICK, Bench, Count


async def test_leases_are_prolonged(bench: Bench) -> None:
    """A job may run far longer than a lease: nobody takes it away from a worker that lives."""
    go_on, timing = asyncio.Event(), replace(QUICK, lease=1000.0)

    async def work(task: Count, _job: JobContext) -> None:
        await go_on.wait()
        bench.done.append(task.number)

    job_id = await bench.add(Count(1))
    for _ in range(2):
        await bench.worker({Count: work}, timing).start()

    async def leased() -> bool:
        return ((await bench.get(job_id)).lease_until or 0.0) > bench.clock() + 900

    for _ in range(4):
        await bench.when(leased)
        bench.ahead += 600
    await bench.when(leased)
    go_on.set()
    job = await bench.until(job_id, JobState.DONE)
    assert (job.attempts, bench.done) == (1, [1])


async def test_dead_workers_jobs_come_back(bench: Bench) -> None:
    """When a worker is not heard of any more its job goes to another one, and the cause stands in the job meanwhile."""
    job_id = await bench.add(Count(1))
    now = bench.clock()
    async with bench.db.write() as conn:
        assert await rows.claim(conn, Lane.LIGHT, "dead", now, now + 0.3)
    await bench.worker().start()
    job = await bench.until(job_id, JobState.DONE)
    assert (job.attempts, bench.done) == (2, [1])


async def test_job_that_kills_its_workers(bench: Bench) -> None:
    """A job whose worker dies at every attempt fails in the end, and says how often that was."""
    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count())
    worker = bench.worker()
    for attempt in range(1, Count.max_attempts + 1):
        bench.ahead += 1000
        now = bench.clock()
        async with bench.db.write() as conn:
            job = await rows.claim(conn, Lane.LIGHT, f"dead-{attempt}", now, now + 30)
        assert job is not None and job.attempts == attempt
        assert await worker.release_all() == 1
        waiting = await bench.get(job_id)
        assert waiting.error_code == "worker_died"
    assert waiting.state is JobState.FAILED
    assert f"{Count.max_attempts} times" in (waiting.error_detail or "")
    assert bench.failed == [(job_id, "worker_died")]


async def test_release_all(bench: Bench) -> None:
    """At a start every job that an earlier process ran goes back at once, whatever its lease says."""
    ids = [await bench.add(Count(number)) for number in range(3)]
    now = bench.clock()
    async with bench.db.write() as conn:
        for _ in ids:
            assert await rows.claim(conn, Lane.LIGHT, "earlier", now, now + 1000)
    worker = bench.worker()
    assert await worker.release_all() == 3
    assert await worker.release_all() == 0
    await worker.start()
    for job_id in ids:
        await bench.until(job_id, JobState.DONE)
    assert sorted(bench.done) == [0, 1, 2]


async def test_lost_lease(bench: Bench) -> None:
    """A worker that lost a job ends its handler, and the result of that handler does not count."""
    started = asyncio.Event()
    ended: list[str] = []

    async def work(_task: Count, job: JobContext) -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            with pytest.raises(LeaseLost):
                async with bench.db.write() as conn:
                    await bench.queue.add(conn, Count(99))
                    await job.complete(conn)
            ended.append("lost")
            raise

    job_id = await bench.add(Count())
    worker = bench.worker({Count: work})
    await worker.start()
    await started.wait()
    async with bench.db.write() as conn:
        stolen = await conn.execute(
            "UPDATE jobs SET worker = 'thief', lease_until = :later WHERE id = :id",
            {"id": job_id, "later": bench.clock() + 1000},
        )
    assert stolen == 1

    async def let_go() -> bool:
        return not worker.running

    await bench.when(let_go)
    job = await bench.get(job_id)
    assert (ended, job.state, job.worker, bench.done) == (["lost"], JobState.RUNNING, "thief", [])
    async with bench.db.read() as conn:
        assert len(await bench.queue.list(conn)) == 1
