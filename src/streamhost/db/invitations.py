"""Rows of `invitations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.accounts import Invitation, Role
from streamhost.model.clock import Timestamp
from streamhost.model.ids import InvitationId, UserId

_COLUMNS = (
    "id",
    "role",
    "email",
    "note",
    "most_uses",
    "uses",
    "created_by",
    "created_at",
    "expires_at",
    "revoked_at",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM invitations"


def _invitation(row: Mapping[str, Any]) -> Invitation:
    return Invitation(**{name: row[name] for name in _COLUMNS} | {"role": Role(row["role"])})


async def insert(conn: Connection, invitation: Invitation, digest: str) -> None:
    """Add an invitation; `digest` is the SHA-256 of its token."""
    values = {name: getattr(invitation, name) for name in _COLUMNS}
    values |= {"role": invitation.role.value, "digest": digest}
    names = (*_COLUMNS, "digest")
    await conn.execute(
        f"INSERT INTO invitations ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", values
    )


async def by_digest(conn: Connection, digest: str) -> Invitation | None:
    """The invitation whose token has this SHA-256."""
    row = await conn.fetch_one(f"{_SELECT} WHERE digest = :digest", {"digest": digest})
    return _invitation(row) if row else None


async def listed(conn: Connection, limit: int) -> list[Invitation]:
    """Invitations, newest first."""
    rows = await conn.fetch_all(f"{_SELECT} ORDER BY created_at DESC, id LIMIT :limit", {"limit": limit})
    return [_invitation(row) for row in rows]


async def get(conn: Connection, invitation_id: InvitationId) -> Invitation | None:
    """The invitation with this id."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": invitation_id})
    return _invitation(row) if row else None


async def use(conn: Connection, invitation_id: InvitationId, now: Timestamp) -> bool:
    """Count a use; False, and nothing changed, when it is used up, over or revoked."""
    changed = await conn.execute(
        "UPDATE invitations SET uses = uses + 1 "
        "WHERE id = :id AND uses < most_uses AND revoked_at IS NULL AND expires_at > :now",
        {"id": invitation_id, "now": now},
    )
    return changed == 1


async def revoke(conn: Connection, invitation_id: InvitationId, now: Timestamp) -> bool:
    """Take an invitation back; False when that was done before."""
    changed = await conn.execute(
        "UPDATE invitations SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL",
        {"id": invitation_id, "now": now},
    )
    return changed == 1


async def revoke_of(conn: Connection, user_id: UserId, now: Timestamp) -> list[InvitationId]:
    """Take back what one user has made and still works; the ids."""
    rows = await conn.fetch_all(
        "UPDATE invitations SET revoked_at = :now WHERE created_by = :id AND revoked_at IS NULL "
        "AND uses < most_uses AND expires_at > :now RETURNING id",
        {"id": user_id, "now": now},
    )
    return [InvitationId(row["id"]) for row in rows]


async def delete_ended(conn: Connection, before: Timestamp) -> int:
    """Forget invitations that were over before `before`; how many."""
    return await conn.execute("DELETE FROM invitations WHERE expires_at < :before", {"before": before})
