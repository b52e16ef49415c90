"""What a handler gets beside its task."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from streamhost.db import jobs as rows
from streamhost.db.core import Connection
from streamhost.jobs.errors import LeaseLost
from streamhost.jobs.pace import Share
from streamhost.model.clock import Clock
from streamhost.model.tasks import Job, JobState

_STEP_LENGTH = 200


class Report(NamedTuple):
    """How far a job is (0..1), what it does, how fast (film seconds a second), and the seconds that are left."""

    progress: float
    step: str
    speed: float | None = None
    eta: float | None = None


class JobContext:
    """The job, a way to say how far it is, and a way to end it inside the handler's own last transaction."""

    def __init__(self, job: Job, clock: Clock) -> None:
        self.job = job
        self.cancelled = asyncio.Event()
        """Set when the handler should come to an end; its task is cancelled at the same moment."""
        self._clock = clock
        self._unwritten: Report | None = None
        self._share = Share()
        self._progress = 0.0
        self._step = ""
        self._completed = False

    @property
    def completed(self) -> bool:
        """Whether the handler has ended the job itself, in a transaction that is on disk."""
        return self._completed

    def report(self, progress: float, step: str | None = None, speed: float | None = None) -> None:
        """Say how far the work is (0..1), perhaps what is done now, and how fast (film seconds a second).

        Returns at once; written once a second, with the time that is left by the pace so far."""
        self._progress = min(1.0, max(0.0, progress))
        if step is not None:
            self._step = step[:_STEP_LENGTH]
        self._share.at(self._progress, self._clock())
        self._unwritten = Report(self._progress, self._step, speed, self._share.left)

    async def complete(self, conn: Connection) -> None:
        """Mark the job as done in the caller's transaction, so that its result and its end are one commit.

        Raises `LeaseLost` (which rolls that transaction back) when the job has been given to somebody else."""
        if not await rows.finish(conn, self.job, JobState.DONE, self._clock()):
            raise LeaseLost
        conn.after_commit(self._complete)

    def take_report(self) -> Report | None:
        """What was reported since the last call; for the worker, which writes it down."""
        report, self._unwritten = self._unwritten, None
        return report

    def _complete(self) -> None:
        self._completed = True
