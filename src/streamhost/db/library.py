"""Rows of what people keep: `likes`, `watch_later`, `history_pauses`; and which videos are watched most lately."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from streamhost.db import interactions
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection
from streamhost.model.clock import HOUR, Timestamp
from streamhost.model.ids import UserId, VideoId

Shelf = Literal["likes", "watch_later"]
TREND_HOURS = 7 * 24
"""Views older than this say nothing about what is watched now."""
HALF_LIFE_HOURS = 24
ACCOUNT = "u:"
"""What the names of viewers with an account begin with; see `interactions.of_user`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A video that somebody keeps, or has watched, and since when."""

    video_id: VideoId
    at: Timestamp
    watched: float = 0.0
    position: float | None = None


async def put(conn: Connection, shelf: Shelf, user_id: UserId, video_id: VideoId, now: Timestamp) -> bool:
    """Keep a video; False if it was kept."""
    sql = f"INSERT INTO {shelf} (user_id, video_id, kept_at) VALUES (:user, :video, :now) ON CONFLICT DO NOTHING"
    return await conn.execute(sql, {"user": user_id, "video": video_id, "now": now}) == 1


async def take(conn: Connection, shelf: Shelf, user_id: UserId, video_id: VideoId) -> bool:
    """Keep a video no longer; False if it was not kept."""
    sql = f"DELETE FROM {shelf} WHERE user_id = :user AND video_id = :video"
    return await conn.execute(sql, {"user": user_id, "video": video_id}) == 1


async def listed(
    conn: Connection, shelf: Shelf, user_id: UserId, before: tuple[Timestamp, str] | None, limit: int
) -> list[Kept]:
    """What somebody keeps, the latest first; `before` is where the last page ended."""
    more = " AND (kept_at, video_id) < (:moment, :last)" if before else ""
    values = {"user": user_id, "limit": limit} | ({"moment": before[0], "last": before[1]} if before else {})
    sql = f"SELECT video_id, kept_at FROM {shelf} WHERE user_id = :user{more} ORDER BY kept_at DESC, video_id DESC"
    return [Kept(r["video_id"], r["kept_at"]) for r in await conn.fetch_all(f"{sql} LIMIT :limit", values)]


async def has(conn: Connection, shelf: Shelf, user_id: UserId, video_id: VideoId) -> bool:
    """Whether somebody keeps a video."""
    sql = f"SELECT 1 FROM {shelf} WHERE user_id = :user AND video_id = :video"
    return await conn.fetch_one(sql, {"user": user_id, "video": video_id}) is not None


async def likes(conn: Connection, video_id: VideoId) -> int:
    """How many like a video."""
    row = await conn.fetch_one("SELECT COUNT(*) AS n FROM likes WHERE video_id = :id", {"id": video_id})
    return int(row["n"]) if row else 0


async def note_like(conn: Connection, user_id: UserId, video_id: VideoId, now: Timestamp, *, liked: bool) -> None:
    """Write beside what somebody has seen of a video whether they like it: recommendations learn from both."""
    sql = (
        "INSERT INTO interactions (viewer, video_id, liked, first_at, last_at) VALUES (:viewer, :video, :liked, :now, "
        ":now) ON CONFLICT (viewer, video_id) DO UPDATE SET liked = :liked"
    )
    values = {"viewer": interactions.of_user(user_id), "video": video_id, "liked": int(liked), "now": now}
    await conn.execute(sql, values)


async def watched(
    conn: Connection, user_id: UserId, before: tuple[Timestamp, str] | None, limit: int, *, unfinished: bool = False
) -> list[Kept]:
    """What somebody has watched, the latest first; with `unfinished`, only what they have begun and not ended."""
    more = " AND (last_at, video_id) < (:moment, :last)" if before else ""
    more += " AND completed = 0 AND position > 5" if unfinished else ""
    values = {"viewer": interactions.of_user(user_id), "limit": limit}
    values |= {"moment": before[0], "last": before[1]} if before else {}
    sql = (
        "SELECT video_id, last_at, watched, position FROM interactions WHERE viewer = :viewer "
        f"AND (watched > 0 OR position IS NOT NULL){more} ORDER BY last_at DESC, video_id DESC LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, values)
    return [Kept(row["video_id"], row["last_at"], row["watched"], row["position"]) for row in rows]


async def pause(conn: Connection, user_id: UserId, now: Timestamp) -> None:
    """Remember no more what somebody watches; what plays at the moment, or is reported late, neither."""
    sql = "INSERT INTO history_pauses (user_id, since) VALUES (:id, :now) ON CONFLICT DO NOTHING"
    await conn.execute(sql, {"id": user_id, "now": now})
    sql = "UPDATE playbacks SET viewer = '' WHERE viewer = :viewer"
    await conn.execute(sql, {"viewer": interactions.of_user(user_id)})


async def go_on(conn: Connection, user_id: UserId) -> None:
    """Remember it again."""
    await conn.execute("DELETE FROM history_pauses WHERE user_id = :id", {"id": user_id})


async def paused(conn: Connection, user_id: UserId) -> bool:
    """Whether what somebody watches is not remembered."""
    return await conn.fetch_one("SELECT 1 FROM history_pauses WHERE user_id = :id", {"id": user_id}) is not None


async def remembers(conn: Connection, viewers: Collection[str]) -> Collection[str]:
    """Those of these viewers who have not paused their history, and whose account is still there."""
    accounts = [viewer for viewer in viewers if viewer.startswith(ACCOUNT)]
    if not accounts:
        return viewers
    names = {f"v{number}": viewer.removeprefix(ACCOUNT) for number, viewer in enumerate(accounts)}
    sql = (
        "SELECT users.id FROM users LEFT JOIN history_pauses ON history_pauses.user_id = users.id "
        f"WHERE users.id IN ({', '.join(f':{name}' for name in names)}) AND history_pauses.user_id IS NULL"
    )
    return {*viewers} - {*accounts} | {f"{ACCOUNT}{row['id']}" for row in await conn.fetch_all(sql, names)}


async def trending(conn: Connection, now: Timestamp, limit: int) -> list[VideoId]:
    """Public videos by their views of the last days, where a view counts half as much a day later."""
    hour = int(now // HOUR)
    sql = f"""SELECT videos.id, SUM(playback_hours.views / (1.0 + (:hour - playback_hours.hour) / {HALF_LIFE_HOURS}.0))
        AS score FROM playback_hours JOIN videos ON videos.id = playback_hours.subject
        WHERE playback_hours.hour BETWEEN :first AND :hour AND {video_rows.LISTED}
        GROUP BY videos.id HAVING score > 0 ORDER BY score DESC, videos.id LIMIT :limit"""
    rows = await conn.fetch_all(sql, {"hour": hour, "first": hour - TREND_HOURS, "limit": limit})
    return [VideoId(row["id"]) for row in rows]
