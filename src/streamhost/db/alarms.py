"""Rows of `alarms`: states that are told of when they begin, and not again until they are over."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp


async def raise_once(conn: Connection, name: str, now: Timestamp) -> bool:
    """Raise an alarm; False if it is raised already."""
    sql = "INSERT INTO alarms (name, raised_at) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING"
    return await conn.execute(sql, {"name": name, "now": now}) == 1


async def raise_again(conn: Connection, name: str, now: Timestamp, quiet: float) -> bool:
    """Raise an alarm; False if it was raised in the last `quiet` seconds."""
    sql = """INSERT INTO alarms (name, raised_at) VALUES (:name, :now)
        ON CONFLICT (name) DO UPDATE SET raised_at = excluded.raised_at WHERE alarms.raised_at <= :before"""
    return await conn.execute(sql, {"name": name, "now": now, "before": now - quiet}) == 1


async def clear(conn: Connection, name: str) -> bool:
    """The state is over; False if there was no alarm."""
    return await conn.execute("DELETE FROM alarms WHERE name = :name", {"name": name}) == 1


async def raised(conn: Connection, name: str) -> bool:
    """Whether an alarm is raised."""
    return await conn.fetch_one("SELECT 1 AS found FROM alarms WHERE name = :name", {"name": name}) is not None
