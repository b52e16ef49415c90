"""Adding, choosing, cancelling and repeating jobs."""

from __future__ import annotations

import asyncio

import pytest

from streamhost.db import jobs as rows
from streamhost.model.ids import JobId
from streamhost.model.tasks import JobState, Lane
from tests.unit.jobs.kit import Bench, Count, Heavy


async def claim(bench: Bench, lane: Lane = Lane.LIGHT, worker: str = "w") -> int | None:
    """The number of the job that a worker would get now."""
    now = bench.clock()
    async with bench.db.write() as conn:
        job = await rows.claim(conn, lane, worker, now, now + 30)
    return None if job is None else int(job.payload["number"])


async def test_rollback_drops_the_job(bench: Bench) -> None:
    """A job that was added in a transaction that is rolled back does not exist, and nobody is woken for it."""
    woken: list[bool] = []
    bench.queue.attend({Lane.LIGHT: 1}, lambda: woken.append(True), lambda _job: None)
    with pytest.raises(RuntimeError):
        async with bench.db.write() as conn:
            assert await bench.queue.add(conn, Count(1)) is not None
            raise RuntimeError
    assert woken == []
    assert await claim(bench) is None
    await bench.add(Count(2))
    assert woken == [True]
    assert await claim(bench) == 2


async def test_order(bench: Bench) -> None:
    """Higher priority first, then whoever has been due longest; a job with a delay waits for its time."""
    await bench.add(Count(1))
    await bench.add(Count(2), priority=5)
    await bench.add(Count(3), priority=5)
    await bench.add(Count(4), priority=-1)
    await bench.add(Count(5), priority=9, delay=60)
    await bench.add(Heavy(6), priority=9)
    assert [await claim(bench) for _ in range(5)] == [2, 3, 1, 4, None]
    assert await claim(bench, Lane.MEDIA) == 6
    bench.ahead = 61
    assert await claim(bench) == 5


async def test_lock(bench: Bench) -> None:
    """Jobs with the same lock never run together; the others overtake the one that waits for it."""
    first = await bench.add(Count(1), lock="video:a")
    await bench.add(Count(2), lock="video:a", priority=9)
    await bench.add(Count(3), lock="video:b")
    assert [await claim(bench), await claim(bench), await claim(bench)] == [2, 3, None]
    async with bench.db.write() as conn:
        (second,) = [job for job in await bench.queue.list(conn, [JobState.RUNNING]) if job.payload["number"] == 2]
        assert await rows.finish(conn, second, JobState.DONE, bench.clock())
    assert await claim(bench) == 1
    assert (await bench.get(first)).state is JobState.RUNNING


async def test_queueing_lock(bench: Bench) -> None:
    """A second job with the same queueing lock is not added while the first waits; it is while the first runs."""
    await bench.add(Count(1), queueing_lock="sweep")
    async with bench.db.write() as conn:
        assert await bench.queue.add(conn, Count(2), queueing_lock="sweep") is None
    assert await claim(bench) == 1
    await bench.add(Count(3), queueing_lock="sweep")
    assert await claim(bench) == 3


async def test_going_back_past_a_queueing_lock(bench: Bench) -> None:
    """A job that goes back to the queue while another with its queueing lock waits is not lost, nor is the other."""
    job_id = await bench.add(Count(1), queueing_lock="sweep")
    assert await claim(bench) == 1
    await bench.add(Count(2), queueing_lock="sweep")
    job = await bench.get(job_id)
    async with bench.db.write() as conn:
        assert await rows.requeue(conn, job, bench.clock(), refund=True)
    assert sorted([await claim(bench) or 0, await claim(bench) or 0]) == [1, 2]


async def test_cancel_a_waiting_job(bench: Bench) -> None:
    """A waiting job is cancelled in the caller's transaction, together with whatever its failure means."""
    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count(1))
    with pytest.raises(RuntimeError):
        async with bench.db.write() as conn:
            assert await bench.queue.cancel(conn, job_id)
            raise RuntimeError
    assert (await bench.get(job_id)).state is JobState.QUEUED
    bench.failed.clear()
    async with bench.db.write() as conn:
        assert await bench.queue.cancel(conn, job_id)
    assert (await bench.get(job_id)).state is JobState.CANCELLED
    assert bench.failed == [(job_id, "job_cancelled")]
    async with bench.db.write() as conn:
        assert not await bench.queue.cancel(conn, job_id)
        assert not await bench.queue.cancel(conn, JobId("nothing"))


async def test_cancel_by_subject(bench: Bench) -> None:
    """Everything about one subject is cancelled, and nothing else."""
    mine = [await bench.add(Count(number), subject="video:a") for number in range(3)]
    other = await bench.add(Count(9), subject="video:b")
    assert await claim(bench) == 0
    async with bench.db.write() as conn:
        assert await bench.queue.cancel_subject(conn, "video:a") == 3
    running, *waiting = [await bench.get(job_id) for job_id in mine]
    assert running.state is JobState.RUNNING
    assert running.cancel_requested
    assert {job.state for job in waiting} == {JobState.CANCELLED}
    assert (await bench.get(other)).state is JobState.QUEUED


async def test_retry(bench: Bench) -> None:
    """A failed or cancelled job can be run again with all its attempts; one that is done or runs cannot."""
    job_id = await bench.add(Count(1))
    assert await claim(bench) == 1
    job = await bench.get(job_id)
    async with bench.db.write() as conn:
        assert not await bench.queue.retry(conn, job_id)
        await rows.finish(conn, job, JobState.FAILED, bench.clock(), "hopeless", "words")
    async with bench.db.write() as conn:
        assert await bench.queue.retry(conn, job_id)
    again = await bench.get(job_id)
    assert (again.state, again.attempts, again.finished_at) == (JobState.QUEUED, 0, None)
    assert again.error_code == "hopeless"
    assert await claim(bench) == 1
    assert (await bench.get(job_id)).error_code is None


async def test_retry_does_not_break_a_queueing_lock(bench: Bench) -> None:
    """A failed job is not revived beside a waiting one with its queueing lock."""
    job_id = await bench.add(Count(1), queueing_lock="sweep")
    async with bench.db.write() as conn:
        await bench.queue.cancel(conn, job_id)
    await bench.add(Count(2), queueing_lock="sweep")
    async with bench.db.write() as conn:
        assert not await bench.queue.retry(conn, job_id)


async def test_every_wait_has_a_cause(bench: Bench) -> None:
    """Whatever a job waits for, the queue can say it: no worker, no place, a lock, its time, an earlier failure."""

    async def cause(job_id: JobId) -> str:
        async with bench.db.read() as conn:
            wait = await bench.queue.wait(conn, await bench.get(job_id))
        return "" if wait is None else wait.cause

    first = await bench.add(Count(1), lock="video:a")
    assert "No worker" in await cause(first)
    bench.queue.attend({Lane.LIGHT: 1}, lambda: None, lambda _job: None)
    assert "about to start" in await cause(first)
    heavy = await bench.add(Heavy(9))
    assert "no media work" in await cause(heavy)
    assert await claim(bench) == 1
    assert await cause(first) == ""
    locked = await bench.add(Count(2), lock="video:a")
    async with bench.db.read() as conn:
        wait = await bench.queue.wait(conn, await bench.get(locked))
    assert wait is not None
    assert wait.behind == first
    assert "taken (1)" in await cause(await bench.add(Count(3)))
    assert "time" in await cause(await bench.add(Count(4), delay=900))
    async with bench.db.write() as conn:
        await rows.requeue(
            conn, await bench.get(first), bench.clock() + 900, refund=False, code="hopeless", detail="Why."
        )
    assert "after hopeless: Why." in await cause(first)


async def test_list_and_prune(bench: Bench) -> None:
    """Jobs are listed newest first; finished ones are forgotten after a while, others never."""
    first = await bench.add(Count(1), subject="a")
    second = await bench.add(Count(2), subject="b")
    third = await bench.add(Count(3), subject="a", delay=10**6)
    async with bench.db.read() as conn:
        assert [job.id for job in await bench.queue.list(conn)] == [third, second, first]
        assert [job.id for job in await bench.queue.list(conn, subject="a", limit=1)] == [third]
    async with bench.db.write() as conn:
        await bench.queue.cancel(conn, first)
        assert await bench.queue.prune(conn, 3600) == 0
    bench.ahead = 3601
    async with bench.db.write() as conn:
        assert await bench.queue.prune(conn, 3600) == 1
    async with bench.db.read() as conn:
        assert [job.id for job in await bench.queue.list(conn)] == [third, second]


async def test_claims_race(bench: Bench) -> None:
    """Twenty workers that grab at once never get the same job."""
    for number in range(100):
        await bench.add(Count(number))
    claims = await asyncio.gather(*(claim(bench, worker=str(n % 20)) for n in range(120)))
    got = [number for number in claims if number is not None]
    assert sorted(got) == list(range(100))
