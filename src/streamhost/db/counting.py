"""How many rows there are, where nothing else is asked."""

from __future__ import annotations

from typing import Literal

from streamhost.db.core import Connection


async def rows_of(conn: Connection, table: Literal["users", "videos"]) -> int:
    """The rows of a table."""
    # The name is one of those above.
    row = await conn.fetch_one(f"SELECT COUNT(*) AS number FROM {table}")
    return int(row["number"]) if row else 0
