"""Takes reports in: many requests, one writer, one transaction for all that came within a moment.

Whoever is told that a report was taken may forget it: it is on disk. So a request waits until its batch is committed,
which costs it a fraction of a second and the loop next to nothing. What waits is bounded; beyond that reports are
refused at once, and players send them again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from streamhost import log
from streamhost.db import playback_events as rows
from streamhost.db.core import Database
from streamhost.db.playback_events import Reported
from streamhost.features.analytics.errors import ReportsBacklog
from streamhost.model.errors import StreamhostError

GATHER_SECONDS = 0.2
"""How long reports are gathered. Each transaction waits for the disk and keeps other writers waiting: five in a second
are few, and a player does not notice a fifth of one."""
AT_ONCE = 1_000
"""Events in one transaction, some 20 ms of work; more go into the next."""
MOST_WAITING = 20_000
"""Events that wait at most, about 10 MB."""

_logger = log.get("analytics")


@dataclass(slots=True)
class _Waiting:
    report: Reported
    written: asyncio.Future[None]


class Intake:
    """The one writer of reports."""

    def __init__(self, db: Database, gather: float = GATHER_SECONDS, most: int = MOST_WAITING) -> None:
        """`gather`: seconds; `most`: events that may wait."""
        self._db = db
        self._gather = gather
        self._most = most
        self._queue: list[_Waiting] = []
        self._count = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.taken = 0
        """Events written down so far, repeated ones included."""
        self.refused = 0
        """Events refused so far because too many waited."""

    @property
    def waiting(self) -> int:
        """Events that wait to be written."""
        return self._count

    async def start(self) -> None:
        """Begin to write."""
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="reports")

    async def stop(self) -> None:
        """Write what has been taken in, and end."""
        task, self._task = self._task, None
        if task is not None:
            self._closing = True
            self._wanted.set()
            await task

    async def take(self, report: Reported) -> None:
        """Write a report down; returns once it is on disk. Raises `ReportsBacklog`, and what the catalog raises."""
        if not report.events:
            return
        if self._task is None or self._count + len(report.events) > self._most:
            self.refused += len(report.events)
            raise ReportsBacklog
        waiting = _Waiting(report, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._count += len(report.events)
        self._wanted.set()
        # Whoever asked may go away; the report is written nevertheless.
        await asyncio.shield(waiting.written)

    async def _run(self) -> None:
        while self._queue or not self._closing:
            await self._wanted.wait()
            if self._count < AT_ONCE and not self._closing:
                await asyncio.sleep(self._gather)
            await self._write(self._next())
            if not self._queue:
                self._wanted.clear()

    def _next(self) -> list[_Waiting]:
        """The oldest that wait, as many as go into one transaction."""
        taken = events = 0
        for one in self._queue:
            if taken and events + len(one.report.events) > AT_ONCE:
                break
            taken += 1
            events += len(one.report.events)
        batch, self._queue = self._queue[:taken], self._queue[taken:]
        return batch

    async def _write(self, batch: list[_Waiting]) -> None:
        events = sum(len(one.report.events) for one in batch)
        try:
            async with self._db.write() as conn:
                await rows.add(conn, [one.report for one in batch])
        except StreamhostError as error:
            _logger.warning(
                "Reports of players were not written", action="reports_failed", events=events, why=str(error)
            )
            _settle(batch, error)
        except Exception:
            _logger.exception("Reports of players were not written", action="reports_failed", events=events)
            _settle(batch, ReportsBacklog())
        else:
            self.taken += events
            _settle(batch, None)
        finally:
            self._count -= events


def _settle(batch: list[_Waiting], error: StreamhostError | None) -> None:
    for one in batch:
        if one.written.done():
            continue
        if error is None:
            one.written.set_result(None)
        else:
            one.written.set_exception(error)
            one.written.exception()  # looked at, should nobody wait any more
