"""Rows of `notice_mails`, notices that wait to be put into one mail, and of `notice_mail_turns`, when the last one
went."""

from __future__ import annotations

from collections.abc import Sequence

from streamhost.db.core import Connection
from streamhost.db.notices import dumps, loads
from streamhost.model.clock import Timestamp
from streamhost.model.ids import NoticeId, UserId
from streamhost.model.notices import Notice

_INSERT = """
INSERT INTO notice_mails (id, user_id, notice, created_at) VALUES (:id, :user, :notice, :now)
ON CONFLICT (id) DO NOTHING
"""
_TURN = """
INSERT INTO notice_mail_turns (user_id, sent_at) VALUES (:user, :now)
ON CONFLICT (user_id) DO UPDATE SET sent_at = excluded.sent_at
"""


async def insert(conn: Connection, user_id: UserId, notice: Notice, now: Timestamp) -> bool:
    """Let a notice wait; False if it does already."""
    values = {"id": notice.id, "user": user_id, "notice": dumps(notice), "now": now}
    return await conn.execute(_INSERT, values) == 1


async def waiting(conn: Connection, user_id: UserId) -> list[Notice]:
    """What waits for a user, oldest first."""
    sql = "SELECT notice FROM notice_mails WHERE user_id = :user ORDER BY created_at, id"
    return [loads(row["notice"]) for row in await conn.fetch_all(sql, {"user": user_id})]


async def remove(conn: Connection, notices: Sequence[NoticeId]) -> None:
    """These wait no longer."""
    for notice_id in notices:
        await conn.execute("DELETE FROM notice_mails WHERE id = :id", {"id": notice_id})


async def last_sent(conn: Connection, user_id: UserId) -> Timestamp | None:
    """When a user was last written to; None if never."""
    row = await conn.fetch_one("SELECT sent_at FROM notice_mail_turns WHERE user_id = :user", {"user": user_id})
    return float(row["sent_at"]) if row else None


async def sent(conn: Connection, user_id: UserId, now: Timestamp) -> None:
    """Note that a user was written to."""
    await conn.execute(_TURN, {"user": user_id, "now": now})
