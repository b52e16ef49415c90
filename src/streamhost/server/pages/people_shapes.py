"""Accounts, devices, tokens, invitations, letters and lines of the log as the pages show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from streamhost.features.quota import Usage
from streamhost.model.accounts import ApiToken, Invitation, Session, User
from streamhost.model.audit import AuditEntry
from streamhost.model.clock import Timestamp, iso
from streamhost.model.ids import SessionId
from streamhost.model.mail import Letter
from streamhost.server.pages.shapes import bytes_text, day_text

BROWSERS = (
    ("Firefox", r"Firefox/"),
    ("Edge", r"Edg/"),
    ("Opera", r"OPR/"),
    ("Chrome", r"Chrom(e|ium)/"),
    ("Safari", r"Safari/"),
)
"""In this order: most name others too, to be taken for them."""
SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone or iPad", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh"),
    ("Linux", r"Linux|X11"),
)
DEVICE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time for a `<time>` element: exact for scripts, in words for people."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class UserView:
    """An account for a template."""

    id: str
    name: str
    email: str
    role: str
    verified: bool
    active: bool
    created: Moment


@dataclass(frozen=True, slots=True)
class SessionView:
    """A device on which somebody is signed in."""

    id: str
    device: str
    address: str
    used: Moment
    created: Moment
    current: bool


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token, without its text."""

    id: str
    name: str
    scopes: str
    created: Moment
    expires: Moment | None
    used: Moment | None
    over: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation: for whom, how far it is used, and why it is over, if it is."""

    id: str
    title: str
    role: str
    note: str
    uses: str
    created: Moment
    expires: Moment
    open: bool
    over: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """A letter of the outbox and what the last attempt met with."""

    id: str
    title: str
    recipient: str
    created: Moment
    tried: Moment | None
    attempts: int
    trouble: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """A line of the audit log."""

    number: int
    title: str
    at: Moment
    actor: str
    actor_id: str | None
    subject: str
    subject_id: str | None
    address: str
    details: Mapping[str, str]


def moment(at: Timestamp) -> Moment:
    """A point in time."""
    return Moment(iso(at) or "", day_text(at))


def exact(at: Timestamp) -> Moment:
    """A point in time, to the second, in UTC."""
    text = iso(at) or ""
    return Moment(text, f"{text[:10]} {text[11:19]} UTC")


def _maybe(at: Timestamp | None) -> Moment | None:
    return None if at is None else moment(at)


def user_view(user: User) -> UserView:
    """An account."""
    return UserView(
        id=user.id,
        name=user.name,
        email=user.email,
        role=user.role.value,
        verified=user.email_verified_at is not None,
        active=user.active,
        created=moment(user.created_at),
    )


def session_view(session: Session, current: SessionId | None) -> SessionView:
    """A device; `current` is the session that looks."""
    return SessionView(
        id=session.id,
        device=device_text(session.device),
        address=session.address,
        used=moment(session.last_used_at),
        created=moment(session.created_at),
        current=session.id == current,
    )


def device_text(agent: str) -> str:
    """What a browser calls itself, in words: `Firefox on Linux`; of programs the beginning of their name."""
    browser = next((name for name, mark in BROWSERS if re.search(mark, agent)), None)
    system = next((name for name, mark in SYSTEMS if re.search(mark, agent)), None)
    if browser is None:
        return agent[:DEVICE_LENGTH].strip() or "Unknown device"
    return f"{browser} on {system}" if system else browser


def token_view(token: ApiToken, now: Timestamp) -> TokenView:
    """An API token at `now`."""
    return TokenView(
        id=token.id,
        name=token.name,
        scopes=", ".join(sorted(token.scopes)),
        created=moment(token.created_at),
        expires=_maybe(token.expires_at),
        used=_maybe(token.last_used_at),
        over=not token.alive(now),
    )


def invitation_view(invitation: Invitation, *, is_open: bool, now: Timestamp) -> InvitationView:
    """An invitation at `now`."""
    over = ""
    if not is_open:
        over = "Closed"
        if invitation.revoked_at is not None:
            over = "Taken back"
        elif invitation.uses >= invitation.most_uses:
            over = "Used"
        elif now >= invitation.expires_at:
            over = "Expired"
    return InvitationView(
        id=invitation.id,
        title=invitation.email or invitation.note or "Whoever has the link",
        role=invitation.role.value,
        note=invitation.note if invitation.email else "",
        uses=f"{invitation.uses} of {invitation.most_uses} used",
        created=moment(invitation.created_at),
        expires=moment(invitation.expires_at),
        open=is_open,
        over=over,
    )


def letter_view(letter: Letter) -> LetterView:
    """A letter."""
    return LetterView(
        id=letter.id,
        title=words(letter.kind.value),
        recipient=letter.recipient,
        created=moment(letter.created_at),
        tried=_maybe(letter.tried_at),
        attempts=letter.attempts,
        trouble=letter.error_detail or words(letter.error_code or ""),
    )


def entry_view(entry: AuditEntry) -> EntryView:
    """A line of the audit log."""
    return EntryView(
        number=entry.number,
        title=words(entry.act.value),
        at=exact(entry.at),
        actor=entry.actor.words,
        actor_id=entry.actor.id,
        subject=entry.subject,
        subject_id=entry.subject_id,
        address=entry.actor.address,
        details=entry.details,
    )


def words(code: str) -> str:
    """A code as words: `signed_in` becomes `Signed in`. What people know by other letters keeps them."""
    text = code.replace("_", " ").capitalize()
    return re.sub(r"\b[Ee]mail\b", lambda found: "E-mail" if found.group()[0] == "E" else "e-mail", text).replace(
        "Api ", "API "
    )


def usage_text(usage: Usage) -> str:
    """What somebody uses, and of how much."""
    used = bytes_text(usage.bytes)
    size = used if usage.max_bytes is None else f"{used} of {bytes_text(usage.max_bytes)}"
    videos = f"{usage.videos}" if usage.max_videos is None else f"{usage.videos} of {usage.max_videos}"
    trashed = (
        f"; of these {usage.trash_videos} in the trash, {bytes_text(usage.trash_bytes)}" if usage.trash_videos else ""
    )
    return f"{videos} video{'' if usage.videos == 1 and usage.max_videos is None else 's'}, {size}{trashed}"
