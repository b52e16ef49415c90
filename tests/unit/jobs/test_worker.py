"""Running jobs: retries, cancelling, leases, stopping."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from streamhost.db import jobs as rows
from streamhost.db.core import Connection
from streamhost.jobs.context import JobContext
from streamhost.model.errors import StreamhostError
from streamhost.model.tasks import Job, JobState, Lane
from tests.support.waiting import until
from tests.unit.jobs.kit import QUICK, Bench, Count, Heavy, Hopeless, OnceMore


async def test_jobs_are_done(bench: Bench) -> None:
    """Jobs that wait and jobs that come later are done once each, and keep when they began and ended."""
    before = [await bench.add(Count(number)) for number in range(3)]
    worker = bench.worker()
    await worker.start()
    later = await bench.add(Heavy(3))
    for job_id in (*before, later):
        job = await bench.until(job_id, JobState.DONE)
        assert (job.attempts, job.progress, job.worker, job.lease_until) == (1, 1.0, None, None)
        assert job.started_at and job.finished_at and job.started_at <= job.finished_at
    assert sorted(bench.done) == [0, 1, 2, 3]
    assert worker.alive
    await worker.stop()
    assert not worker.alive


async def test_woken_at_once(bench: Bench) -> None:
    """A job that is added in this process starts long before the next poll; so does one whose time comes."""
    await bench.worker(timing=replace(QUICK, poll=3600.0)).start()
    await asyncio.sleep(0.05)
    await bench.until(await bench.add(Count(1)), JobState.DONE)
    await bench.until(await bench.add(Count(2), delay=0.2), JobState.DONE)


async def test_idle_sees_what_a_quick_job_leaves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is just being claimed when somebody asks, and that ends while the queue is read, leaves another one:
    that is waited for, too."""
    claimed, asked, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    claim, due = rows.claim, rows.due

    async def claim_slowly(*values: Any) -> Job | None:
        if (job := await claim(*values)) is not None:
            claimed.set()
            await asked.wait()
        return job

    async def look_slowly(*values: Any) -> bool:
        found = await due(*values)
        if asked.is_set():
            looked.set()
            await until(lambda: not worker.running)
        return found

    async def leave_another(task: Count, _job: JobContext) -> None:
        if task.number == 1:
            await looked.wait()
            await bench.add(Count(2))
        bench.done.append(task.number)

    worker = bench.worker({Count: leave_another}, light=1)
    monkeypatch.setattr(rows, "claim", claim_slowly)
    await bench.add(Count(1))
    await worker.start()
    await claimed.wait()
    monkeypatch.setattr(rows, "due", look_slowly)
    waiting = asyncio.create_task(worker.idle())
    await asyncio.sleep(0)
    asked.set()
    await waiting
    assert bench.done == [1, 2]


async def test_places(bench: Bench) -> None:
    """No lane runs more jobs at once than it has places, and a full lane does not hold up another."""
    places = {Lane.LIGHT: 3, Lane.MEDIA: 1}
    running = dict.fromkeys(places, 0)
    most = dict(running)
    full = asyncio.Event()

    async def work(task: Count | Heavy, _job: JobContext) -> None:
        running[task.lane] += 1
        most[task.lane] = max(most[task.lane], running[task.lane])
        if most == places:
            full.set()
        # The first ones stay until every place is taken: else it would depend on the machine whether it ever is.
        await asyncio.wait_for(full.wait(), 150)
        await asyncio.sleep(0.02)
        running[task.lane] -= 1
        bench.done.append(task.number)

    for number in range(6):
        await bench.add(Heavy(number))
        await bench.add(Count(100 + number))
    worker = bench.worker({Count: work, Heavy: work}, media=1, light=3)
    await worker.start()
    await worker.idle()
    assert len(bench.done) == 12
    assert most == places


async def test_retried_with_backoff(bench: Bench) -> None:
    """A job that fails is tried again later and later, keeps the reason meanwhile, and may still succeed."""
    starts: list[float] = []

    async def work(_task: Count, _job: JobContext) -> None:
        starts.append(bench.clock())
        if len(starts) < 4:
            raise RuntimeError("not yet")

    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count())
    await bench.worker({Count: work}, replace(QUICK, backoff=1000.0, backoff_max=100_000.0)).start()
    for attempt, least in enumerate((750, 1500, 3000), 1):
        await until(lambda attempt=attempt: len(starts) == attempt)
        waiting = await bench.until(job_id, JobState.QUEUED)
        assert (waiting.attempts, waiting.error_code) == (attempt, "job_crashed")
        assert "RuntimeError: not yet" in (waiting.error_detail or "")
        assert waiting.run_at >= starts[-1] + least
        bench.ahead += waiting.run_at - bench.clock()
    job = await bench.until(job_id, JobState.DONE)
    assert (job.attempts, job.error_code, bench.failed) == (4, None, [])
    first, second, third = (after - before for before, after in pairwise(starts))
    assert first >= 750
    assert second >= 1500
    assert third >= 3000


async def test_attempts_used_up(bench: Bench) -> None:
    """After the last attempt the job has failed, and whoever waits for that is told in the same transaction."""
    seen: list[JobState] = []

    async def failed(conn: Connection, job: Job, error: StreamhostError) -> None:
        now = await bench.queue.get(conn, job.id)
        assert now is not None
        seen.append(now.state)
        bench.failed.append((job.id, error.code))

    async def work(_task: Count, _job: JobContext) -> None:
        raise RuntimeError("never")

    bench.queue.on_failed(Count, failed)
    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    job = await bench.until(job_id, JobState.FAILED)
    assert job.attempts == Count.max_attempts
    assert (job.error_code, seen, bench.failed) == ("job_crashed", [JobState.FAILED], [(job_id, "job_crashed")])


@pytest.mark.parametrize(("error", "attempts"), [(Hopeless, 1), (OnceMore, 2)])
async def test_errors_that_say_how_often(bench: Bench, error: type[StreamhostError], attempts: int) -> None:
    """A permanent error is not retried; an error that asks for one more try gets one."""

    async def work(_task: Count, _job: JobContext) -> None:
        raise error("words")

    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    job = await bench.until(job_id, JobState.FAILED)
    assert (job.attempts, job.error_code) == (attempts, error.code)
    assert job.error_detail == f"{error.title()} words"


async def test_failing_failure_handler(bench: Bench) -> None:
    """A handler of failures that fails itself does not keep the job running for ever."""

    async def failed(_conn: Connection, _job: Job, _error: StreamhostError) -> None:
        raise RuntimeError("no")

    async def work(_task: Count, _job: JobContext) -> None:
        raise Hopeless

    bench.queue.on_failed(Count, failed)
    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    assert (await bench.until(job_id, JobState.FAILED)).error_code == "hopeless"


async def test_unknown_and_unreadable(bench: Bench) -> None:
    """A kind that nobody handles, and a payload that does not fit, fail at once with a code of their own."""
    unknown = await bench.add(Heavy())
    unreadable = await bench.add(Count())
    async with bench.db.write() as conn:
        await conn.execute("UPDATE jobs SET payload = '{\"colour\": 1}' WHERE id = :id", {"id": unreadable})
    await bench.worker({Count: bench.note}).start()
    assert (await bench.until(unknown, JobState.FAILED)).error_code == "job_unknown"
    assert (await bench.until(unreadable, JobState.FAILED)).error_code == "job_unreadable"


async def test_completed_in_the_handlers_transaction(bench: Bench) -> None:
    """Result, follow-up job and end of the job are one commit: all of it or nothing."""
    failing = True

    async def work(task: Count, job: JobContext) -> None:
        nonlocal failing
        if task.number > 0:
            bench.done.append(task.number)
            return
        async with bench.db.write() as conn:
            await bench.queue.add(conn, Count(7))
            await job.complete(conn)
            if failing:
                failing = False
                raise RuntimeError("just before the commit")
        assert job.completed

    job_id = await bench.add(Count())
    worker = bench.worker({Count: work})
    await worker.start()
    job = await bench.until(job_id, JobState.DONE)
    await worker.idle()
    assert (job.attempts, bench.done) == (2, [7])


async def test_failure_after_completing(bench: Bench) -> None:
    """What goes wrong after the job was completed does not undo it."""

    async def work(_task: Count, job: JobContext) -> None:
        async with bench.db.write() as conn:
            await job.complete(conn)
        raise RuntimeError("too late")

    job_id = await bench.add(Count())
    worker = bench.worker({Count: work})
    await worker.start()
    await bench.until(job_id, JobState.DONE)
    await worker.idle()
    assert (await bench.get(job_id)).state is JobState.DONE


async def test_progress(bench: Bench) -> None:
    """Reports reach the catalog, bounded and seldom: many reports are few writes."""
    stepped = asyncio.Event()
    finish = asyncio.Event()

    async def work(_task: Count, job: JobContext) -> None:
        for number in range(1000):
            job.report(number / 1000, "counting " + "x" * 500)
        job.report(7.5)
        stepped.set()
        await finish.wait()

    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    await stepped.wait()

    async def written() -> bool:
        return (await bench.get(job_id)).progress == 1.0

    await bench.when(written)
    job = await bench.get(job_id)
    assert job.step.startswith("counting ")
    assert len(job.step) <= 200
    finish.set()
    await bench.until(job_id, JobState.DONE)


async def test_cancel_a_running_job(bench: Bench) -> None:
    """A running job is told at once, its handler can clean up, and it ends as cancelled, not as failed."""
    started = asyncio.Event()
    cleaned: list[bool] = []

    async def work(_task: Count, job: JobContext) -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned.append(job.cancelled.is_set())

    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count())
    await bench.worker({Count: work}, replace(QUICK, beat=3600.0, lease=7200.0)).start()
    await started.wait()
    async with bench.db.write() as conn:
        assert await bench.queue.cancel(conn, job_id)
    job = await bench.until(job_id, JobState.CANCELLED)
    assert (cleaned, job.error_code, bench.failed) == ([True], "job_cancelled", [(job_id, "job_cancelled")])


async def test_cancelled_by_another_process(bench: Bench) -> None:
    """A cancellation that only stands in the catalog is noticed at the next beat."""
    started = asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        await asyncio.sleep(3600)

    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    await started.wait()
    async with bench.db.write() as conn:
        assert await rows.ask_to_cancel(conn, job_id)
    await bench.until(job_id, JobState.CANCELLED)


async def test_stopping_returns_jobs(bench: Bench) -> None:
    """Stopping cancels what runs and puts it back without costing an attempt; the next worker does it."""
    started = asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        await asyncio.sleep(3600)

    job_id = await bench.add(Count(5))
    worker = bench.worker({Count: work})
    await worker.start()
    await started.wait()
    await asyncio.wait_for(worker.stop(grace=3600), 60)
    job = await bench.get(job_id)
    assert (job.state, job.attempts, job.worker, job.error_code) == (JobState.QUEUED, 0, None, None)
    await bench.worker().start()
    assert (await bench.until(job_id, JobState.DONE)).attempts == 1
    assert bench.done == [5]


async def test_handler_that_will_not_stop(bench: Bench) -> None:
    """A handler that ignores its cancellation delays the stop by the grace and no more."""
    started, release = asyncio.Event(), asyncio.Event()

    async def work(_task: Count, _job: JobContext) -> None:
        started.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    job_id = await bench.add(Count())
    worker = bench.worker({Count: work})
    await worker.start()
    await started.wait()
    await asyncio.wait_for(worker.stop(grace=0.2), 60)
    assert (await bench.get(job_id)).state is JobState.RUNNING
    release.set()
    await bench.until(job_id, JobState.DONE)


async def test_handler_that_cancels_itself(bench: Bench) -> None:
    """A cancellation that nobody asked for counts as a failed attempt; the job is not forgotten."""
    calls = 0

    async def work(_task: Count, _job: JobContext) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise asyncio.CancelledError

    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    assert (await bench.until(job_id, JobState.DONE)).attempts == 2


async def test_catalog_that_stumbles(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of the catalog, at whatever step, do not end the worker: jobs go on when it is well again."""
    broken = 6
    claim, finish = rows.claim, rows.finish

    async def sometimes(*arguments: object, **options: object) -> object:
        nonlocal broken
        broken -= 1
        if broken > 0 and broken % 2:
            raise OSError("disk trouble")
        function = claim if isinstance(arguments[1], Lane) else finish
        return await function(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "claim", sometimes)
    monkeypatch.setattr(rows, "finish", sometimes)
    ids = [await bench.add(Count(number)) for number in range(4)]
    await bench.worker().start()
    for job_id in ids:
        await bench.until(job_id, JobState.DONE)
    assert sorted(bench.done) == [0, 1, 2, 3]


async def test_nested_transactions_are_named(bench: Bench) -> None:
    """A handler that opens a transaction inside its own fails with a clear reason instead of standing still."""

    async def work(_task: Count, _job: JobContext) -> None:
        async with bench.db.write(), bench.db.write():
            pass

    job_id = await bench.add(Count())
    await bench.worker({Count: work}).start()
    assert (await bench.until(job_id, JobState.FAILED)).error_code == "catalog_misused"
