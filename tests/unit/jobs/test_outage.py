"""Jobs that need something that is away: they wait for it, and that is not their fault."""

from __future__ import annotations

from dataclasses import replace

from streamhost.jobs.context import JobContext
from streamhost.jobs.worker import OUTAGE_PATIENCE
from streamhost.model.tasks import JobState
from streamhost.ports import StorageUnavailable
from tests.support.waiting import until
from tests.unit.jobs.kit import QUICK, Bench, Count


async def test_an_outage_costs_no_attempt(bench: Bench) -> None:
    """However often the storage is away, the job is tried again, says why it waits, and succeeds in the end."""
    tries: list[int] = []

    async def work(_task: Count, job: JobContext) -> None:
        tries.append(job.job.attempts)
        if len(tries) <= Count.max_attempts + 3:
            raise StorageUnavailable("The server is away.")

    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count())
    await bench.worker({Count: work}, replace(QUICK, outage=1000.0)).start()

    async def says_why() -> bool:
        job = await bench.get(job_id)
        return job.state is JobState.QUEUED and job.error_code == "storage_unavailable"

    for number in range(1, Count.max_attempts + 4):
        await bench.when(says_why)
        assert len(tries) == number
        bench.ahead += 1300
        await until(lambda number=number: len(tries) > number)
    await bench.until(job_id, JobState.DONE)
    assert set(tries) == {1}
    assert bench.failed == []


async def test_an_outage_without_end(bench: Bench) -> None:
    """After some days of it, attempts count, and the job fails with the reason."""

    async def work(_task: Count, _job: JobContext) -> None:
        raise StorageUnavailable("The server is away.")

    bench.queue.on_failed(Count, bench.note_failure)
    job_id = await bench.add(Count())
    bench.ahead = OUTAGE_PATIENCE + 60
    await bench.worker({Count: work}, replace(QUICK, outage=0.05)).start()
    job = await bench.until(job_id, JobState.FAILED)
    assert (job.attempts, bench.failed) == (Count.max_attempts, [(job_id, "storage_unavailable")])
