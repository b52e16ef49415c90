"""Webhooks: addresses that are told of events, their secrets, what became of each delivery, and delivering again.

They belong to the site, and administrators look after them: whoever may name an address for the server to post to can
try the server's network, so that right is not given to everybody who may upload.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamhost import log
from streamhost.db import audit
from streamhost.db import deliveries as delivery_rows
from streamhost.db import webhooks as rows
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.errors import TooManyWebhooks, WebhookOff
from streamhost.features.notifications.sealing import Sealer
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import DAY, HOUR, Clock, Timestamp
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.events import EVENTS
from streamhost.model.ids import DeliveryId, NoticeId, WebhookId, is_id, new_id
from streamhost.model.notices import Delivery, DeliveryState, Notice, NoticeKind, Webhook
from streamhost.notify.posting import Poster, PostFailed, PostForbidden
from streamhost.notify.webhook import Endpoint, EndpointGone, WebhookNotifier, new_secret
from streamhost.ports import Notifier

MOST = 50
NOTE_LENGTH = 200
LISTED = 100
REPLAYED = 10_000
"""How many deliveries one order to deliver again may concern."""
OVERLAP = DAY
"""How long the secret before the present one signs too."""
LONGEST_OVERLAP = 30 * DAY

_logger = log.get("notifications")

Again = Callable[[Connection, DeliveryId, str], Awaitable[None]]
Tells = Callable[[Connection, NoticeKind, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A webhook and its secret, which is shown only now."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """A webhook, and how many of its deliveries wait or are dead."""

    webhook: Webhook
    waiting: int
    dead: int


class Webhooks:
    """Looks after the endpoints. `again` puts a delivery back on its way, `tells` lets the administrators know."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        sealer: Sealer,
        poster: Poster,
        *,
        agent: str,
        patience: float,
        again: Again,
        tells: Tells,
    ) -> None:
        """`patience`: for how long an endpoint may fail before it is switched off, in seconds."""
        self._db = db
        self._clock = clock
        self._sealer = sealer
        self._poster = poster
        self._agent = agent
        self._patience = patience
        self._again = again
        self._tells = tells

    @staticmethod
    def kinds() -> list[str]:
        """Everything that a webhook can be told of."""
        return list(EVENTS)

    async def listed(self) -> list[WebhookStatus]:
        """All of them, oldest first."""
        async with self._db.read() as conn:
            webhooks = await rows.listed(conn)
            counts = await delivery_rows.counts(conn)
        return [_status(webhook, counts) for webhook in webhooks]

    async def get(self, webhook_id: WebhookId) -> WebhookStatus:
        """One of them. Raises `NotFound`."""
        async with self._db.read() as conn:
            return _status(await _known(conn, webhook_id), await delivery_rows.counts(conn))

    async def dead(self) -> int:
        """How many deliveries to webhooks lie with the dead letters."""
        return sum(status.dead for status in await self.listed())

    async def create(self, url: str, kinds: Sequence[str], note: str, by: Actor) -> NewSecret:
        """Add an endpoint. Raises `InvalidInput`, `TooManyWebhooks`."""
        webhook = Webhook(WebhookId(new_id()), url.strip(), self._clock(), note.strip(), tuple(dict.fromkeys(kinds)))
        await self._check(webhook)
        secret = new_secret()
        async with self._db.write() as conn:
            if len(await rows.listed(conn)) >= MOST:
                raise TooManyWebhooks(f"{MOST} are the most.")
            await rows.insert(conn, webhook, self._sealer.seal(_about(webhook.id), secret))
            await self._note(conn, Act.WEBHOOK_ADDED, by, webhook)
        return NewSecret(webhook, secret)

    async def change(
        self,
        webhook_id: WebhookId,
        by: Actor,
        *,
        url: str | None = None,
        kinds: Sequence[str] | None = None,
        note: str | None = None,
        enabled: bool | None = None,
    ) -> WebhookStatus:
        """Change what is not None; `enabled` switches it on or off. Raises `NotFound`, `InvalidInput`."""
        async with self._db.read() as conn:
            known = await _known(conn, webhook_id)
        wanted = replace(
            known,
            url=known.url if url is None else url.strip(),
            note=known.note if note is None else note.strip(),
            kinds=known.kinds if kinds is None else tuple(dict.fromkeys(kinds)),
        )
        await self._check(wanted)
        async with self._db.write() as conn:
            await _known(conn, webhook_id)
            await rows.change(conn, webhook_id, wanted.url, wanted.note, wanted.kinds)
            if enabled is True:
                await rows.enable(conn, webhook_id)
            elif enabled is False:
                await self._switch_off(conn, wanted, "An administrator switched it off.")
            await self._note(conn, Act.WEBHOOK_CHANGED, by, wanted)
        return await self.get(webhook_id)

    async def remove(self, webhook_id: WebhookId, by: Actor) -> None:
        """Remove it with everything that waits for it. Raises `NotFound`."""
        async with self._db.write() as conn:
            webhook = await _known(conn, webhook_id)
            await rows.delete(conn, webhook_id)
            await delivery_rows.delete_target(conn, webhook.target)
            await self._note(conn, Act.WEBHOOK_REMOVED, by, webhook)

    async def rotate(self, webhook_id: WebhookId, by: Actor, overlap: float = OVERLAP) -> NewSecret:
        """Put a new secret in force; the one before signs too for `overlap` seconds. Raises `NotFound`,
        `InvalidInput`."""
        if not 0 <= overlap <= LONGEST_OVERLAP:
            raise InvalidInput(fields={"hours": f"From 0 to {LONGEST_OVERLAP / HOUR:g}."})
        secret = new_secret()
        async with self._db.write() as conn:
            webhook = await _known(conn, webhook_id)
            sealed = self._sealer.seal(_about(webhook_id), secret)
            await rows.rotate(conn, webhook_id, sealed, self._clock() + overlap)
            await self._note(conn, Act.WEBHOOK_SECRET_REPLACED, by, webhook)
        async with self._db.read() as conn:
            return NewSecret(await _known(conn, webhook_id), secret)

    async def test(self, webhook_id: WebhookId) -> None:
        """Post a test event now; it is not tried again. Raises `NotFound`, or why it was not taken."""
        async with self._db.read() as conn:
            webhook = await _known(conn, webhook_id)
            notifier = await self._made(conn, webhook)
        data = {"webhook_id": webhook.id, "note": webhook.note}
        await notifier.send(Notice(NoticeId(new_id()), NoticeKind.TEST, self._clock(), "A test", data=data))

    async def deliveries(
        self, webhook_id: WebhookId, state: DeliveryState | None = None, limit: int = LISTED
    ) -> list[Delivery]:
        """What was sent to it, or is to be, newest first. Raises `NotFound`."""
        async with self._db.read() as conn:
            return await delivery_rows.listed(conn, (await _known(conn, webhook_id)).target, limit, state)

    async def replay(self, webhook_id: WebhookId, delivery_id: DeliveryId, by: Actor) -> None:
        """Deliver one once more, under its id of before. Raises `NotFound`, `WebhookOff`."""
        async with self._db.write() as conn:
            webhook = await _known(conn, webhook_id)
            _must_be_on(webhook)
            await self._again(conn, delivery_id, webhook.target)
            await self._note(conn, Act.WEBHOOK_REPLAYED, by, webhook)

    async def replay_since(
        self, webhook_id: WebhookId, since: Timestamp, by: Actor, *, everything: bool = False
    ) -> int:
        """Deliver what lies with the dead letters since a moment, or `everything` since then; how many.

        Oldest first. Raises `NotFound`, `WebhookOff`."""
        async with self._db.write() as conn:
            webhook = await _known(conn, webhook_id)
            _must_be_on(webhook)
            state = None if everything else DeliveryState.DEAD
            found = await delivery_rows.listed(conn, webhook.target, REPLAYED, state, since)
            over = [one for one in reversed(found) if one.state is not DeliveryState.WAITING]
            for delivery in over:
                await self._again(conn, delivery.id, webhook.target)
            await self._note(conn, Act.WEBHOOK_REPLAYED, by, webhook)
        return len(over)

    # For deliveries

    async def notifier(self, conn: Connection, target: str) -> Notifier:
        """What posts to a target. Raises `NotFound` for one that is gone, `WebhookOff`."""
        webhook = await _known(conn, WebhookId(target.removeprefix("webhook:")))
        _must_be_on(webhook)
        return await self._made(conn, webhook)

    async def ended(self, conn: Connection, delivery: Delivery, error: StreamhostError | None) -> bool:
        """An attempt ended: remember how the endpoint fares. Whether it is switched off now, because it has failed for
        too long or does not want to hear more."""
        webhook = await rows.get(conn, WebhookId(delivery.target.removeprefix("webhook:")))
        now = self._clock()
        if webhook is None or webhook.disabled_at is not None:
            return False
        if error is None:
            await rows.delivered(conn, webhook.id, now)
            return False
        await rows.failed(conn, webhook.id, now)
        since = webhook.failing_since if webhook.failing_since is not None else now
        if isinstance(error, EndpointGone):
            because = "It answered 410: it wants no more."
        elif now - since >= self._patience:
            because = f"It has failed for {self._patience / DAY:g} days. The last time: {error.words()}"
        else:
            return False
        await self._switch_off(conn, webhook, because)
        values = {"url": webhook.url, "reason": because, "webhook_id": webhook.id}
        await self._tells(conn, NoticeKind.WEBHOOK_DISABLED, values)
        _logger.error("A webhook was switched off", action="webhook_disabled", webhook=webhook.id, reason=because)
        return True

    async def _switch_off(self, conn: Connection, webhook: Webhook, because: str) -> None:
        """What still waits goes to the dead letters, from where it can be delivered later."""
        now = self._clock()
        if await rows.disable(conn, webhook.id, now, because):
            await delivery_rows.give_up_all(conn, webhook.target, now, WebhookOff.code, because)

    async def _made(self, conn: Connection, webhook: Webhook) -> WebhookNotifier:
        sealed = await rows.secrets(conn, webhook.id)
        if sealed is None:
            raise NotFound("There is no such webhook.")
        signing = [sealed.present]
        if sealed.old is not None and sealed.old_until is not None and self._clock() < sealed.old_until:
            signing.append(sealed.old)
        known = tuple(self._sealer.open(_about(webhook.id), text) for text in signing)
        return WebhookNotifier(Endpoint(webhook.url, known), self._poster, self._clock, self._agent)

    async def _check(self, webhook: Webhook) -> None:
        """Raise `InvalidInput` for what cannot be."""
        wrong: dict[str, str] = {}
        known = set(self.kinds())
        if unknown := [kind for kind in webhook.kinds if kind not in known]:
            wrong["kinds"] = f"There is no event {unknown[0]}."
        if len(webhook.note) > NOTE_LENGTH or not webhook.note.isprintable():
            wrong["note"] = f"One line of up to {NOTE_LENGTH} characters."
        try:
            await self._poster.check(webhook.url)
        except (ValueError, PostForbidden) as error:
            wrong["url"] = str(error)
        except PostFailed:
            # A name that has no address at the moment may have one later.
            _logger.info("The host of a webhook has no address now", action="webhook_unresolved", webhook=webhook.id)
        if wrong:
            raise InvalidInput(fields=wrong)

    async def _note(self, conn: Connection, act: Act, by: Actor, webhook: Webhook) -> None:
        details = {"webhook": webhook.id, "url": webhook.url}
        await audit.insert(conn, AuditEntry(self._clock(), act, by, details=details))


async def _known(conn: Connection, webhook_id: WebhookId) -> Webhook:
    webhook = await rows.get(conn, webhook_id) if is_id(webhook_id) else None
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def _must_be_on(webhook: Webhook) -> None:
    if webhook.disabled_at is not None:
        raise WebhookOff(webhook.disabled_because)


def _status(webhook: Webhook, counts: Mapping[str, Mapping[DeliveryState, int]]) -> WebhookStatus:
    of_this = counts.get(webhook.target, {})
    return WebhookStatus(webhook, of_this.get(DeliveryState.WAITING, 0), of_this.get(DeliveryState.DEAD, 0))


def _about(webhook_id: WebhookId) -> str:
    return f"streamhost webhook {webhook_id}"
