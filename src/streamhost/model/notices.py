"""Notices: what people, and programs that listen, are told of what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from streamhost.model.clock import Timestamp
from streamhost.model.ids import DeliveryId, NoticeId, UserId, WebhookId

IN_APP = "in_app"
"""The channel of the bell on every page."""
EMAIL = "email"
"""The channel of the mail room. Every other channel is a notifier that a plugin brings, under its name."""


class NoticeKind(StrEnum):
    """What a person can be told of."""

    VIDEO_PROCESSED = "video_processed"
    VIDEO_FAILED = "video_failed"
    VIDEO_PUBLISHED = "video_published"
    VIDEO_REPLACED = "video_replaced"
    REPLACEMENT_FAILED = "replacement_failed"
    REPLACEMENT_HELD = "replacement_held"
    VIDEO_TRASHED = "video_trashed"
    VIDEO_DELETED = "video_deleted"
    VIDEO_APPROVED = "video_approved"
    VIDEO_HELD = "video_held"
    VIDEO_REJECTED = "video_rejected"
    REVIEW_WAITING = "review_waiting"
    VIDEO_REPORTED = "video_reported"
    REPORT_ANSWERED = "report_answered"
    QUOTA_REACHED = "quota_reached"
    DISK_LOW = "disk_low"
    USER_REGISTERED = "user_registered"
    DEAD_LETTERS = "dead_letters"
    WEBHOOK_DISABLED = "webhook_disabled"
    TEST = "test"


class Urgency(StrEnum):
    """How much a notice wants to be seen now."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person a notice is for. `address` is where the channel reaches them, where it has asked them for that."""

    user_id: UserId
    name: str
    email: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that has happened, told to one recipient by one channel.

    `id` is the same at every attempt to deliver it, so that a recipient who gets it twice can tell. `kind` is one of
    `NoticeKind`, for programs one of the kinds of events. `title` and `text` are plain words on one line each, of users
    and media too: escape them. `path` is the page on this site that `action` leads to, `link` the same with the site's
    address; all three are empty where there is nothing to open. `data` is what a program wants to know, of JSON's own
    types. `recipient` is None where no person in particular is told."""

    id: NoticeId
    kind: str
    at: Timestamp
    title: str
    text: str = ""
    action: str = ""
    path: str = ""
    link: str = ""
    urgency: Urgency = Urgency.NORMAL
    recipient: Recipient | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice under the bell. `number` grows with every one, so that a listener can say which was the last it saw."""

    number: int
    notice: Notice
    read_at: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class AddressAsked:
    """What a channel must be told to reach somebody: the label of the field, a sentence below it, and the form that an
    answer has (a regular expression for the whole of it)."""

    label: str
    help: str
    pattern: str = r"\S{1,200}"


class DeliveryState(StrEnum):
    """What has become of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way by a channel that somebody else runs.

    `target`: `webhook:<id>`, or `<channel>:<user id>`. `queued_at` is when it was put on its way, the last time if it
    was tried anew; `next_at` when it is tried next; the error tells of the last attempt."""

    id: DeliveryId
    target: str
    notice: Notice
    queued_at: Timestamp
    created_at: Timestamp
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    next_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    error_code: str | None = None
    error_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of events as they happen.

    `kinds`: of which; none: of all. `old_until`: until when the secret before the present one signs too.
    `failing_since`: of the first failure after the last success. `disabled_at` with `disabled_because` while nothing is
    sent; the reason is a sentence."""

    id: WebhookId
    url: str
    created_at: Timestamp
    note: str = ""
    kinds: tuple[str, ...] = ()
    old_until: Timestamp | None = None
    failing_since: Timestamp | None = None
    delivered_at: Timestamp | None = None
    disabled_at: Timestamp | None = None
    disabled_because: str = ""

    @property
    def target(self) -> str:
        """What its deliveries say that they are for."""
        return f"webhook:{self.id}"

    def wants(self, kind: str) -> bool:
        """Whether it is told of events of this kind."""
        return not self.kinds or kind in self.kinds
