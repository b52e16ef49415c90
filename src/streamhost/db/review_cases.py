"""Rows of `review_cases`, videos that wait for a person, and of `moderation_choices`, what was chosen for the site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.cases import Case, Cause
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.moderation import Category
from streamhost.model.verdicts import Risk

_SELECT = (
    "SELECT review_cases.*, users.name AS reviewer FROM review_cases "
    "LEFT JOIN users ON users.id = review_cases.reviewer_id"
)
_THERE = "NOT EXISTS (SELECT 1 FROM videos WHERE videos.id = review_cases.video_id AND videos.deleted_at IS NOT NULL)"
"""What lies in the trash waits for nobody; its case is open again once it is restored."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are meant; None or empty: all. `free_for`: those that this reviewer may take now."""

    risks: tuple[Risk, ...] = ()
    category: Category | None = None
    cause: Cause | None = None
    mine: UserId | None = None
    free_for: UserId | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue: after the case of this rank and age."""

    rank: int
    opened_at: Timestamp
    video_id: VideoId


async def get(conn: Connection, video_id: VideoId) -> Case | None:
    """The open case of a video, None if there is none."""
    row = await conn.fetch_one(f"{_SELECT} WHERE review_cases.video_id = :id", {"id": video_id})
    return _case(row) if row else None


async def put(conn: Connection, case: Case) -> None:
    """Open a case; of one that is open, the higher risk and the earlier time stay, and who has it. What models found is
    never the cause of one that somebody asked for: they close their own, and a report must not go with it; nor is a new
    file ever the cause of one that is about what plays."""
    await conn.execute(
        "INSERT INTO review_cases (video_id, cause, risk, rank, categories, opened_at) "
        "VALUES (:video, :cause, :risk, :rank, :categories, :at) ON CONFLICT (video_id) DO UPDATE SET "
        "categories = :categories, "
        "cause = CASE WHEN :cause = 'new_file' THEN review_cases.cause "
        "WHEN review_cases.cause IN ('screening', 'new_file') OR (:cause <> 'screening' AND :rank > review_cases.rank) "
        "THEN :cause ELSE review_cases.cause END, "
        "risk = CASE WHEN :rank > review_cases.rank THEN :risk ELSE review_cases.risk END, "
        "rank = CASE WHEN :rank > review_cases.rank THEN :rank ELSE review_cases.rank END",
        {
            "video": case.video_id,
            "cause": case.cause.value,
            "risk": case.risk.value,
            "rank": case.risk.rank,
            "categories": json.dumps(case.categories),
            "at": case.opened_at,
        },
    )


async def close(conn: Connection, video_id: VideoId) -> bool:
    """Close the case of a video; False if none was open."""
    return await conn.execute("DELETE FROM review_cases WHERE video_id = :id", {"id": video_id}) == 1


async def claim(conn: Connection, video_id: VideoId, reviewer: UserId, now: Timestamp, until: Timestamp) -> bool:
    """Give a case to a reviewer until then; False if it is somebody else's, or not open."""
    sql = (
        "UPDATE review_cases SET reviewer_id = :reviewer, claimed_until = :until WHERE video_id = :id "
        "AND (claimed_until IS NULL OR claimed_until <= :now OR reviewer_id IS NULL OR reviewer_id = :reviewer)"
    )
    return await conn.execute(sql, {"id": video_id, "reviewer": reviewer, "now": now, "until": until}) == 1


async def release(conn: Connection, video_id: VideoId, reviewer: UserId) -> bool:
    """Let go of a case; False if it was not this reviewer's."""
    sql = (
        "UPDATE review_cases SET reviewer_id = NULL, claimed_until = NULL "
        "WHERE video_id = :id AND reviewer_id = :reviewer"
    )
    return await conn.execute(sql, {"id": video_id, "reviewer": reviewer}) == 1


async def listed(conn: Connection, wanted: Wanted, now: Timestamp, after: Place | None, limit: int) -> list[Case]:
    """Open cases: those of the highest risk first, among them the oldest."""
    risks = [risk.rank for risk in wanted.risks] or [risk.rank for risk in Risk]
    marks = ", ".join(str(rank) for rank in risks)
    sql = (
        f"{_SELECT} WHERE review_cases.rank IN ({marks}) AND {_THERE} "
        "AND (:category IS NULL OR review_cases.categories LIKE :like) "
        "AND (:cause IS NULL OR review_cases.cause = :cause) "
        "AND (:mine IS NULL OR (review_cases.reviewer_id = :mine AND review_cases.claimed_until > :now)) "
        "AND (:free IS NULL OR review_cases.claimed_until IS NULL OR review_cases.claimed_until <= :now "
        "OR review_cases.reviewer_id = :free) "
        "AND (:rank IS NULL OR review_cases.rank < :rank OR (review_cases.rank = :rank AND "
        "(review_cases.opened_at, review_cases.video_id) > (:opened, :last))) "
        "ORDER BY review_cases.rank DESC, review_cases.opened_at, review_cases.video_id LIMIT :limit"
    )
    values = {
        "category": wanted.category,
        "like": f'%"{wanted.category}"%',
        "cause": wanted.cause,
        "mine": wanted.mine,
        "free": wanted.free_for,
        "now": now,
        "rank": after.rank if after else None,
        "opened": after.opened_at if after else None,
        "last": after.video_id if after else None,
        "limit": limit,
    }
    return [_case(row) for row in await conn.fetch_all(sql, values)]


async def counts(conn: Connection) -> dict[Risk, int]:
    """How many cases are open, by risk."""
    rows = await conn.fetch_all(f"SELECT risk, COUNT(*) AS number FROM review_cases WHERE {_THERE} GROUP BY risk")
    return {Risk(row["risk"]): row["number"] for row in rows}


async def chosen(conn: Connection, name: str) -> str | None:
    """What was chosen for the site under a name; None if nothing was."""
    row = await conn.fetch_one("SELECT value FROM moderation_choices WHERE name = :name", {"name": name})
    return row["value"] if row else None


async def choose(conn: Connection, name: str, value: str) -> None:
    """Keep a choice for the site."""
    await conn.execute(
        "INSERT INTO moderation_choices (name, value) VALUES (:name, :value) "
        "ON CONFLICT (name) DO UPDATE SET value = :value",
        {"name": name, "value": value},
    )


def _case(row: Mapping[str, Any]) -> Case:
    return Case(
        VideoId(row["video_id"]),
        Cause(row["cause"]),
        Risk(row["risk"]),
        row["opened_at"],
        tuple(Category(name) for name in json.loads(row["categories"])),
        UserId(row["reviewer_id"]) if row["reviewer_id"] else None,
        row["reviewer"] or "",
        row["claimed_until"],
    )
