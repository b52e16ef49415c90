"""People: users, their roles, their sessions."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import InvitationId, SessionId, TokenId, UserId


class Role(StrEnum):
    """What a user may do; each role includes the ones before it."""

    VIEWER = "viewer"
    CREATOR = "creator"
    MODERATOR = "moderator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do everything that `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Scope(StrEnum):
    """What an API token may be used for. None includes another; nothing else about the account is open to tokens."""

    READ = "read"
    """Look at what its owner may see."""
    UPLOAD = "upload"
    """Send files."""
    MANAGE = "manage"
    """Change and delete what is its owner's."""
    ADMIN = "admin"
    """Whatever else its owner may do as a moderator or admin."""


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UserId
    email: str
    name: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: Timestamp
    email_verified_at: Timestamp | None = None
    disabled_at: Timestamp | None = None

    @property
    def active(self) -> bool:
        """Whether this account may sign in at all."""
        return self.disabled_at is None

    def is_at_least(self, role: Role) -> bool:
        """Whether the user's role includes `role`."""
        return self.role.includes(role)


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in device. Access tokens, refresh tokens, page cookies and playback grants all hang on one."""

    id: SessionId
    user_id: UserId
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp
    device: str
    address: str
    revoked_at: Timestamp | None = None

    def alive(self, now: Timestamp) -> bool:
        """Whether the session may still be used at `now`."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A key for a script, good for some things until it expires (None: never) or is revoked."""

    id: TokenId
    user_id: UserId
    name: str
    scopes: frozenset[Scope]
    created_at: Timestamp
    expires_at: Timestamp | None = None
    last_used_at: Timestamp | None = None
    revoked_at: Timestamp | None = None

    def alive(self, now: Timestamp) -> bool:
        """Whether the token may still be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link by which somebody may register. With an `email` it is for that address alone."""

    id: InvitationId
    role: Role
    created_at: Timestamp
    expires_at: Timestamp
    most_uses: int = 1
    uses: int = 0
    email: str | None = None
    note: str = ""
    created_by: UserId | None = None
    revoked_at: Timestamp | None = None

    def open(self, now: Timestamp) -> bool:
        """Whether somebody may still come in by it at `now`."""
        return self.revoked_at is None and now < self.expires_at and self.uses < self.most_uses


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: a user in a session or by an API token, or nobody in particular.

    An API token counts as a session of its own: its id stands in `session_id`, so that grants hang on it, and `scopes`
    is what it may be used for (None: no token, everything)."""

    user: User | None = None
    session_id: SessionId | None = None
    scopes: frozenset[Scope] | None = None
    passes: tuple[str, ...] = field(default=(), repr=False)
    """What they showed to open videos that are not open to them otherwise, unchecked."""

    @property
    def id(self) -> UserId | None:
        """The user's id, None for an anonymous visitor."""
        return self.user.id if self.user else None

    def is_at_least(self, role: Role) -> bool:
        """Whether the one asking is signed in with a role that includes `role`.

        A token without the scope `admin` does not carry its owner's powers over what is others'."""
        if self.user is None or not self.user.is_at_least(role):
            return False
        return Role.CREATOR.includes(role) or self.may(Scope.ADMIN)

    def may(self, scope: Scope) -> bool:
        """Whether what the one asking came with is good for `scope`."""
        return self.scopes is None or scope in self.scopes


ANONYMOUS = Viewer()


def email_key(email: str) -> str:
    """The form in which two spellings of one address compare equal: NFKC, trimmed, lower case, the domain as A-labels
    (RFC 5890, 2.3.2.1), which is how it is stored. Whatever is no address is compared as it stands."""
    key = unicodedata.normalize("NFKC", email).strip().lower()
    local, at, domain = key.rpartition("@")
    with suppress(UnicodeError):
        return f"{local}@{domain.encode('idna').decode()}" if at else key
    return key
