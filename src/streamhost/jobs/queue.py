"""The queue: a job is added in the transaction of the state change that it follows; neither exists alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from streamhost.db import jobs as rows
from streamhost.db.core import Connection
from streamhost.jobs.errors import JobCancelled
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import JobId, new_id
from streamhost.model.tasks import Job, JobState, Lane, Task

FailureHandler = Callable[[Connection, Job, StreamhostError], Awaitable[None]]
"""Called in the transaction that ends a job as failed or cancelled, with the reason: change there what it was about."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a job does not run yet: a sentence, until when (if that is known), and the job it stands behind (if one)."""

    cause: str
    until: Timestamp | None = None
    behind: JobId | None = None


class _Attendant(NamedTuple):
    """How to reach a worker of this process."""

    wake: Callable[[], None]
    cancel: Callable[[JobId], None]
    pause: Callable[[JobId], None]


class Queue:
    """Adds, cancels and looks up jobs. The worker of this process is woken when what was added is committed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._on_failed: dict[str, FailureHandler] = {}
        self._attendants: list[_Attendant] = []
        self._lanes: dict[Lane, int] = {}

    def on_failed(self, task: type[Task], handler: FailureHandler) -> None:
        """Have `handler` called when a job of this type fails for good or is cancelled."""
        self._on_failed[task.kind] = handler

    async def add(
        self,
        conn: Connection,
        task: Task,
        *,
        lane: Lane | None = None,
        priority: int = 0,
        lock: str | None = None,
        queueing_lock: str | None = None,
        subject: str | None = None,
        delay: float = 0.0,
        paused: bool = False,
    ) -> JobId | None:
        """Add a job in the caller's transaction; it may run `delay` seconds from now, higher priority first.

        Jobs with the same `lock` never run at the same time. None, and nothing added, when a job with the same
        `queueing_lock` still waits. One that is `paused` waits until it is resumed. `lane`: another than the task's.
        """
        now = self._clock()
        job = Job(
            id=JobId(new_id()),
            kind=task.kind,
            payload=task.payload(),
            lane=lane or task.lane,
            state=JobState.QUEUED,
            priority=priority,
            attempts=0,
            max_attempts=task.max_attempts,
            run_at=now + delay,
            created_at=now,
            lock=lock,
            queueing_lock=queueing_lock,
            subject=subject,
            paused=paused,
        )
        if not await rows.insert(conn, job):
            return None
        conn.after_commit(self._wake)
        return job.id

    async def cancel(self, conn: Connection, job_id: JobId) -> bool:
        """Cancel a job: one that waits ends in this transaction, one that runs is told to stop. False: it is over."""
        job = await rows.cancel_waiting(conn, job_id, self._clock())
        if job is not None:
            conn.after_commit(self._wake)
            await self.failed(conn, job, JobCancelled())
            return True
        if await rows.ask_to_cancel(conn, job_id):
            conn.after_commit(lambda: self._tell(job_id))
            return True
        return False

    async def cancel_subject(self, conn: Connection, subject: str) -> int:
        """Cancel every job about something, such as `video:<id>`; how many."""
        return sum([await self.cancel(conn, job.id) for job in await rows.unfinished(conn, subject)])

    async def pause(self, conn: Connection, job_id: JobId) -> bool:
        """Let a job wait until it is resumed; one that runs is put back, as if the server had been stopped.

        False when it is over or paused already."""
        job = await rows.pause(conn, job_id, paused=True)
        if job is not None and job.state is JobState.RUNNING:
            conn.after_commit(lambda: self._put_back(job_id))
        return job is not None

    async def resume(self, conn: Connection, job_id: JobId) -> bool:
        """Let a paused job go on. False when it is none."""
        resumed = await rows.pause(conn, job_id, paused=False) is not None
        if resumed:
            conn.after_commit(self._wake)
        return resumed

    async def pause_subject(self, conn: Connection, subject: str) -> int:
        """Pause every job about something; how many."""
        return sum([await self.pause(conn, job.id) for job in await rows.unfinished(conn, subject)])

    async def resume_subject(self, conn: Connection, subject: str) -> int:
        """Resume every job about something; how many."""
        return sum([await self.resume(conn, job.id) for job in await rows.unfinished(conn, subject)])

    async def prioritise(self, conn: Connection, job_id: JobId, priority: int) -> bool:
        """Give a job another priority; it counts when a place becomes free. False when the job is over."""
        return await rows.prioritise(conn, job_id, priority)

    async def unfinished(self, conn: Connection, subject: str) -> list[Job]:
        """The waiting and running jobs about a subject, oldest first."""
        return await rows.unfinished(conn, subject)

    async def retry(self, conn: Connection, job_id: JobId) -> bool:
        """Run a failed or cancelled job again, or a postponed one now, with all its attempts. False when it is none."""
        revived = await rows.revive(conn, job_id, self._clock())
        if revived:
            conn.after_commit(self._wake)
        return revived

    async def get(self, conn: Connection, job_id: JobId) -> Job | None:
        """One job."""
        return await rows.get(conn, job_id)

    async def list(
        self,
        conn: Connection,
        states: Sequence[JobState] = tuple(JobState),
        *,
        subject: str | None = None,
        kind: str | None = None,
        paused: bool | None = None,
        before: tuple[Timestamp, JobId] | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """Jobs in some states, perhaps about one subject, of one kind, paused or not; newest first."""
        return await rows.listed(conn, states, subject=subject, kind=kind, paused=paused, before=before, limit=limit)

    async def wait(self, conn: Connection, job: Job) -> Wait | None:
        """Why a job waits, found out anew each time; None when it does not wait. No job waits without a cause."""
        if job.state is not JobState.QUEUED:
            return None
        if job.paused:
            return Wait("It is paused.")
        if job.run_at > self._clock():
            why = f" after {job.error_code}: {job.error_detail}" if job.error_code else ""
            return Wait(f"It is tried again later{why}." if why else "Its time has not come.", until=job.run_at)
        if job.lock is not None and (holder := await rows.holder(conn, job.lock)) is not None:
            return Wait(f"It must not run together with {holder.kind}.", until=None, behind=holder.id)
        if not self._lanes:
            return Wait("No worker runs in this process.")
        if not (slots := self._lanes.get(job.lane, 0)):
            return Wait(f"This server does no {job.lane.value} work.")
        counts = await rows.counts(conn)
        running = counts.get((job.lane, JobState.RUNNING), 0)
        if running >= slots:
            return Wait(f"Every place for {job.lane.value} work is taken ({slots}).")
        return Wait("It is about to start.")

    async def prune(self, conn: Connection, older_than: float) -> int:
        """Forget jobs that ended more than so many seconds ago; how many."""
        return await rows.delete_finished(conn, self._clock() - older_than)

    async def failed(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """Call the handler that waits for jobs of this kind to fail, in the transaction that ends the job."""
        if (handler := self._on_failed.get(job.kind)) is not None:
            await handler(conn, job, error)

    def attend(
        self,
        lanes: dict[Lane, int],
        wake: Callable[[], None],
        cancel: Callable[[JobId], None],
        pause: Callable[[JobId], None] = lambda _job: None,
    ) -> None:
        """A worker of this process says that it is there: how to wake it, and how to tell it of a cancelled or paused
        job."""
        self._lanes = dict(lanes)
        self._attendants.append(_Attendant(wake, cancel, pause))

    def leave(self, wake: Callable[[], None], cancel: Callable[[JobId], None]) -> None:
        """The worker that had given these to `attend` takes no more jobs."""
        self._lanes = {}
        self._attendants = [known for known in self._attendants if (known.wake, known.cancel) != (wake, cancel)]

    def _wake(self) -> None:
        for attendant in self._attendants:
            attendant.wake()

    def _tell(self, job_id: JobId) -> None:
        for attendant in self._attendants:
            attendant.cancel(job_id)

    def _put_back(self, job_id: JobId) -> None:
        for attendant in self._attendants:
            attendant.pause(job_id)
