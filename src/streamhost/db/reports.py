"""Rows of `reports`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.reports import Outcome, Reason, Report, ReportedVideo

_COLUMNS = (
    "id",
    "video_id",
    "reporter",
    "reason",
    "created_at",
    "words",
    "at",
    "user_id",
    "wants_answer",
    "closed_at",
    "outcome",
)
_PUT = f"""
INSERT INTO reports ({", ".join(_COLUMNS)}) VALUES ({", ".join(":" + name for name in _COLUMNS)})
ON CONFLICT (video_id, reporter) WHERE closed_at IS NULL
DO UPDATE SET reason = :reason, words = :words, at = :at, wants_answer = :wants_answer
RETURNING id
"""
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM reports"
_BY_REASON = "SELECT video_id, reason, count(*) AS many FROM reports WHERE closed_at IS NULL GROUP BY video_id, reason"
_GROUPED = f"""
SELECT counted.video_id, sum(counted.many) AS many, json_group_object(counted.reason, counted.many) AS reasons,
    (SELECT min(created_at) FROM reports WHERE video_id = counted.video_id AND closed_at IS NULL) AS first_at,
    (SELECT max(created_at) FROM reports WHERE video_id = counted.video_id AND closed_at IS NULL) AS last_at,
    videos.title, videos.owner_id, videos.state, users.name AS owner_name
FROM ({_BY_REASON}) AS counted JOIN videos ON videos.id = counted.video_id JOIN users ON users.id = videos.owner_id
WHERE (:video_id IS NULL OR counted.video_id = :video_id) AND videos.deleted_at IS NULL
GROUP BY counted.video_id ORDER BY first_at, counted.video_id LIMIT :limit OFFSET :offset
"""


def _report(row: Mapping[str, Any]) -> Report:
    plain = {name: row[name] for name in _COLUMNS}
    plain |= {
        "reason": Reason(row["reason"]),
        "wants_answer": bool(row["wants_answer"]),
        "outcome": Outcome(row["outcome"]) if row["outcome"] else None,
    }
    return Report(**plain)


async def put(conn: Connection, report: Report) -> bool:
    """Add a report, or change the words of the open one of the same reporter on the same video; whether it is new."""
    values = {name: getattr(report, name) for name in _COLUMNS}
    values |= {"reason": report.reason.value, "outcome": None, "wants_answer": int(report.wants_answer)}
    row = await conn.fetch_one(_PUT, values)
    return row is not None and row["id"] == report.id


async def count_open(conn: Connection, video_id: VideoId) -> int:
    """How many reports of a video are open."""
    sql = "SELECT count(*) AS many FROM reports WHERE video_id = :id AND closed_at IS NULL"
    row = await conn.fetch_one(sql, {"id": video_id})
    return int(row["many"]) if row else 0


async def of_video(conn: Connection, video_id: VideoId, limit: int) -> list[Report]:
    """The reports of a video, open ones first, then the newest first."""
    sql = f"{_SELECT} WHERE video_id = :id ORDER BY closed_at IS NOT NULL, created_at DESC, id LIMIT :limit"
    return [_report(row) for row in await conn.fetch_all(sql, {"id": video_id, "limit": limit})]


async def grouped(
    conn: Connection, limit: int, offset: int = 0, video_id: VideoId | None = None
) -> list[ReportedVideo]:
    """Videos with open reports, those first that wait longest; perhaps one alone."""
    rows = await conn.fetch_all(_GROUPED, {"limit": limit, "offset": offset, "video_id": video_id})
    return [
        ReportedVideo(
            VideoId(row["video_id"]),
            row["title"],
            UserId(row["owner_id"]),
            row["owner_name"],
            row["state"],
            row["many"],
            {Reason(name): many for name, many in json.loads(row["reasons"]).items()},
            row["first_at"],
            row["last_at"],
        )
        for row in rows
    ]


async def close(conn: Connection, video_id: VideoId, outcome: Outcome, now: Timestamp) -> list[Report]:
    """Close all open reports of a video; those that were."""
    sql = f"""UPDATE reports SET closed_at = :now, outcome = :outcome WHERE video_id = :id AND closed_at IS NULL
        RETURNING {", ".join(_COLUMNS)}"""
    return [_report(row) for row in await conn.fetch_all(sql, {"id": video_id, "outcome": outcome.value, "now": now})]


async def delete_closed(conn: Connection, before: Timestamp) -> int:
    """Forget reports that were closed before a moment."""
    return await conn.execute("DELETE FROM reports WHERE closed_at < :before", {"before": before})


async def counts(conn: Connection, video_ids: Collection[VideoId]) -> dict[VideoId, int]:
    """How many reports are open, by video; of those that have none, nothing."""
    names = {f"v{number}": video_id for number, video_id in enumerate(video_ids)}
    if not names:
        return {}
    marks = ", ".join(f":{name}" for name in names)
    sql = f"""SELECT video_id, count(*) AS many FROM reports WHERE closed_at IS NULL AND video_id IN ({marks})
        GROUP BY video_id"""
    return {VideoId(row["video_id"]): row["many"] for row in await conn.fetch_all(sql, names)}
