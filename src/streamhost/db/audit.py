"""Rows of `audit`: they are added and read, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamhost.db import users
from streamhost.db.core import Connection
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId
from streamhost.model.videos import Video

_INSERT = """
INSERT INTO audit (at, act, actor_id, actor, subject_id, subject, address, details)
VALUES (:at, :act, :actor_id, :actor, :subject_id, :subject, :address, :details)
"""
_SELECT = """
SELECT number, at, act, actor_id, actor, subject_id, subject, address, details FROM audit
WHERE number < :below AND (:act IS NULL OR act = :act)
AND (:user_id IS NULL OR actor_id = :user_id OR subject_id = :user_id)
ORDER BY number DESC LIMIT :limit
"""
_NEWEST = 2**62
"""Above every number."""


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        at=row["at"],
        act=Act(row["act"]),
        actor=Actor(row["actor_id"], row["actor"], row["address"]),
        subject_id=row["subject_id"],
        subject=row["subject"],
        details=json.loads(row["details"]),
        number=row["number"],
    )


async def insert(conn: Connection, entry: AuditEntry) -> None:
    """Add a line; its number is given by the catalog."""
    await conn.execute(
        _INSERT,
        {
            "at": entry.at,
            "act": entry.act.value,
            "actor_id": entry.actor.id,
            "actor": entry.actor.words,
            "subject_id": entry.subject_id,
            "subject": entry.subject,
            "address": entry.actor.address,
            "details": json.dumps(dict(entry.details), ensure_ascii=False),
        },
    )


async def about_video(
    conn: Connection, at: Timestamp, act: Act, video: Video, by: Actor, details: Mapping[str, str]
) -> None:
    """Add a line about what was done to a video; its subject is the video's owner."""
    owner = await users.get(conn, video.owner_id)
    subject = owner.email if owner else ""
    await insert(conn, AuditEntry(at, act, by, video.owner_id, subject, {"video": video.id, **details}))


async def listed(
    conn: Connection, limit: int, below: int | None = None, act: Act | None = None, user_id: UserId | None = None
) -> list[AuditEntry]:
    """Lines with a number below `below`, newest first; perhaps of one kind, or of one user as actor or subject."""
    values = {"below": below or _NEWEST, "act": act and act.value, "user_id": user_id, "limit": limit}
    return [_entry(row) for row in await conn.fetch_all(_SELECT, values)]
