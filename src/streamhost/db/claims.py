"""Rows of `claims`: registrations with an address that had an account already.

Whoever registers learns nothing; but whoever then signs in would, if the password that was just chosen were refused
as wrong where a new account says that its address is not verified. So a mark of that password is kept.
"""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.ids import UserId

KEPT = 64
"""Claims of one address; the oldest is forgotten for the next. More than one network can make in half an hour."""


async def insert(conn: Connection, user_id: UserId, mark: str) -> None:
    """Add a claim to the address of a user."""
    await conn.execute("INSERT INTO claims (user_id, mark) VALUES (:id, :mark)", {"id": user_id, "mark": mark})
    await conn.execute(
        "DELETE FROM claims WHERE user_id = :id AND number NOT IN "
        "(SELECT number FROM claims WHERE user_id = :id ORDER BY number DESC LIMIT :kept)",
        {"id": user_id, "kept": KEPT},
    )


async def exists(conn: Connection, user_id: UserId, mark: str) -> bool:
    """Whether somebody has claimed a user's address with a password of this mark."""
    row = await conn.fetch_one(
        "SELECT 1 AS found FROM claims WHERE user_id = :id AND mark = :mark LIMIT 1", {"id": user_id, "mark": mark}
    )
    return row is not None


async def delete_of(conn: Connection, user_id: UserId) -> None:
    """Forget every claim to a user's address."""
    await conn.execute("DELETE FROM claims WHERE user_id = :id", {"id": user_id})
