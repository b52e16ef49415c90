"""People: users, their roles, their sessions."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import SessionId, UserId


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


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UserId
    email: str
    name: str
    role: Role
    password_hash: str
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
class Viewer:
    """Who is asking: a user in a session, or nobody in particular."""

    user: User | None = None
    session_id: SessionId | None = None

    @property
    def id(self) -> UserId | None:
        """The user's id, None for an anonymous visitor."""
        return self.user.id if self.user else None

    def is_at_least(self, role: Role) -> bool:
        """Whether the one asking is signed in with a role that includes `role`."""
        return self.user is not None and self.user.is_at_least(role)


ANONYMOUS = Viewer()


def email_key(email: str) -> str:
    """The form in which two spellings of one address compare equal: NFKC, trimmed, lower case."""
    return unicodedata.normalize("NFKC", email).strip().lower()
