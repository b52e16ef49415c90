"""Jobs whose work is done by sandboxed children: stopping and cancelling reach the child, its errors reach the job."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from streamhost import sandbox
from streamhost.db import job_outputs
from streamhost.features.work import State, Work
from streamhost.jobs.context import JobContext
from streamhost.model.tasks import JobState
from tests.support.processes import started
from tests.unit.jobs.kit import Bench, Count

TRICKS = Path(__file__).parents[1] / "sandbox"


class Children:
    """Runs a trick of the sandbox's tests as the work of a job."""

    def __init__(self, trick: str) -> None:
        self.trick = trick
        self.heard = asyncio.Event()

    async def work(self, _task: Count, job: JobContext) -> None:
        """The handler."""

        def hear(message: dict[str, Any]) -> None:
            job.report(message["progress"], message["step"])
            self.heard.set()

        limits = sandbox.Limits(silence_seconds=120)
        await sandbox.run("children", {"trick": self.trick}, limits=limits, on_message=hear, readable=[TRICKS])


@pytest.fixture(autouse=True)
def tricks(monkeypatch: pytest.MonkeyPatch, from_now: None) -> None:
    """Children find the tricks."""
    monkeypatch.syspath_prepend(str(TRICKS))


async def test_stopping_ends_children(bench: Bench) -> None:
    """When the worker stops, the child is gone and the job waits again, with all its attempts."""
    children = Children("sleep")
    worker = bench.worker({Count: children.work})
    job_id = await bench.add(Count())
    await worker.start()
    await children.heard.wait()
    await worker.stop(grace=150)
    assert started() == []
    job = await bench.get(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


async def test_cancelling_ends_children(bench: Bench) -> None:
    """When a job is cancelled its child is gone before the job counts as cancelled."""
    children = Children("sleep")
    job_id = await bench.add(Count())
    await bench.worker({Count: children.work}).start()
    await children.heard.wait()
    async with bench.db.write() as conn:
        assert await bench.queue.cancel(conn, job_id)
    await bench.until(job_id, JobState.CANCELLED)
    assert started() == []


async def test_crash_fails_one_job(bench: Bench) -> None:
    """A child that crashes is tried once more, then its job has failed with the crash's code; the worker goes on."""
    job_id = await bench.add(Count(1))
    worker = bench.worker({Count: Children("segfault").work})
    await worker.start()
    job = await bench.until(job_id, JobState.FAILED)
    assert (job.attempts, job.error_code) == (2, "child_crashed")
    assert "SIGSEGV" in (job.error_detail or "")
    assert worker.alive


async def test_what_a_child_said_is_kept(bench: Bench) -> None:
    """The end of it, as it was said, beside the job wherever jobs are looked at; a job that said nothing has none."""
    loud, silent = await bench.add(Count(1)), await bench.add(Count(2))
    children = {1: Children("complain"), 2: Children("quit_without_answer")}
    await bench.worker({Count: lambda task, job: children[task.number].work(task, job)}).start()
    for job_id in (loud, silent):
        await bench.until(job_id, JobState.FAILED)
    work = Work(bench.db, bench.queue, {})
    kept = (await work.get(loud)).output
    assert kept.endswith("once more\n\x1b[2J<b>no paper</b>")
    assert 4000 < len(kept) <= job_outputs.LONGEST
    assert (await work.get(silent)).output == ""
    assert {item.job.id: item.output for item in (await work.listed(State.FAILED)).items} == {loud: kept, silent: ""}
