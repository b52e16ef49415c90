"""The room of notifications: hears of every event, decides who is told by which channel, and keeps at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamhost.db import alarms, users
from streamhost.db import deliveries as delivery_rows
from streamhost.db import notices as rows
from streamhost.db import webhooks as webhook_rows
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.email import EmailNotifier, Posts
from streamhost.features.notifications.errors import ChannelGone, WebhookOff
from streamhost.features.notifications.in_app import InAppNotifier
from streamhost.features.notifications.kinds import KINDS, ROLES, Kind, kinds_of
from streamhost.features.notifications.outgoing import Outgoing
from streamhost.features.notifications.preferences import Preferences
from streamhost.features.notifications.sealing import Sealer
from streamhost.features.notifications.unsubscribing import Unsubscribing
from streamhost.features.notifications.webhooks import Webhooks
from streamhost.features.notifications.words import data_of, values_of, words_of
from streamhost.features.notifications.writing import NoticeWriter
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import User
from streamhost.model.branding import Brand
from streamhost.model.clock import DAY, Clock, Timestamp
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.events import Event
from streamhost.model.ids import DeliveryId, NoticeId, UserId, WebhookId, new_id
from streamhost.model.notices import EMAIL, IN_APP, Delivery, DeliveryState, Notice, NoticeKind, Recipient
from streamhost.model.tasks import Job, SweepNotices
from streamhost.notify.posting import Poster
from streamhost.ports import Notifier

DELIVERED_KEPT = 7 * DAY
"""How long a delivery that has arrived can be looked up, and delivered once more."""
DEAD_KEPT = 30 * DAY
EVENTS_KEPT = 7 * DAY
"""Longer than any event is told again."""
DEAD_LETTERS = "dead_letters"
"""Name of the alarm."""
QUIET = DAY
"""For how long administrators who were told of dead letters are not told of others."""


@dataclass(frozen=True, slots=True)
class Site:
    """What notices say of the site: how it presents itself, and its address without a slash at its end."""

    brand: Brand
    home: str
    templates: Path
    """Where its own templates of mails may lie."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How notices leave the house. `notifiers` are the channels that plugins bring, by name."""

    posts: Posts
    poster: Poster
    agent: str
    mail_gap: float
    """Seconds between two mails of notices to one person."""
    patience: float
    """For how long a webhook may fail before it is switched off, in seconds."""
    kept: float
    """For how long notices stay under the bell, in seconds."""
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    site_kinds: tuple[str, ...] = ()
    """What channels that reach nobody in particular, such as a chat room, are told of."""


class Notifications:
    """Tells people and programs what has happened. What they see and choose is done by its parts."""

    def __init__(
        self, db: Database, queue: Queue, clock: Clock, site: Site, ways: Ways, sealer: Sealer, leaving_key: bytes
    ) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._site = site
        self._ways = ways
        self._rooms = tuple(name for name, one in ways.notifiers.items() if one.asks is None)
        self.unsubscribing = Unsubscribing(leaving_key, site.home)
        self.bell = InAppNotifier(db, clock)
        """What everybody has under their bell."""
        writer = NoticeWriter(site.brand, site.home, site.templates)
        self.email = EmailNotifier(db, queue, clock, ways.mail_gap, writer, self.unsubscribing, ways.posts)
        self.preferences = Preferences(db, ways.notifiers)
        self.webhooks = Webhooks(
            db,
            clock,
            sealer,
            ways.poster,
            agent=ways.agent,
            patience=ways.patience,
            again=lambda conn, delivery, target: self.outgoing.again(conn, delivery, target),
            tells=self.tell,
        )
        self.outgoing = Outgoing(db, queue, clock, ways.notifiers, self._finds, self._ended)

    async def hear(self, event: Event) -> None:
        """Tell everybody whom an event concerns; told twice, it is told on once."""
        async with self._db.write() as conn:
            if not await rows.hear(conn, event.id, self._clock()):
                return
            data = data_of(event)
            for name in kinds_of(event.kind):
                values = await values_of(conn, event, self._site.brand.name)
                for user in await self._audience(conn, KINDS[name], data):
                    await self._tell(conn, user, self._notice(name, event.at, values, data))
            await self._tell_rooms(conn, event, data)
            await self._tell_webhooks(conn, event, data)

    async def tell(self, conn: Connection, name: NoticeKind, values: Mapping[str, Any]) -> None:
        """Tell those who look after the site of something that is no event, in the caller's transaction."""
        for user in await users.with_roles(conn, ROLES[KINDS[name].audience]):
            await self._tell(conn, user, self._notice(name, self._clock(), values, values))

    async def dead_letter(self, conn: Connection, what: str, path: str) -> None:
        """Tell the administrators, once a day at most, that something could not be delivered."""
        if await alarms.raise_again(conn, DEAD_LETTERS, self._clock(), QUIET):
            await self.tell(conn, NoticeKind.DEAD_LETTERS, {"detail": what, "path": path})

    async def test(self, user: User, channel: str) -> None:
        """Send somebody a notice by one channel, to see whether it arrives. Raises `InvalidInput`, or why it was not
        taken."""
        if channel not in self.preferences.channels:
            raise InvalidInput(fields={"channel": "There is no such channel."})
        notifier: Notifier = self._ways.notifiers.get(channel) or (self.bell if channel == IN_APP else self.email)
        address = await self.preferences.address(user.id, channel)
        if notifier.asks is not None and not address:
            raise InvalidInput(fields={f"addresses.{channel}": notifier.asks.help})
        words = words_of("A test from {site}", {"site": self._site.brand.name})
        text = "This was asked for to see whether notices arrive this way. They do."
        link = f"{self._site.home}/account/notifications"
        notice = Notice(
            NoticeId(new_id()),
            NoticeKind.TEST,
            self._clock(),
            words,
            text,
            "What you are told of",
            "/account/notifications",
            link,
            recipient=Recipient(user.id, user.name, user.email, address),
        )
        await notifier.send(notice)

    async def sweep(self, _task: SweepNotices, job: JobContext) -> None:
        """The job: forget what is past its time."""
        now = self._clock()
        async with self._db.write() as conn:
            await rows.prune(conn, now - self._ways.kept)
            await rows.forget_events(conn, now - EVENTS_KEPT)
            await delivery_rows.prune(conn, DeliveryState.DELIVERED, now - DELIVERED_KEPT)
            await delivery_rows.prune(conn, DeliveryState.DEAD, now - DEAD_KEPT)
            await job.complete(conn)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A job that delivers died again and again, or was cancelled: the delivery goes to the dead letters."""
        delivery = await delivery_rows.get(conn, DeliveryId(job.payload["delivery_id"]))
        if delivery is not None and await delivery_rows.give_up(
            conn, delivery.id, self._clock(), error.code, error.words(), tried=False
        ):
            await self._ended(conn, delivery, error, True)

    async def _audience(self, conn: Connection, kind: Kind, data: Mapping[str, Any]) -> list[User]:
        if kind.audience in ROLES:
            return await users.with_roles(conn, ROLES[kind.audience])
        owner = UserId(str(data.get("owner_id") or data.get("user_id") or ""))
        if kind.by_others and data.get("by") in (None, owner):
            return []
        found = await users.get(conn, owner)
        return [found] if found is not None and found.active else []

    async def _tell(self, conn: Connection, user: User, notice: Notice) -> None:
        """Tell one person by every channel that they want."""
        for channel, address in (await self.preferences.ways(conn, user.id, NoticeKind(notice.kind))).items():
            told = _for(notice, Recipient(user.id, user.name, user.email, address))
            if channel == IN_APP:
                await self.bell.add(conn, user.id, told)
            elif channel == EMAIL:
                if user.email_verified_at is not None:
                    await self.email.add(conn, user.id, told)
            else:
                await self.outgoing.add(conn, f"{channel}:{user.id}", told)

    async def _tell_rooms(self, conn: Connection, event: Event, data: Mapping[str, Any]) -> None:
        """Tell the channels that reach nobody in particular."""
        if event.kind not in self._ways.site_kinds or event.kind not in KINDS:
            return
        values = await values_of(conn, event, self._site.brand.name)
        for channel in self._rooms:
            notice = self._notice(NoticeKind(event.kind), event.at, values, data)
            await self.outgoing.add(conn, f"{channel}:", notice)

    async def _tell_webhooks(self, conn: Connection, event: Event, data: Mapping[str, Any]) -> None:
        for webhook in await webhook_rows.listed(conn):
            if not webhook.wants(event.kind):
                continue
            notice = Notice(NoticeId(new_id()), event.kind, event.at, event.kind, data=data)
            if webhook.disabled_at is None:
                await self.outgoing.add(conn, webhook.target, notice)
            else:
                await self.outgoing.add_dead(conn, webhook.target, notice, WebhookOff(webhook.disabled_because))

    def _notice(self, name: NoticeKind, at: Timestamp, values: Mapping[str, Any], data: Mapping[str, Any]) -> Notice:
        kind = KINDS[name]
        path = words_of(kind.path, values)
        return Notice(
            NoticeId(new_id()),
            name,
            at,
            words_of(kind.title, values),
            words_of(kind.text, values),
            kind.action if path else "",
            path,
            self._site.home + path if path else "",
            kind.urgency,
            data=data,
        )

    async def _finds(self, conn: Connection, target: str) -> Notifier:
        if target.startswith("webhook:"):
            return await self.webhooks.notifier(conn, target)
        raise ChannelGone(target.partition(":")[0])

    async def _ended(self, conn: Connection, delivery: Delivery, error: StreamhostError | None, for_good: bool) -> None:
        """An attempt to deliver ended."""
        is_webhook = delivery.target.startswith("webhook:")
        told = is_webhook and await self.webhooks.ended(conn, delivery, error)
        if error is None or not for_good or told or error.code == WebhookOff.code:
            return
        webhook_id = WebhookId(delivery.target.partition(":")[2])
        path = f"/admin/webhooks/{webhook_id}" if is_webhook else ""
        where = "A webhook" if is_webhook else f"A notice by {delivery.target.partition(':')[0]}"
        await self.dead_letter(conn, f"{where} was given up: {error.words()}", path)


def _for(notice: Notice, recipient: Recipient) -> Notice:
    """The same for somebody: with a name of its own, since its way is its own."""
    return replace(notice, id=NoticeId(new_id()), recipient=recipient)
