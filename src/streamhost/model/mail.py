"""Mail: what it is about, what becomes of it, and the message that a mail server is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import MailId


class MailKind(StrEnum):
    """What a mail is about."""

    VERIFY_EMAIL = "verify_email"
    ADDRESS_TAKEN = "address_taken"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # the name of a mail
    CHANGE_EMAIL = "change_email"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of a mail
    INVITATION = "invitation"
    NEW_SIGN_IN = "new_sign_in"
    NOTICE = "notice"
    """What is written elsewhere in the house and only delivered by the mail room."""
    TEST = "test"


class MailState(StrEnum):
    """What has become of a mail."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail in the outbox. `details` is what its text is made of, empty once it has been sent.

    `tried_at` and the error tell of the last attempt; `ended_at` is when it was sent or given up."""

    id: MailId
    kind: MailKind
    recipient: str
    created_at: Timestamp
    details: Mapping[str, str] = field(default_factory=dict, repr=False)
    state: MailState = MailState.QUEUED
    attempts: int = 0
    tried_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    error_code: str | None = None
    error_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A mail ready to be handed over: one recipient, the same words as plain text and as HTML.

    `id` names the message for ever: one that is sent twice because nobody knows whether it arrived has the same."""

    id: str
    recipient: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    unsubscribe: str = field(default="", repr=False)
    """The link that ends such mail at once when it is posted to (RFC 8058); empty for mail that cannot be ended."""
