"""Notices on their way to other people's servers: tried again for about a day, then kept as dead letters.

A server that does not answer rests: what else waits for it is not tried until somebody has got through, so that one
that hangs costs one attempt now and then and not one for each notice.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from streamhost import log
from streamhost.db import deliveries as rows
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.errors import ChannelGone, DeliveryExpired, NotifierFailed
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, HOUR, MINUTE, Clock, Timestamp
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import DeliveryId, new_id
from streamhost.model.notices import Delivery, DeliveryState, Notice
from streamhost.model.tasks import DeliverNotice
from streamhost.ports import Notifier, NotifyUnavailable

WAITS = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
"""Seconds between the attempts, as the Standard Webhooks specification proposes: 27.6 hours together."""
JITTER = 0.2
"""Waits are longer by up to this share, so that what failed together does not come back together."""
PATIENCE = DAY * 1.5
"""A notice that has waited for longer is not news any more."""
REST = (5.0, 30.0, 2 * MINUTE, 5 * MINUTE)
"""For how long a server that fails is left alone, by failures in a row."""
LONGEST_WAIT = DAY
"""How long a server that asks for patience is given."""
SEND_SECONDS = 60.0
"""How long a notifier may take for one notice."""
DETAIL_LENGTH = 500

_logger = log.get("notifications")

FindsNotifier = Callable[[Connection, str], Awaitable[Notifier]]
"""The notifier for a target that is not a plain channel. Raises `StreamhostError` if nothing may be sent to it."""
Outcome = Callable[[Connection, Delivery, StreamhostError | None, bool], Awaitable[None]]
"""Told in the transaction that notes how an attempt ended: with what error (None: it arrived), and whether for good."""


@dataclass(slots=True)
class _Rest:
    failures: int
    until: Timestamp


class Outgoing:
    """Puts notices on their way, and keeps at it."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        notifiers: Mapping[str, Notifier],
        finds: FindsNotifier,
        outcome: Outcome,
    ) -> None:
        """`notifiers` by channel; `finds` for targets whose channel is not among them."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._notifiers = notifiers
        self._finds = finds
        self._outcome = outcome
        self._rests: dict[str, _Rest] = {}

    async def add(self, conn: Connection, target: str, notice: Notice) -> None:
        """Put a notice on its way in the caller's transaction."""
        now = self._clock()
        delivery = Delivery(DeliveryId(new_id()), target, notice, now, now, next_at=now)
        await rows.insert(conn, delivery)
        await self._queue_up(conn, delivery, 0.0)

    async def add_dead(self, conn: Connection, target: str, notice: Notice, error: StreamhostError) -> None:
        """Keep a notice that is not even tried, so that it can be delivered later by hand."""
        now, words = self._clock(), _words(error)
        await rows.insert(
            conn,
            Delivery(
                DeliveryId(new_id()),
                target,
                notice,
                now,
                now,
                DeliveryState.DEAD,
                ended_at=now,
                error_code=error.code,
                error_detail=words,
            ),
        )

    async def again(self, conn: Connection, delivery_id: DeliveryId, target: str) -> None:
        """Deliver once more what has ended, with all attempts. Raises `NotFound`."""
        delivery = await rows.get(conn, delivery_id)
        if delivery is None or delivery.target != target:
            raise NotFound("There is no such delivery.")
        if await rows.requeue(conn, delivery_id, self._clock()):
            await self._queue_up(conn, delivery, 0.0)
            self._rests.pop(line_of(target), None)

    async def deliver(self, task: DeliverNotice, job: JobContext) -> None:
        """The job: one attempt, and what follows from it."""
        async with self._db.read() as conn:
            delivery = await rows.get(conn, task.delivery_id)
            if delivery is None or delivery.state is not DeliveryState.WAITING:
                return
            refusal: StreamhostError | None = None
            notifier: Notifier | None = None
            try:
                notifier = await self._notifier(conn, delivery.target)
            except StreamhostError as error:
                refusal = error
        if notifier is None:
            await self._note(delivery, refusal or ChannelGone(), job, for_good=True)
            return
        rest = self._rests.get(line_of(delivery.target))
        if rest is not None and self._clock() < rest.until:
            await self._postpone(delivery, rest.until, job)
            return
        trouble = await self._attempt(notifier, delivery.notice)
        self._mind(line_of(delivery.target), trouble)
        await self._note(delivery, trouble, job, for_good=trouble is not None and trouble.permanent)

    async def _attempt(self, notifier: Notifier, notice: Notice) -> StreamhostError | None:
        """What went wrong; None: it arrived. A notifier that breaks its contract is no reason to give up at once."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await notifier.send(notice)
        except StreamhostError as error:
            return error
        except TimeoutError:
            return NotifyUnavailable(f"It took longer than {SEND_SECONDS:g} seconds.")
        except Exception as error:
            _logger.exception("A notifier failed", action="notifier_failed", kind=notice.kind)
            return NotifierFailed(f"{type(error).__name__}.")
        return None

    def _mind(self, line: str, error: StreamhostError | None) -> None:
        """Let a server that fails rest."""
        if error is None or error.permanent:
            self._rests.pop(line, None)
            return
        failures = self._rests[line].failures + 1 if line in self._rests else 1
        self._rests[line] = _Rest(failures, self._clock() + REST[min(failures, len(REST)) - 1])

    async def _note(
        self, delivery: Delivery, error: StreamhostError | None, job: JobContext, *, for_good: bool
    ) -> None:
        """Write down how an attempt ended, and put the next one into the queue."""
        now = self._clock()
        tried = delivery.attempts + 1
        over = for_good or tried > len(WAITS) or now - delivery.queued_at > PATIENCE
        async with self._db.write() as conn:
            if error is None:
                noted = await rows.delivered(conn, delivery.id, now)
            elif over:
                noted = await rows.give_up(conn, delivery.id, now, error.code, _words(error), tried=True)
            else:
                wait = self._wait(tried, error)
                noted = await rows.failed(conn, delivery.id, now + wait, error.code, _words(error))
                if noted:
                    await self._queue_up(conn, delivery, wait)
            if noted:
                await self._outcome(conn, delivery, error, over)
            await job.complete(conn)
        if error is not None:
            _logger.warning(
                "A notice was not delivered",
                action="delivery_failed",
                target=delivery.target,
                code=error.code,
                for_good=over,
            )

    async def _postpone(self, delivery: Delivery, until: Timestamp, job: JobContext) -> None:
        now = self._clock()
        wait = until - now + random.uniform(0.0, REST[0])
        async with self._db.write() as conn:
            if now - delivery.queued_at > PATIENCE:
                error = DeliveryExpired()
                if await rows.give_up(conn, delivery.id, now, error.code, _words(error), tried=False):
                    await self._outcome(conn, delivery, error, True)
            elif await rows.postponed(conn, delivery.id, now + wait):
                await self._queue_up(conn, delivery, wait)
            await job.complete(conn)

    async def _notifier(self, conn: Connection, target: str) -> Notifier:
        channel = target.partition(":")[0]
        return self._notifiers[channel] if channel in self._notifiers else await self._finds(conn, target)

    async def _queue_up(self, conn: Connection, delivery: Delivery, delay: float) -> None:
        """One at a time for each server: one that hangs takes one place."""
        await self._queue.add(
            conn,
            DeliverNotice(delivery.id),
            lock=f"deliver:{line_of(delivery.target)}",
            subject=f"delivery:{delivery.id}",
            delay=delay,
        )

    def _wait(self, tried: int, error: StreamhostError) -> float:
        wait = WAITS[tried - 1] * (1 + random.uniform(0.0, JITTER))
        asked = getattr(error, "retry_after", None)
        # Notifiers of plugins may ask for anything, even for what is no number.
        return max(wait, min(asked, LONGEST_WAIT)) if isinstance(asked, int | float) and asked > 0 else wait


def line_of(target: str) -> str:
    """What deliveries share that go to the same server: the webhook, or the channel."""
    channel = target.partition(":")[0]
    return target if channel == "webhook" else channel


def _words(error: StreamhostError) -> str:
    return error.words()[:DETAIL_LENGTH]
