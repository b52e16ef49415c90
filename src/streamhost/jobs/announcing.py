"""Events: announced in the transaction of the change, told after it is on disk, to each subscriber by a job of its own.

So nothing that happened is lost, nothing is told that did not happen, and a subscriber that fails or takes its time
is tried again alone and holds up nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamhost.db.core import Connection, Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import MINUTE
from streamhost.model.errors import StreamhostError
from streamhost.model.events import Event, event_of
from streamhost.model.ids import JobId
from streamhost.model.tasks import AnnounceEvent, TellPlugin, TellSubscriber

Subscriber = Callable[[Event], Awaitable[None]]
"""Hears of every event, one at a time, each at least once; what it raises has it told again later."""

PATIENCE = 2 * MINUTE
"""Seconds that a subscriber may take for one event; longer work it puts into the queue."""


class SubscriberSlow(StreamhostError):
    """Whoever was told of an event did not take it in in time."""

    code = "subscriber_slow"
    hint = "Let it put longer work into the queue and return."


class SubscriberGone(StreamhostError):
    """Whoever was to be told of an event is not here any more."""

    code = "subscriber_gone"
    permanent = True
    hint = "Was a plugin removed or disabled? Install it again and retry the job, or let it be."


async def announce(conn: Connection, queue: Queue, event: Event) -> JobId | None:
    """Tell everybody of an event, once the caller's transaction is on disk."""
    return await queue.add(conn, AnnounceEvent(event.kind, event.payload()), subject=f"event:{event.id}")


@dataclass(frozen=True, slots=True)
class _Known:
    hear: Subscriber
    patience: float
    is_plugin: bool


class Announcing:
    """Knows who wants to hear of events, and tells them. Its methods are handlers of jobs."""

    def __init__(self, db: Database, queue: Queue) -> None:
        self._db = db
        self._queue = queue
        self._known: dict[str, _Known] = {}

    def subscribe(self, name: str, hear: Subscriber, *, patience: float = PATIENCE, is_plugin: bool = False) -> None:
        """Have `hear` called for every event from now on; `name` is its own, and stays the same for ever.

        Plugins are told by workers of their own, so that none of them takes the place of the house's work."""
        if name in self._known:
            raise ValueError(f"there is a subscriber {name} already")
        self._known[name] = _Known(hear, patience, is_plugin)

    @property
    def subscribers(self) -> tuple[str, ...]:
        """Who is told of events."""
        return tuple(self._known)

    async def announce(self, task: AnnounceEvent, job: JobContext) -> None:
        """Add a job for each subscriber: all of them or, killed before, none."""
        event_of(task.event_kind, task.event)
        async with self._db.write() as conn:
            for name, known in self._known.items():
                kind = TellPlugin if known.is_plugin else TellSubscriber
                told = kind(name, task.event_kind, task.event)
                # One at a time each: a slow one takes one place, and hears of things in order as long as it can.
                await self._queue.add(conn, told, lock=f"subscriber:{name}", subject=job.job.subject)
            await job.complete(conn)

    async def tell(self, task: TellSubscriber, _job: JobContext) -> None:
        """Tell one subscriber of one event. Raises `SubscriberGone`, `SubscriberSlow`, what the subscriber raises."""
        known = self._known.get(task.subscriber)
        if known is None:
            raise SubscriberGone(task.subscriber)
        event = event_of(task.event_kind, task.event)
        try:
            async with asyncio.timeout(known.patience) as limit:
                await known.hear(event)
        except TimeoutError as error:
            if limit.expired():
                raise SubscriberSlow(f"{task.subscriber}, {task.event_kind}: {known.patience:g} seconds.") from error
            raise
