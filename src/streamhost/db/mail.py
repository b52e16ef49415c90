"""Rows of `mails`: the outbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.accounts import email_key
from streamhost.model.clock import Timestamp
from streamhost.model.ids import MailId
from streamhost.model.mail import Letter, MailKind, MailState

_COLUMNS = (
    "id",
    "kind",
    "recipient",
    "details",
    "state",
    "attempts",
    "created_at",
    "tried_at",
    "ended_at",
    "error_code",
    "error_detail",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM mails"
_INSERT = f"""
INSERT INTO mails ({", ".join(_COLUMNS)}, recipient_key)
VALUES ({", ".join(":" + name for name in _COLUMNS)}, :recipient_key)
"""


def _mail(row: Mapping[str, Any]) -> Letter:
    values = {name: row[name] for name in _COLUMNS}
    values |= {
        "kind": MailKind(row["kind"]),
        "state": MailState(row["state"]),
        "details": json.loads(row["details"]),
    }
    return Letter(**values)


async def insert(conn: Connection, mail: Letter) -> None:
    """Add a mail."""
    values: dict[str, Any] = {name: getattr(mail, name) for name in _COLUMNS}
    values |= {
        "kind": mail.kind.value,
        "state": mail.state.value,
        "details": json.dumps(dict(mail.details), ensure_ascii=False),
        "recipient_key": email_key(mail.recipient),
    }
    await conn.execute(_INSERT, values)


async def get(conn: Connection, mail_id: MailId) -> Letter | None:
    """One mail, None if there is none."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": mail_id})
    return _mail(row) if row else None


async def listed(conn: Connection, state: MailState, limit: int) -> list[Letter]:
    """Mails in one state, newest first."""
    sql = f"{_SELECT} WHERE state = :state ORDER BY created_at DESC, id LIMIT :limit"
    return [_mail(row) for row in await conn.fetch_all(sql, {"state": state.value, "limit": limit})]


async def counts(conn: Connection) -> dict[MailState, int]:
    """How many mails are in each state."""
    rows = await conn.fetch_all("SELECT state, COUNT(*) AS n FROM mails GROUP BY state", {})
    return {MailState(row["state"]): int(row["n"]) for row in rows}


async def failing(conn: Connection) -> Letter | None:
    """The waiting mail that was last tried in vain; None when none was."""
    sql = f"{_SELECT} WHERE state = 'queued' AND tried_at IS NOT NULL ORDER BY tried_at DESC LIMIT 1"
    row = await conn.fetch_one(sql, {})
    return _mail(row) if row else None


async def recent(conn: Connection, recipient: str, kind: MailKind, since: Timestamp) -> int:
    """How many mails of a kind one address was to get since a moment."""
    sql = "SELECT COUNT(*) AS n FROM mails WHERE recipient_key = :key AND created_at > :since AND kind = :kind"
    row = await conn.fetch_one(sql, {"key": email_key(recipient), "since": since, "kind": kind.value})
    return int(row["n"]) if row else 0


async def sent(conn: Connection, mail_id: MailId, now: Timestamp) -> bool:
    """Note that a mail has been sent, and forget what it said; False if it was not waiting."""
    sql = """UPDATE mails SET state = 'sent', details = '{}', attempts = attempts + 1, tried_at = :now, ended_at = :now,
        error_code = NULL, error_detail = NULL WHERE id = :id AND state = 'queued'"""
    return await conn.execute(sql, {"id": mail_id, "now": now}) == 1


async def failed(conn: Connection, mail_id: MailId, now: Timestamp, code: str, detail: str) -> None:
    """Note an attempt that did not succeed; the mail waits for the next."""
    sql = """UPDATE mails SET attempts = attempts + 1, tried_at = :now, error_code = :code, error_detail = :detail
        WHERE id = :id AND state = 'queued'"""
    await conn.execute(sql, {"id": mail_id, "now": now, "code": code, "detail": detail})


async def give_up(conn: Connection, mail_id: MailId, now: Timestamp, code: str, detail: str) -> None:
    """Put a waiting mail with the dead letters."""
    sql = """UPDATE mails SET state = 'dead', ended_at = :now, error_code = :code, error_detail = :detail
        WHERE id = :id AND state = 'queued'"""
    await conn.execute(sql, {"id": mail_id, "now": now, "code": code, "detail": detail})


async def revive(conn: Connection, mail_id: MailId) -> bool:
    """Let a dead letter wait again; False if it is none."""
    sql = "UPDATE mails SET state = 'queued', ended_at = NULL WHERE id = :id AND state = 'dead'"
    return await conn.execute(sql, {"id": mail_id}) == 1


async def revive_all(conn: Connection) -> list[MailId]:
    """Let every dead letter wait again; which ones they were."""
    rows = await conn.fetch_all(
        "UPDATE mails SET state = 'queued', ended_at = NULL WHERE state = 'dead' RETURNING id", {}
    )
    return [MailId(row["id"]) for row in rows]


async def discard(conn: Connection, mail_id: MailId) -> bool:
    """Remove a dead letter; False if it is none."""
    return await conn.execute("DELETE FROM mails WHERE id = :id AND state = 'dead'", {"id": mail_id}) == 1


async def prune(conn: Connection, state: MailState, before: Timestamp) -> int:
    """Forget mails of one state that ended before a moment; how many."""
    sql = "DELETE FROM mails WHERE state = :state AND ended_at < :before"
    return await conn.execute(sql, {"state": state.value, "before": before})
