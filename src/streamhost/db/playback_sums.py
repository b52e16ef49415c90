"""Rows of `playback_days` and `playback_hours`: sums of what was watched, kept for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from streamhost.db.core import Connection
from streamhost.model.analytics import Figures, summed
from streamhost.model.ids import UserId, VideoId
from streamhost.model.sketch import joined

_PUT_DAY = """
INSERT INTO playback_days (subject, day, views, played, figures, viewers)
VALUES (:subject, :day, :views, :played, :figures, :viewers)
ON CONFLICT (subject, day) DO UPDATE SET
    views = excluded.views, played = excluded.played, figures = excluded.figures, viewers = excluded.viewers
"""
_ADD_HOUR = """
INSERT INTO playback_hours (subject, hour, views, played) VALUES (:subject, :hour, :views, :played)
ON CONFLICT (subject, hour) DO UPDATE SET
    views = playback_hours.views + excluded.views, played = playback_hours.played + excluded.played
"""


@dataclass(frozen=True, slots=True)
class Day:
    """The sums of one subject on one day (number since 1970, UTC), and a sketch of who had a view."""

    subject: str
    day: int
    figures: Figures
    viewers: bytes = b""


@dataclass(frozen=True, slots=True)
class Hour:
    """Views and seconds played of one subject in one hour (number since 1970)."""

    subject: str
    hour: int
    views: float
    played: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A video with what was watched of it."""

    video_id: VideoId
    title: str
    owner_name: str
    views: float
    played: float


async def add_days(conn: Connection, more: Sequence[Day]) -> None:
    """Add figures to what stands; several of one subject and day must be one already."""
    rows = []
    for one in more:
        key = {"subject": one.subject, "day": one.day}
        row = await conn.fetch_one(
            "SELECT figures, viewers FROM playback_days WHERE subject = :subject AND day = :day", key
        )
        figures, viewers = one.figures, one.viewers
        if row is not None:
            figures = summed((msgspec.json.decode(row["figures"], type=Figures), figures))
            viewers = joined((row["viewers"], viewers))
        sums = {"views": figures.views, "played": figures.played, "viewers": viewers}
        rows.append({**key, **sums, "figures": msgspec.json.encode(figures).decode()})
    await conn.execute_many(_PUT_DAY, rows)


async def add_hours(conn: Connection, more: Sequence[Hour]) -> None:
    """Add figures to what stands."""
    rows = [{"subject": o.subject, "hour": o.hour, "views": o.views, "played": o.played} for o in more]
    await conn.execute_many(_ADD_HOUR, rows)


async def days(conn: Connection, subject: str, first: int, last: int) -> list[Day]:
    """The days of a subject on which there was anything, in order."""
    sql = (
        "SELECT day, figures, viewers FROM playback_days "
        "WHERE subject = :subject AND day BETWEEN :first AND :last ORDER BY day"
    )
    rows = await conn.fetch_all(sql, {"subject": subject, "first": first, "last": last})
    return [Day(subject, row["day"], msgspec.json.decode(row["figures"], type=Figures), row["viewers"]) for row in rows]


async def hours(conn: Connection, subject: str, first: int, last: int) -> list[Hour]:
    """The hours of a subject in which there was anything, in order."""
    sql = (
        "SELECT hour, views, played FROM playback_hours "
        "WHERE subject = :subject AND hour BETWEEN :first AND :last ORDER BY hour"
    )
    rows = await conn.fetch_all(sql, {"subject": subject, "first": first, "last": last})
    return [Hour(subject, row["hour"], row["views"], row["played"]) for row in rows]


async def most_watched(
    conn: Connection, first: int, last: int, limit: int, owner_id: UserId | None = None
) -> list[Ranked]:
    """The videos with the most views in these days, of one owner or of all."""
    sql = (
        "SELECT v.id, v.title, u.name, SUM(d.views) AS views, SUM(d.played) AS played "
        "FROM playback_days d JOIN videos v ON v.id = d.subject JOIN users u ON u.id = v.owner_id "
        "WHERE d.day BETWEEN :first AND :last AND v.deleted_at IS NULL"
        + (" AND v.owner_id = :owner" if owner_id is not None else "")
    )
    values: Mapping[str, object] = {"first": first, "last": last, "limit": limit, "owner": owner_id}
    wanted = {name: value for name, value in values.items() if f":{name}" in sql or name == "limit"}
    rows = await conn.fetch_all(
        f"{sql} GROUP BY v.id, v.title, u.name ORDER BY views DESC, played DESC, v.id LIMIT :limit", wanted
    )
    return [Ranked(VideoId(row["id"]), row["title"], row["name"], row["views"], row["played"]) for row in rows]
