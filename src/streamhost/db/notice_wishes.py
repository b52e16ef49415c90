"""Rows of `notice_wishes` and `notice_addresses`: who wants to be told of what, how, and where that reaches them.

Only what somebody has chosen stands here; the rest is as the kinds have it by default."""

from __future__ import annotations

from collections.abc import Mapping

from streamhost.db.core import Connection
from streamhost.model.ids import UserId

_CHOOSE = """
INSERT INTO notice_wishes (user_id, kind, channel, wanted) VALUES (:user, :kind, :channel, :wanted)
ON CONFLICT (user_id, kind, channel) DO UPDATE SET wanted = excluded.wanted
"""
_PLACE = """
INSERT INTO notice_addresses (user_id, channel, address) VALUES (:user, :channel, :address)
ON CONFLICT (user_id, channel) DO UPDATE SET address = excluded.address
"""


async def wishes(conn: Connection, user_id: UserId) -> dict[tuple[str, str], bool]:
    """What a user has chosen: by kind and channel, whether they want it."""
    rows = await conn.fetch_all("SELECT kind, channel, wanted FROM notice_wishes WHERE user_id = :id", {"id": user_id})
    return {(row["kind"], row["channel"]): bool(row["wanted"]) for row in rows}


async def choose(conn: Connection, user_id: UserId, kind: str, channel: str, *, wanted: bool) -> None:
    """Note what a user has chosen."""
    values = {"user": user_id, "kind": kind, "channel": channel, "wanted": int(wanted)}
    await conn.execute(_CHOOSE, values)


async def addresses(conn: Connection, user_id: UserId) -> Mapping[str, str]:
    """Where channels reach a user, by channel."""
    sql = "SELECT channel, address FROM notice_addresses WHERE user_id = :id"
    return {row["channel"]: row["address"] for row in await conn.fetch_all(sql, {"id": user_id})}


async def place(conn: Connection, user_id: UserId, channel: str, address: str) -> None:
    """Note where a channel reaches a user; empty: nowhere."""
    if address:
        await conn.execute(_PLACE, {"user": user_id, "channel": channel, "address": address})
    else:
        sql = "DELETE FROM notice_addresses WHERE user_id = :user AND channel = :channel"
        await conn.execute(sql, {"user": user_id, "channel": channel})
