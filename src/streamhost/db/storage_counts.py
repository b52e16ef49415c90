"""The row of `storage_counts`: what was last counted of what is stored."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp


async def get(conn: Connection) -> tuple[Timestamp, str] | None:
    """When it was counted, and what was found as JSON text; None before the first time."""
    row = await conn.fetch_one("SELECT counted_at, facts FROM storage_counts WHERE id = 1", {})
    return (row["counted_at"], row["facts"]) if row else None


async def put(conn: Connection, facts: str, now: Timestamp) -> None:
    """Keep this instead of what was counted before."""
    sql = (
        "INSERT INTO storage_counts (id, counted_at, facts) VALUES (1, :now, :facts) "
        "ON CONFLICT (id) DO UPDATE SET counted_at = :now, facts = :facts"
    )
    await conn.execute(sql, {"now": now, "facts": facts})
