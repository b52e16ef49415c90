"""The worker: takes jobs from the queue, runs their handlers, and sees to it that every job comes to an end.

A job that runs is leased: the worker prolongs its leases while it lives. When it is not heard of any more the lease
runs out and the job goes back to the queue, so it is done at least once; its last transaction names the attempt, so its
result counts once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from streamhost import log
from streamhost.db import job_outputs as outputs
from streamhost.db import jobs as rows
from streamhost.db.core import Connection, Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled, JobCrashed, JobUnknown, JobUnreadable, WorkerDied
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, HOUR, Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import JobId, new_id
from streamhost.model.tasks import Job, JobState, Lane, Task
from streamhost.sandbox import output_of

Handler = Callable[[Any, JobContext], Awaitable[None]]
"""Does the work of one task; it must be safe to run again after dying anywhere."""

OUTAGE_PATIENCE = 3 * DAY
"""For how long after its begin a job waits for what is away; then its attempts count."""
_DETAIL_LENGTH = 2000
_TRIES = 3
"""How often the end of a job is written before it is left to its lease."""

_logger = log.get("jobs")


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of a worker, in seconds."""

    lease: float = 30.0
    beat: float = 10.0
    """Three beats fit a lease: two may be missed."""
    poll: float = 2.0
    """How long a job that another process added may go unseen."""
    report: float = 1.0
    """How often progress is written."""
    backoff: float = 5.0
    """Wait before the first retry; doubled for each further one."""
    backoff_max: float = HOUR
    outage: float = 20.0
    """Wait for something that is away, such as the storage, before it is tried again."""


class _Ending(Enum):
    """Why a handler was told to end."""

    STOPPING = auto()
    CANCELLED = auto()
    PAUSED = auto()
    LOST = auto()


class _Run:
    """One job that runs here."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.handler: asyncio.Task[None] | None = None
        self.supervisor: asyncio.Task[None] | None = None
        self.ending: _Ending | None = None

    @property
    def job(self) -> Job:
        return self.context.job

    def end(self, why: _Ending) -> None:
        """Tell the handler to end; only the first reason counts."""
        if self.ending is None:
            self.ending = why
            self.context.cancelled.set()
            if self.handler is not None:
                self.handler.cancel()


class Worker:
    """Runs jobs of some lanes, so many at a time each, until it is stopped."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        handlers: Mapping[type[Task], Handler],
        lanes: Mapping[Lane, int],
        clock: Clock,
        worker_id: str | None = None,
        timing: Timing = Timing(),
    ) -> None:
        self._db = db
        self._queue = queue
        self._handlers = {task.kind: (task, handler) for task, handler in handlers.items()}
        self._lanes = {lane: slots for lane, slots in lanes.items() if slots > 0}
        self._clock = clock
        self._timing = timing
        self._runs: dict[JobId, _Run] = {}
        self._claiming = asyncio.Lock()  # between a claim in the catalog and its entry among the runs
        self._woken = asyncio.Event()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []
        self.id = worker_id or f"{os.getpid()}-{new_id()}"

    @property
    def alive(self) -> bool:
        """Whether it takes and minds jobs; for the health check."""
        return bool(self._loops) and not self._stopping and not any(loop.done() for loop in self._loops)

    @property
    def running(self) -> tuple[Job, ...]:
        """The jobs that run here now."""
        return tuple(run.job for run in self._runs.values())

    async def release_all(self) -> int:
        """Put every running job back, at once; how many. Only for a process that knows that no other worker lives."""
        return await self._reclaim(everything=True)

    async def start(self) -> None:
        """Begin to take jobs."""
        self._stopping = False
        self._queue.attend(self._lanes, self.wake, self._cancel, self._pause)
        self._loops = [
            asyncio.create_task(self._for_ever(self._feed, None), name="jobs-feed"),
            asyncio.create_task(self._for_ever(self._beat, self._timing.beat), name="jobs-beat"),
            asyncio.create_task(self._for_ever(self._write_reports, self._timing.report), name="jobs-report"),
        ]

    async def stop(self, grace: float = 10.0) -> None:
        """Take no more jobs, cancel those that run and put them back; their attempt does not count.

        A handler that has not ended after `grace` seconds is left alone; its job goes back when its lease ends."""
        if not self._loops:
            return
        self._stopping = True
        self._queue.leave(self.wake, self._cancel)
        self.wake()
        feed, *others = self._loops
        await asyncio.wait([feed])
        for run in self._runs.values():
            run.end(_Ending.STOPPING)
        supervisors = [run.supervisor for run in self._runs.values() if run.supervisor is not None]
        if supervisors:
            _, stuck = await asyncio.wait(supervisors, timeout=grace)
            for task in stuck:
                _logger.warning("A job did not stop in time", task=task.get_name())
        for loop in others:
            loop.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._loops = []

    def wake(self) -> None:
        """Look for jobs now."""
        self._woken.set()

    async def idle(self) -> None:
        """Wait until no job runs here and none could start; for tests and for commands that drain the queue."""
        while True:
            async with self._claiming:
                at_work = bool(self._runs)  # nothing starts now, but what ends meanwhile may leave another job there
                async with self._db.read() as conn:
                    due = [lane for lane in self._lanes if await rows.due(conn, lane, self._clock())]
            if not due and not at_work:
                return
            await asyncio.sleep(0.01)

    async def _for_ever(self, step: Callable[[], Awaitable[None]], pause: float | None) -> None:
        """Do a step again and again; one that fails is logged and tried again, since nobody else would."""
        while not self._stopping:
            try:
                await step()
            except Exception:
                _logger.exception("The worker stumbled", action="worker_step_failed", step=step.__name__)
                await asyncio.sleep(self._timing.report)
            if pause is not None:
                await asyncio.sleep(pause)

    async def _feed(self) -> None:
        """Start what may start, then sleep until something changes."""
        self._woken.clear()
        for lane, slots in self._lanes.items():
            while not self._stopping and self._in_lane(lane) < slots and await self._start_one(lane):
                pass
        if self._stopping:
            return
        now = self._clock()
        async with self._db.read() as conn:
            due = await rows.next_due(conn, now)
        pause = self._timing.poll if due is None else min(self._timing.poll, max(0.0, due - now))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._woken.wait()

    def _in_lane(self, lane: Lane) -> int:
        return sum(run.job.lane is lane for run in self._runs.values())

    async def _start_one(self, lane: Lane) -> bool:
        now = self._clock()
        async with self._db.read() as conn:
            if not await rows.due(conn, lane, now):
                return False
        async with self._claiming:
            async with self._db.write() as conn:
                job = await rows.claim(conn, lane, self.id, now, now + self._timing.lease)
            if job is None:
                return False
            self._runs[job.id] = run = _Run(JobContext(job, self._clock))
        run.handler = asyncio.create_task(self._handle(run.context), name=f"job-{job.kind}-{job.id}")
        run.supervisor = asyncio.create_task(self._supervise(run, run.handler), name=f"job-{job.kind}-{job.id}-end")
        return True

    async def _handle(self, context: JobContext) -> None:
        job = context.job
        log.bind(job=job.id, kind=job.kind, attempt=job.attempts)
        if job.kind not in self._handlers:
            raise JobUnknown(job.kind)
        task_type, handler = self._handlers[job.kind]
        try:
            task = task_type(**job.payload)
        except TypeError as error:
            raise JobUnreadable(str(error)) from error
        await handler(task, context)

    async def _supervise(self, run: _Run, handler: asyncio.Task[None]) -> None:
        """Wait for a handler and write down how it ended."""
        log.bind(job=run.job.id, kind=run.job.kind, attempt=run.job.attempts)
        try:
            await asyncio.wait([handler])
            error = None if handler.cancelled() else handler.exception()
            for attempt in range(1, _TRIES + 1):
                try:
                    await self._settle(run, error, handler.cancelled(), tell=attempt < _TRIES)
                    break
                except Exception:
                    _logger.exception("The end of a job could not be written", action="job_end_failed")
                    await asyncio.sleep(self._timing.report)
        finally:
            del self._runs[run.job.id]
            self.wake()

    async def _settle(self, run: _Run, error: BaseException | None, cancelled: bool, *, tell: bool) -> None:
        job = run.job
        if run.context.completed:
            if error is not None:
                _logger.error("A job failed after it was done", action="job_failed_late", exc_info=error)
            return
        if run.ending is _Ending.LOST:
            _logger.warning("A job was given to somebody else", action="job_lost")
        elif error is None and not cancelled:
            async with self._db.write() as conn:
                held = await rows.finish(conn, job, JobState.DONE, self._clock())
            if not held:
                _logger.warning("A job was given to somebody else", action="job_lost")
        elif run.ending in (_Ending.STOPPING, _Ending.PAUSED):
            async with self._db.write() as conn:
                if await self._end_if_cancelled(conn, job, tell=tell):
                    return
                await rows.requeue(conn, job, job.run_at, refund=True)  # what came after it keeps coming after it
            _logger.info("A job goes back to the queue", action="job_released", paused=run.ending is _Ending.PAUSED)
        elif run.ending is _Ending.CANCELLED:
            async with self._db.write() as conn:
                await self._end_in(conn, job, JobCancelled(), JobState.CANCELLED, tell=tell)
        else:
            await self._failed(job, _known(error), tell=tell)

    async def _failed(self, job: Job, error: StreamhostError, *, tell: bool) -> None:
        async with self._db.write() as conn:
            if not await self._end_if_cancelled(conn, job, tell=tell):
                await self._failed_in(conn, job, error, tell=tell)

    async def _failed_in(self, conn: Connection, job: Job, error: StreamhostError, *, tell: bool) -> None:
        await outputs.keep(conn, job.id, output_of(error))
        # What is away is not the job's fault: it is waited for, and the attempt does not count.
        away = error.outage and self._clock() - job.created_at < OUTAGE_PATIENCE
        allowed = job.max_attempts if error.retries is None else min(job.max_attempts, error.retries + 1)
        if not away and (error.permanent or job.attempts >= allowed):
            _logger.error("A job failed", action="job_failed", code=error.code, error=str(error), exc_info=error)
            await self._end_in(conn, job, error, JobState.FAILED, tell=tell)
            return
        wait = self._timing.outage * random.uniform(0.75, 1.25) if away else self._backoff(job.attempts)
        _logger.warning(
            "A job is tried again",
            action="job_retried",
            code=error.code,
            error=str(error),
            seconds=wait,
            exc_info=error,
        )
        await rows.requeue(conn, job, self._clock() + wait, refund=away, code=error.code, detail=_words(error))

    async def _end_if_cancelled(self, conn: Connection, job: Job, *, tell: bool) -> bool:
        """End a job that somebody cancelled while it came to its end: put back it would end later, unasked."""
        known = await rows.get(conn, job.id)
        if known is None or not known.cancel_requested:
            return False
        await self._end_in(conn, job, JobCancelled(), JobState.CANCELLED, tell=tell)
        return True

    async def _end_in(
        self, conn: Connection, job: Job, error: StreamhostError, state: JobState, *, tell: bool = True
    ) -> None:
        if await rows.finish(conn, job, state, self._clock(), error.code, _words(error)) and tell:
            await self._queue.failed(conn, job, error)

    def _backoff(self, attempts: int) -> float:
        """Seconds until the next try: doubled each time, a quarter more or less so that not all come at once."""
        exact = min(self._timing.backoff_max, self._timing.backoff * 2.0 ** (attempts - 1))
        return exact * random.uniform(0.75, 1.25)

    def _cancel(self, job_id: JobId) -> None:
        if (run := self._runs.get(job_id)) is not None:
            run.end(_Ending.CANCELLED)

    def _pause(self, job_id: JobId) -> None:
        if (run := self._runs.get(job_id)) is not None:
            run.end(_Ending.PAUSED)

    async def _beat(self) -> None:
        """Prolong the leases, notice what was cancelled or lost, and take back what dead workers held."""
        runs = list(self._runs.values())
        if runs:
            async with self._db.write() as conn:
                until = self._clock() + self._timing.lease
                held = await rows.extend(conn, self.id, [run.job.id for run in runs], until)
            for run in runs:
                attempt, cancel, pause = held.get(run.job.id, rows.Held(None))
                if run.context.completed or run.job.id not in self._runs:
                    continue
                if attempt != run.job.attempts:
                    run.end(_Ending.LOST)
                elif cancel:
                    run.end(_Ending.CANCELLED)
                elif pause:
                    run.end(_Ending.PAUSED)
        await self._reclaim(everything=False)

    async def _reclaim(self, *, everything: bool) -> int:
        now = None if everything else self._clock()
        async with self._db.read() as conn:
            if not await self._orphans(conn, now):
                return 0
        async with self._db.write() as conn:
            jobs = await self._orphans(conn, now)
            for job in jobs:
                await self._reclaim_in(conn, job)
        self.wake()
        return len(jobs)

    async def _orphans(self, conn: Connection, now: float | None) -> list[Job]:
        return [job for job in await rows.abandoned(conn, now) if job.id not in self._runs]

    async def _reclaim_in(self, conn: Connection, job: Job) -> None:
        times = "once" if job.attempts == 1 else f"{job.attempts} times"
        error = WorkerDied(f"This happened {times}.")
        _logger.warning(
            "The worker of a job died", action="job_reclaimed", job=job.id, kind=job.kind, attempts=job.attempts
        )
        if job.cancel_requested:
            await self._end_in(conn, job, JobCancelled(), JobState.CANCELLED)
        elif job.attempts >= job.max_attempts:
            await self._end_in(conn, job, error, JobState.FAILED)
        else:
            again = job.run_at if job.attempts == 1 else self._clock() + self._backoff(job.attempts - 1)
            await rows.requeue(conn, job, again, refund=False, code=error.code, detail=_words(error))

    async def _write_reports(self) -> None:
        reports = [(run.job, report) for run in self._runs.values() if (report := run.context.take_report())]
        if reports:
            async with self._db.write() as conn:
                for job, report in reports:
                    await rows.report(conn, job, report.progress, report.step, report.speed, report.eta)


def _known(error: BaseException | None) -> StreamhostError:
    """Every error as one with a code."""
    if isinstance(error, StreamhostError):
        return error
    if error is None:
        return JobCrashed("It cancelled itself.")
    crashed = JobCrashed(f"{type(error).__name__}: {error}")
    crashed.__cause__ = error
    return crashed


def _words(error: StreamhostError) -> str:
    return str(error)[:_DETAIL_LENGTH]
