"""Rows of `notices`: what lies under the bell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import NoticeId, UserId
from streamhost.model.notices import Notice, StoredNotice

_INSERT = """
INSERT INTO notices (id, user_id, kind, notice, created_at) VALUES (:id, :user_id, :kind, :notice, :now)
ON CONFLICT (id) DO NOTHING
"""
_SELECT = "SELECT number, notice, read_at FROM notices"
_NEWEST = 2**62
"""Above every number."""


def _stored(row: Mapping[str, Any]) -> StoredNotice:
    return StoredNotice(int(row["number"]), loads(row["notice"]), row["read_at"])


def dumps(notice: Notice) -> str:
    """A notice as the catalog keeps it."""
    return msgspec.json.encode(notice).decode()


def loads(text: str) -> Notice:
    """The notice in a text that `dumps` has made."""
    return msgspec.json.decode(text, type=Notice)


async def insert(conn: Connection, user_id: UserId, notice: Notice, now: Timestamp) -> bool:
    """Add a notice; False, and nothing changed, when it is there already."""
    values = {"id": notice.id, "user_id": user_id, "kind": notice.kind, "notice": dumps(notice), "now": now}
    return await conn.execute(_INSERT, values) == 1


async def listed(
    conn: Connection, user_id: UserId, limit: int, below: int | None = None, *, unread: bool = False
) -> list[StoredNotice]:
    """Notices of a user with a number below `below`, newest first; perhaps only those that are not read."""
    sql = f"{_SELECT} WHERE user_id = :user AND number < :below"
    sql += " AND read_at IS NULL" if unread else ""
    values = {"user": user_id, "below": below or _NEWEST, "limit": limit}
    return [_stored(row) for row in await conn.fetch_all(f"{sql} ORDER BY number DESC LIMIT :limit", values)]


async def since(conn: Connection, user_id: UserId, after: int, limit: int) -> list[StoredNotice]:
    """Notices of a user with a number above `after`, oldest first."""
    sql = f"{_SELECT} WHERE user_id = :user AND number > :after ORDER BY number LIMIT :limit"
    return [_stored(row) for row in await conn.fetch_all(sql, {"user": user_id, "after": after, "limit": limit})]


async def get(conn: Connection, user_id: UserId, notice_id: NoticeId) -> StoredNotice | None:
    """One notice of a user."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id AND user_id = :user", {"id": notice_id, "user": user_id})
    return _stored(row) if row else None


async def newest(conn: Connection, user_id: UserId) -> int:
    """The number of a user's newest notice; 0 if there is none."""
    row = await conn.fetch_one("SELECT COALESCE(MAX(number), 0) AS n FROM notices WHERE user_id = :id", {"id": user_id})
    return int(row["n"]) if row else 0


async def unread(conn: Connection, user_id: UserId) -> int:
    """How many a user has not read."""
    sql = "SELECT COUNT(*) AS n FROM notices WHERE user_id = :id AND read_at IS NULL"
    row = await conn.fetch_one(sql, {"id": user_id})
    return int(row["n"]) if row else 0


async def read(conn: Connection, user_id: UserId, notice_id: NoticeId, now: Timestamp) -> bool:
    """Mark one as read; False if it was, or is not there."""
    sql = "UPDATE notices SET read_at = :now WHERE id = :id AND user_id = :user AND read_at IS NULL"
    return await conn.execute(sql, {"id": notice_id, "user": user_id, "now": now}) == 1


async def read_all(conn: Connection, user_id: UserId, now: Timestamp) -> int:
    """Mark all as read; how many were not."""
    sql = "UPDATE notices SET read_at = :now WHERE user_id = :user AND read_at IS NULL"
    return await conn.execute(sql, {"user": user_id, "now": now})


async def hear(conn: Connection, event_id: str, now: Timestamp) -> bool:
    """Note that people are being told of an event; False if they were before."""
    sql = "INSERT INTO heard_events (id, heard_at) VALUES (:id, :now) ON CONFLICT (id) DO NOTHING"
    return await conn.execute(sql, {"id": event_id, "now": now}) == 1


async def forget_events(conn: Connection, before: Timestamp) -> int:
    """Forget events of before a moment; how many."""
    return await conn.execute("DELETE FROM heard_events WHERE heard_at < :before", {"before": before})


async def prune(conn: Connection, before: Timestamp) -> int:
    """Forget what is older than a moment, read or not; how many."""
    return await conn.execute("DELETE FROM notices WHERE created_at < :before", {"before": before})
