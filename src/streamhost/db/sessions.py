"""Rows of `sessions` and `refresh_tokens`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamhost.db import users
from streamhost.db.core import Connection
from streamhost.model.accounts import Session, User
from streamhost.model.clock import Timestamp
from streamhost.model.ids import SessionId, UserId

_COLUMNS = ("id", "user_id", "created_at", "last_used_at", "expires_at", "device", "address", "revoked_at")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM sessions"
_INSERT = f"INSERT INTO sessions ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)})"
_BOTH = [f"sessions.{name} AS session_{name}" for name in _COLUMNS] + [f"users.{name}" for name in users.COLUMNS]
_WITH_USER = f"""
SELECT {", ".join(_BOTH)}
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = :id
"""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as the catalog keeps it: by its SHA-256, never itself."""

    digest: str
    session_id: SessionId
    created_at: Timestamp
    expires_at: Timestamp
    used_at: Timestamp | None = None


def _session(row: Mapping[str, Any], prefix: str = "") -> Session:
    return Session(**{name: row[prefix + name] for name in _COLUMNS})


async def insert(conn: Connection, session: Session) -> None:
    """Add a session."""
    await conn.execute(_INSERT, {name: getattr(session, name) for name in _COLUMNS})


async def get_with_user(conn: Connection, session_id: SessionId) -> tuple[Session, User] | None:
    """A session and whose it is."""
    row = await conn.fetch_one(_WITH_USER, {"id": session_id})
    return (_session(row, "session_"), users.user_of(row)) if row else None


async def alive_of(conn: Connection, user_id: UserId, now: Timestamp) -> list[Session]:
    """The sessions of a user that can still be used, the latest used first."""
    rows = await conn.fetch_all(
        f"{_SELECT} WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now "
        "ORDER BY last_used_at DESC, id",
        {"user_id": user_id, "now": now},
    )
    return [_session(row) for row in rows]


async def addresses_of(conn: Connection, user_id: UserId) -> list[str]:
    """The network addresses from which a user has signed in, as far back as sessions are kept."""
    rows = await conn.fetch_all("SELECT DISTINCT address FROM sessions WHERE user_id = :id", {"id": user_id})
    return [str(row["address"]) for row in rows]


async def touch(conn: Connection, session_id: SessionId, now: Timestamp, expires_at: Timestamp) -> None:
    """Note that a session was used, which lengthens it; one that has been revoked stays as it is."""
    await conn.execute(
        "UPDATE sessions SET last_used_at = :now, expires_at = :expires_at WHERE id = :id AND revoked_at IS NULL",
        {"id": session_id, "now": now, "expires_at": expires_at},
    )


async def revoke(conn: Connection, session_id: SessionId, now: Timestamp) -> bool:
    """End a session; False when it had ended before."""
    changed = await conn.execute(
        "UPDATE sessions SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", {"id": session_id, "now": now}
    )
    return changed == 1


async def revoke_all(conn: Connection, user_id: UserId, now: Timestamp) -> int:
    """End every session of a user; returns how many ended."""
    return await conn.execute(
        "UPDATE sessions SET revoked_at = :now WHERE user_id = :id AND revoked_at IS NULL", {"id": user_id, "now": now}
    )


async def revoke_others(conn: Connection, user_id: UserId, kept: SessionId, now: Timestamp) -> list[SessionId]:
    """End every session of a user but one; the ids of those that ended."""
    rows = await conn.fetch_all(
        "UPDATE sessions SET revoked_at = :now WHERE user_id = :id AND id <> :kept AND revoked_at IS NULL RETURNING id",
        {"id": user_id, "kept": kept, "now": now},
    )
    return [SessionId(row["id"]) for row in rows]


async def ended_at(conn: Connection, user_id: UserId, moment: Timestamp) -> list[SessionId]:
    """The sessions of a user that were ended at exactly this moment, by one act."""
    rows = await conn.fetch_all(
        "SELECT id FROM sessions WHERE user_id = :id AND revoked_at = :moment", {"id": user_id, "moment": moment}
    )
    return [SessionId(row["id"]) for row in rows]


async def insert_refresh(conn: Connection, token: RefreshToken) -> None:
    """Add a refresh token."""
    await conn.execute(
        "INSERT INTO refresh_tokens (digest, session_id, created_at, expires_at, used_at) "
        "VALUES (:digest, :session_id, :created_at, :expires_at, :used_at)",
        {
            "digest": token.digest,
            "session_id": token.session_id,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "used_at": token.used_at,
        },
    )


async def get_refresh(conn: Connection, digest: str) -> RefreshToken | None:
    """The refresh token with this digest, used ones included."""
    row = await conn.fetch_one(
        "SELECT digest, session_id, created_at, expires_at, used_at FROM refresh_tokens WHERE digest = :digest",
        {"digest": digest},
    )
    return RefreshToken(**row) if row else None


async def use_refresh(conn: Connection, digest: str, now: Timestamp) -> bool:
    """Spend a refresh token; False when it was spent before."""
    changed = await conn.execute(
        "UPDATE refresh_tokens SET used_at = :now WHERE digest = :digest AND used_at IS NULL",
        {"digest": digest, "now": now},
    )
    return changed == 1


async def delete_expired_refresh(conn: Connection, now: Timestamp) -> int:
    """Forget refresh tokens that are past their own time, which none is taken after; returns how many. A session that
    is in use every day leaves a hundred of them a day."""
    return await conn.execute("DELETE FROM refresh_tokens WHERE expires_at < :now", {"now": now})


async def delete_ended(conn: Connection, before: Timestamp) -> int:
    """Forget sessions (with their refresh tokens) that expired or were revoked before `before`; returns how many."""
    return await conn.execute(
        "DELETE FROM sessions WHERE expires_at < :before OR revoked_at < :before", {"before": before}
    )
