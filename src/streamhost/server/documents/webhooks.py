"""Webhooks and their deliveries, as the API and the command line show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.features.notifications import WebhookStatus
from streamhost.model.clock import iso
from streamhost.model.notices import Delivery


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why a notice was not taken."""

    code: str
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookDocument:
    """An address that is told of events. `kinds`: of which; an empty list: of all. `old_secret_until`: until when the
    secret before the present one signs too."""

    id: str
    url: str
    note: str
    kinds: Sequence[str]
    enabled: bool
    disabled_because: str
    waiting: int
    dead: int
    created_at: str | None
    delivered_at: str | None
    failing_since: str | None
    disabled_at: str | None
    old_secret_until: str | None


@dataclass(frozen=True, slots=True)
class DeliveryDocument:
    """One event on its way to one webhook. `message` is its `webhook-id`; `next_at` is when it is tried next."""

    id: str
    message: str
    kind: str
    state: str
    attempts: int
    created_at: str | None
    next_at: str | None
    ended_at: str | None
    error: NotTaken | None


def webhook_document(status: WebhookStatus) -> WebhookDocument:
    """A webhook as the API shows it."""
    webhook = status.webhook
    return WebhookDocument(
        webhook.id,
        webhook.url,
        webhook.note,
        webhook.kinds,
        webhook.disabled_at is None,
        webhook.disabled_because,
        status.waiting,
        status.dead,
        iso(webhook.created_at),
        iso(webhook.delivered_at),
        iso(webhook.failing_since),
        iso(webhook.disabled_at),
        iso(webhook.old_until),
    )


def delivery_document(delivery: Delivery) -> DeliveryDocument:
    """A delivery as the API shows it."""
    error = NotTaken(delivery.error_code, delivery.error_detail or "") if delivery.error_code else None
    return DeliveryDocument(
        delivery.id,
        delivery.notice.id,
        delivery.notice.kind,
        delivery.state.value,
        delivery.attempts,
        iso(delivery.created_at),
        iso(delivery.next_at),
        iso(delivery.ended_at),
        error,
    )
