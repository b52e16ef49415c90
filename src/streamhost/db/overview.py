"""Counts over the whole catalog, for whoever looks after it."""

from __future__ import annotations

import sqlite3

from streamhost.db.core import Connection
from streamhost.model.accounts import Role
from streamhost.model.clock import Timestamp
from streamhost.model.videos import VideoState

SQLITE = sqlite3.sqlite_version
"""The version of the library that keeps the catalog."""


async def videos(conn: Connection) -> dict[VideoState, int]:
    """How many videos there are in each state that one is in."""
    rows = await conn.fetch_all(
        "SELECT state, COUNT(*) AS number FROM videos WHERE deleted_at IS NULL GROUP BY state", {}
    )
    return {VideoState(row["state"]): row["number"] for row in rows}


async def source_bytes(conn: Connection) -> int:
    """Bytes of all files as they were uploaded, kept or not."""
    row = await conn.fetch_one("SELECT COALESCE(SUM(source_size), 0) AS bytes FROM videos WHERE deleted_at IS NULL", {})
    return int(row["bytes"]) if row else 0


async def users(conn: Connection) -> dict[Role, int]:
    """How many accounts have each role that one has; shut ones left out."""
    rows = await conn.fetch_all(
        "SELECT role, COUNT(*) AS number FROM users WHERE disabled_at IS NULL GROUP BY role", {}
    )
    return {Role(row["role"]): row["number"] for row in rows}


async def arriving(conn: Connection, now: Timestamp) -> int:
    """Uploads that are not complete, and may go on."""
    row = await conn.fetch_one(
        "SELECT COUNT(*) AS number FROM uploads WHERE finished_at IS NULL AND expires_at > :now AND kind <> 'partial'",
        {"now": now},
    )
    return int(row["number"]) if row else 0


async def failed_jobs(conn: Connection, since: Timestamp) -> int:
    """Jobs that were given up since then."""
    row = await conn.fetch_one(
        "SELECT COUNT(*) AS number FROM jobs WHERE state = 'failed' AND finished_at >= :since", {"since": since}
    )
    return int(row["number"]) if row else 0
