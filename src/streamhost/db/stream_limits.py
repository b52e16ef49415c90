"""Rows of `stream_limits`: how many videos some users may play at the same time."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.ids import UserId


async def every(conn: Connection) -> dict[UserId, int]:
    """The limits of all users who have one of their own; 0: none."""
    rows = await conn.fetch_all("SELECT user_id, most FROM stream_limits", {})
    return {UserId(row["user_id"]): int(row["most"]) for row in rows}


async def put(conn: Connection, user_id: UserId, most: int | None) -> None:
    """Give a user a limit of their own, None takes it away."""
    if most is None:
        await conn.execute("DELETE FROM stream_limits WHERE user_id = :id", {"id": user_id})
        return
    await conn.execute(
        "INSERT INTO stream_limits (user_id, most) VALUES (:id, :most) "
        "ON CONFLICT (user_id) DO UPDATE SET most = excluded.most",
        {"id": user_id, "most": most},
    )
