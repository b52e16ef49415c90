"""The background work as administrators see it: what waits and why, what runs and how far it is, what failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamhost import log
from streamhost.db import job_outputs
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.jobs.queue import Queue, Wait
from streamhost.model.cursors import by_time, encoded, one_more
from streamhost.model.errors import Conflict, InvalidInput, NotFound
from streamhost.model.ids import JobId, VideoId, is_id
from streamhost.model.tasks import Job, JobState, Task

MAX_PAGE = 200
MOST_PRIORITY = 1000

Revive = Callable[[Connection, Job], Awaitable[None]]
"""Begins again what a failed job was a part of."""


class State(StrEnum):
    """Where a job is, as people see it: one that is paused does not simply wait."""

    QUEUED = "queued"
    PAUSED = "paused"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What can be done with a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    PRIORITY = "priority"


class JobNotSteerable(Conflict):
    """That cannot be done with this job as it stands."""

    code = "job_not_steerable"
    hint = (
        "Jobs that wait or run can be paused, cancelled and prioritised; those that failed or were cancelled, retried."
    )


@dataclass(frozen=True, slots=True)
class Item:
    """A job, why it waits if it does, and the video that it is about."""

    job: Job
    wait: Wait | None
    title: str | None = None
    """What the video is called, where `video_id` is one that is still there."""
    output: str = ""
    """What its process said before it failed."""

    @property
    def video_id(self) -> VideoId | None:
        """The video that the job works on."""
        return video_of(self.job)

    @property
    def state(self) -> State:
        """Where it is."""
        paused = self.job.paused and self.job.state in (JobState.QUEUED, JobState.RUNNING)
        return State.PAUSED if paused else State(self.job.state.value)


@dataclass(frozen=True, slots=True)
class WorkPage:
    """One page of jobs, newest first, and where the next one starts."""

    items: list[Item]
    next_cursor: str | None


class Work:
    """Lists jobs and pulls their levers. Whatever is pulled survives a restart."""

    def __init__(self, db: Database, queue: Queue, revive: Mapping[type[Task], Revive]) -> None:
        """`revive`: for kinds of jobs that are parts of something larger, how all of it is begun again."""
        self._db = db
        self._queue = queue
        self._revive = {task.kind: how for task, how in revive.items()}
        self._log = log.get("jobs")

    async def get(self, job_id: JobId) -> Item:
        """One job. Raises `NotFound`."""
        async with self._db.read() as conn:
            [item] = await self._items(conn, [await self._known(conn, job_id)])
        return item

    async def listed(
        self,
        state: State | None = None,
        *,
        kind: str | None = None,
        subject: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> WorkPage:
        """Jobs in one state, or all, newest first. `subject` is what they are about, such as `video:<id>`."""
        rows_asked = one_more(limit, MAX_PAGE)
        states, paused = _selected(state)
        async with self._db.read() as conn:
            jobs = await self._queue.list(
                conn,
                states,
                subject=subject,
                kind=kind,
                paused=paused,
                before=by_time(cursor, JobId),
                limit=rows_asked,
            )
            items = await self._items(conn, jobs[:limit])
        more = len(jobs) > limit
        last = items[-1].job if more else None
        return WorkPage(items, encoded([last.created_at, last.id]) if last else None)

    async def act(self, job_id: JobId, act: Act, priority: int | None = None) -> Item:
        """Pause, resume, cancel, retry or prioritise a job; as it then is.

        A part of a video is retried with all that was given up with it. Raises `NotFound`, `JobNotSteerable`,
        `InvalidInput`, and what the retry of a video raises."""
        async with self._db.write() as conn:
            job = await self._known(conn, job_id)
            if not await self._do(conn, job, act, priority):
                raise JobNotSteerable(f"It is {Item(job, None).state.value}.")
            [item] = await self._items(conn, [await self._known(conn, job_id)])
        self._log.info("A job was steered", action="job_steered", job=job_id, what=act.value)
        return item

    async def _do(self, conn: Connection, job: Job, act: Act, priority: int | None) -> bool:
        match act:
            case Act.PAUSE:
                return await self._queue.pause(conn, job.id)
            case Act.RESUME:
                return await self._queue.resume(conn, job.id)
            case Act.CANCEL:
                return await self._queue.cancel(conn, job.id)
            case Act.PRIORITY:
                if priority is None or abs(priority) > MOST_PRIORITY:
                    words = f"A whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}."
                    raise InvalidInput(fields={"priority": words})
                return await self._queue.prioritise(conn, job.id, priority)
        if job.state in (JobState.FAILED, JobState.CANCELLED) and job.kind in self._revive:
            await self._revive[job.kind](conn, job)
            return True
        return await self._queue.retry(conn, job.id)

    async def _known(self, conn: Connection, job_id: JobId) -> Job:
        job = await self._queue.get(conn, job_id) if is_id(job_id) else None
        if job is None:
            raise NotFound("There is no such job.")
        return job

    async def _items(self, conn: Connection, jobs: Sequence[Job]) -> list[Item]:
        titles = await video_rows.titles(conn, {video_id for job in jobs if (video_id := video_of(job))})
        outputs = await job_outputs.of(conn, [job.id for job in jobs])
        items = []
        for job in jobs:
            video_id, wait = video_of(job), await self._queue.wait(conn, job)
            title = titles.get(video_id) if video_id else None
            items.append(Item(job, wait, title, outputs.get(job.id, "")))
        return items


def video_of(job: Job) -> VideoId | None:
    """The video that a job works on or tells of, if it is one of those that do."""
    event = job.payload.get("event")
    found = (event if isinstance(event, dict) else job.payload).get("video_id")
    return VideoId(found) if isinstance(found, str) else None


def _selected(state: State | None) -> tuple[tuple[JobState, ...], bool | None]:
    """The states of the queue that a state stands for, and whether paused jobs are meant."""
    if state is None:
        return tuple(JobState), None
    if state is State.PAUSED:
        return (JobState.QUEUED, JobState.RUNNING), True
    waiting = state in (State.QUEUED, State.RUNNING)
    return (JobState(state.value),), False if waiting else None
