"""What the tests of the queue share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from streamhost.db.core import Connection, Database
from streamhost.jobs.queue import Queue
from streamhost.jobs.worker import Handler, Timing, Worker
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import JobId
from streamhost.model.tasks import Job, JobState, Lane, Task

QUICK = Timing(lease=1.5, beat=0.1, poll=0.05, report=0.02, backoff=0.02, backoff_max=0.1)


@dataclass(frozen=True, slots=True)
class Count(Task):
    """Counts."""

    kind: ClassVar[str] = "count"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Heavy(Task):
    """Of the other lane."""

    kind: ClassVar[str] = "heavy"
    lane: ClassVar[Lane] = Lane.MEDIA
    number: int = 0


class Hopeless(StreamhostError):
    """Nothing will ever change this."""

    code = "hopeless"
    permanent = True


class OnceMore(StreamhostError):
    """Worth one more try."""

    code = "once_more"
    retries = 1


class Bench:
    """A queue, its catalog, a movable clock, and notes of what was done."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.ahead = 0.0
        self.queue = Queue(self.clock)
        self.workers: list[Worker] = []
        self.done: list[int] = []
        self.failed: list[tuple[JobId, str]] = []

    def clock(self) -> Timestamp:
        """The real time, and as much ahead as the test says."""
        return time.time() + self.ahead

    async def note(self, task: Count | Heavy, _job: Any) -> None:
        """A handler that notes its number."""
        self.done.append(task.number)

    async def note_failure(self, _conn: Connection, job: Job, error: StreamhostError) -> None:
        """A handler of failures that notes them."""
        self.failed.append((job.id, error.code))

    def worker(
        self,
        handlers: Mapping[type[Task], Handler] | None = None,
        timing: Timing = QUICK,
        **lanes: int,
    ) -> Worker:
        """A worker that is stopped after the test."""
        worker = Worker(
            self.db,
            self.queue,
            {Count: self.note, Heavy: self.note} if handlers is None else handlers,
            {Lane(name): slots for name, slots in (lanes or {"light": 1, "media": 1}).items()},
            self.clock,
            timing=timing,
        )
        self.workers.append(worker)
        return worker

    async def add(self, task: Task, **options: Any) -> JobId:
        """Add one job, committed; its id."""
        async with self.db.write() as conn:
            job_id = await self.queue.add(conn, task, **options)
        assert job_id is not None
        return job_id

    async def get(self, job_id: JobId) -> Job:
        """The job as it is now."""
        async with self.db.read() as conn:
            job = await self.queue.get(conn, job_id)
        assert job is not None
        return job

    async def when(self, condition: Callable[[], Awaitable[bool]], seconds: float = 150.0) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, "waited in vain"
            await asyncio.sleep(0.003)

    async def until(self, job_id: JobId, *states: JobState, seconds: float = 150.0) -> Job:
        """The job once it is in one of the states."""
        deadline = time.monotonic() + seconds
        while (job := await self.get(job_id)).state not in states:
            assert time.monotonic() < deadline, f"waited for {states}, found {job}"
            await asyncio.sleep(0.005)
        return job
