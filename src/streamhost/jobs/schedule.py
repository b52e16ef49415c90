"""Work that comes again and again, such as clean-up: put into the queue like any other job, when its time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from streamhost import log
from streamhost.db import jobs as rows
from streamhost.db.core import Database
from streamhost.jobs.background import Background
from streamhost.jobs.queue import Queue
from streamhost.model.clock import MINUTE, Clock, Timestamp
from streamhost.model.tasks import Task

_LONGEST_SLEEP = MINUTE
"""So that a moved system clock is noticed."""
_AFTER_FAILURE = 5.0

_logger = log.get("jobs")


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that is due every `seconds`."""

    seconds: float
    task: Task
    name: str = ""
    """Tells it from others of the same kind of task."""

    @property
    def queueing_lock(self) -> str:
        """While one waits, no second one is added, however many processes have this schedule."""
        return f"schedule:{self.name or self.task.kind}"


def every(seconds: float, task: Task) -> Periodic:
    """`task` every `seconds`, counted from when it was last put into the queue; a new catalog begins at once."""
    return Periodic(seconds, task)


class Schedule:
    """Adds periodic tasks to the queue. What was missed while the server was down is done once, not many times."""

    def __init__(self, db: Database, queue: Queue, clock: Clock, entries: Sequence[Periodic]) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._entries = entries
        self._loop = Background("jobs-schedule", self._run)

    async def start(self) -> None:
        """Begin to add what is due."""
        self._loop.start()

    async def stop(self) -> None:
        """Add nothing more."""
        await self._loop.stop()

    async def tick(self) -> Timestamp | None:
        """Add everything that is due now; when the next is due (None: there is nothing periodic)."""
        async with self._db.read() as conn:
            last = {entry: await rows.last_added(conn, entry.queueing_lock) for entry in self._entries}
        now = self._clock()
        due = [entry for entry in self._entries if (at := last[entry]) is None or not at <= now < at + entry.seconds]
        if due:
            async with self._db.write() as conn:
                for entry in due:
                    await self._queue.add(conn, entry.task, queueing_lock=entry.queueing_lock)
        following = [now if entry in due else last[entry] or now for entry in self._entries]
        return min((at + entry.seconds for at, entry in zip(following, self._entries, strict=True)), default=None)

    async def _run(self) -> None:
        while True:
            try:
                at = await self.tick()
            except Exception:
                _logger.exception("The schedule stumbled", action="schedule_failed")
                await asyncio.sleep(_AFTER_FAILURE)
                continue
            if at is None:
                return
            await asyncio.sleep(min(_LONGEST_SLEEP, max(0.0, at - self._clock())))
