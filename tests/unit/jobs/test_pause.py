"""Pausing, resuming, and the order of what waits."""

from __future__ import annotations

import asyncio

from streamhost.db import jobs as rows
from streamhost.jobs.context import JobContext
from streamhost.jobs.worker import Timing
from streamhost.model.tasks import JobState
from tests.support.waiting import until
from tests.unit.jobs.kit import Bench, Count, Hopeless


async def pause(bench: Bench, job_id: str, *, on: bool = True) -> bool:
    """Pause or resume a job, committed."""
    async with bench.db.write() as conn:
        return await (bench.queue.pause if on else bench.queue.resume)(conn, job_id)  # type: ignore[arg-type]


async def test_a_paused_job_waits_until_it_is_resumed(bench: Bench) -> None:
    """It is passed over, says why it waits, and runs as soon as it is resumed; pausing twice changes nothing."""
    first = await bench.add(Count(1), priority=9)
    assert await pause(bench, first)
    assert not await pause(bench, first)
    worker = bench.worker()
    await worker.start()
    await bench.until(await bench.add(Count(2)), JobState.DONE)
    waiting = await bench.get(first)
    async with bench.db.read() as conn:
        wait = await bench.queue.wait(conn, waiting)
    assert wait is not None
    assert wait.cause == "It is paused."
    assert bench.done == [2]
    assert await pause(bench, first, on=False)
    assert not await pause(bench, first, on=False)
    await bench.until(first, JobState.DONE)
    assert bench.done == [2, 1]


async def test_pausing_stops_what_runs_at_once_and_costs_no_attempt(bench: Bench) -> None:
    """The handler is ended, the job goes back and stays there, also under another worker; resumed, it runs anew."""
    runs: list[str] = []
    started = asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        runs.append("began")
        started.set()
        if len(runs) == 1:
            await asyncio.Event().wait()

    job_id = await bench.add(Count(1))
    worker = bench.worker({Count: work})
    await worker.start()
    await started.wait()
    assert await pause(bench, job_id)
    job = await bench.until(job_id, JobState.QUEUED)
    assert (job.paused, job.attempts, job.worker) == (True, 0, None)
    await worker.stop(grace=150)
    again = bench.worker({Count: work})
    await again.start()
    await bench.until(await bench.add(Count(2)), JobState.DONE)
    assert (await bench.get(job_id)).state is JobState.QUEUED
    assert await pause(bench, job_id, on=False)
    job = await bench.until(job_id, JobState.DONE)
    assert (job.paused, job.attempts, len(runs)) == (False, 1, 3)


async def test_what_goes_back_keeps_its_place(bench: Bench) -> None:
    """Paused, or put back by a worker that stops, it comes before what was added after it: later pieces of a film that
    is watched while it is made are of no use without the earlier ones."""
    begun: list[int] = []

    async def work(task: Count, _job: JobContext) -> None:
        begun.append(task.number)
        if begun in ([1], [1, 1]):
            await asyncio.Event().wait()

    first = await bench.add(Count(1))
    last = await bench.add(Count(2))
    worker = bench.worker({Count: work})
    await worker.start()
    await until(lambda: begun == [1])
    async with bench.db.write() as conn:
        await bench.queue.pause(conn, first)
        await bench.queue.pause(conn, last)
    await bench.until(first, JobState.QUEUED)
    async with bench.db.write() as conn:
        await bench.queue.resume(conn, last)
        await bench.queue.resume(conn, first)
    await until(lambda: begun == [1, 1])
    await worker.stop(grace=150)
    await bench.worker({Count: work}).start()
    await bench.until(last, JobState.DONE)
    assert begun == [1, 1, 1, 2]


async def test_a_pause_by_another_process_is_noticed_with_the_next_beat(bench: Bench) -> None:
    """A command beside the server pauses by the catalog alone; the worker learns of it when it prolongs its leases."""
    started = asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        await asyncio.Event().wait()

    job_id = await bench.add(Count(1))
    await bench.worker({Count: work}).start()
    await started.wait()
    async with bench.db.write() as conn:
        await conn.execute("UPDATE jobs SET paused = 1 WHERE id = :id", {"id": job_id})
    job = await bench.until(job_id, JobState.QUEUED)
    assert job.paused


async def test_a_job_of_a_dead_worker_comes_back_paused(bench: Bench) -> None:
    """A server that is killed in the moment of a pause does not forget it."""
    started = asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        await asyncio.Event().wait()

    job_id = await bench.add(Count(1))
    async with bench.db.write() as conn:
        await conn.execute(
            "UPDATE jobs SET state = 'running', worker = 'dead', lease_until = 0, attempts = 1, paused = 1"
        )
    assert await bench.worker({Count: work}).release_all() == 1
    job = await bench.get(job_id)
    assert (job.state, job.paused) == (JobState.QUEUED, True)


async def test_a_paused_job_can_be_cancelled_and_a_retry_is_not_paused(bench: Bench) -> None:
    """Pausing closes no other way."""
    job_id = await bench.add(Count(1), subject="video:a")
    async with bench.db.write() as conn:
        assert await bench.queue.pause_subject(conn, "video:a") == 1
        assert await bench.queue.cancel(conn, job_id)
    async with bench.db.write() as conn:
        assert await bench.queue.retry(conn, job_id)
    job = await bench.get(job_id)
    assert (job.state, job.paused) == (JobState.QUEUED, False)


async def test_what_is_added_paused_waits(bench: Bench) -> None:
    """A job about something that is paused begins its life so."""
    job_id = await bench.add(Count(1), paused=True, subject="video:a")
    worker = bench.worker()
    await worker.start()
    await worker.idle()
    assert bench.done == []
    async with bench.db.write() as conn:
        assert await bench.queue.resume_subject(conn, "video:a") == 1
    await bench.until(job_id, JobState.DONE)


async def test_priority_changes_the_order_of_what_waits(bench: Bench) -> None:
    """The job that was raised overtakes; one that is over has no priority to change."""
    for number in range(3):
        job_id = await bench.add(Count(number))
    async with bench.db.write() as conn:
        assert await bench.queue.prioritise(conn, job_id, 5)
    worker = bench.worker(light=1)
    await worker.start()
    await worker.idle()
    assert bench.done == [2, 0, 1]
    async with bench.db.write() as conn:
        assert not await bench.queue.prioritise(conn, job_id, 5)


async def test_cancelled_while_it_is_being_paused_it_ends_at_once(bench: Bench) -> None:
    """A job that is cancelled before its pause has taken hold does not go back, to end unasked when it runs again."""
    started, ending, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await may_end.wait()

    job_id = await bench.add(Count(1))
    worker = bench.worker({Count: work})
    await worker.start()
    await started.wait()
    assert await pause(bench, job_id)
    await ending.wait()
    async with bench.db.write() as conn:
        assert await bench.queue.cancel(conn, job_id)
    may_end.set()
    job = await bench.until(job_id, JobState.CANCELLED)
    assert job.error_code == "job_cancelled"


async def test_failed_by_itself_while_a_cancellation_is_not_yet_noticed_it_ends_at_once(bench: Bench) -> None:
    """A job that fails before it hears of its cancellation ends cancelled, and is not put back for another try."""

    async def work(task: Count, job: JobContext) -> None:
        async with bench.db.write() as conn:
            assert await rows.ask_to_cancel(conn, job.job.id)
        raise OSError("the disk stumbled") if task.number == 1 else Hopeless

    bench.queue.on_failed(Count, bench.note_failure)
    worker = bench.worker({Count: work}, Timing(beat=60.0, backoff=0.02, poll=0.05))
    await worker.start()
    for number in (1, 2):
        job_id = await bench.add(Count(number))
        job = await bench.until(job_id, JobState.CANCELLED, JobState.FAILED)
        assert (job.state, job.attempts, job.error_code) == (JobState.CANCELLED, 1, "job_cancelled")
        assert bench.failed[-1] == (job_id, "job_cancelled")
