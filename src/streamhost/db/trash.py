"""Rows of `videos` that lie in the trash."""

from __future__ import annotations

from typing import NamedTuple

from streamhost.db import videos
from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import Video


async def put(conn: Connection, video_id: VideoId, by: UserId | None, now: Timestamp) -> None:
    """Note that a video lies in the trash."""
    await videos.change(conn, video_id, now, deleted_at=now, deleted_by=by)


async def take_out(conn: Connection, video_id: VideoId, now: Timestamp) -> None:
    """Note that it does not any more."""
    await videos.change(conn, video_id, now, deleted_at=None, deleted_by=None)


async def listed(
    conn: Connection, owner_id: UserId | None, before: tuple[Timestamp, VideoId] | None, limit: int
) -> list[Video]:
    """What lies there of one owner, None: of everybody; what came last first. `before` is where the last page ended."""
    clause = "WHERE videos.deleted_at IS NOT NULL"
    if owner_id is not None:
        clause += " AND videos.owner_id = :owner"
    if before:
        clause += " AND (videos.deleted_at, videos.id) < (:moment, :last)"
    clause += " ORDER BY videos.deleted_at DESC, videos.id DESC LIMIT :limit"
    moment, last = before or (0.0, VideoId(""))
    values = {"owner": owner_id, "moment": moment, "last": last, "limit": limit}
    return await videos.selected(conn, clause, {name: value for name, value in values.items() if f":{name}" in clause})


class OwnersTrash(NamedTuple):
    """What lies there of one owner: how many videos, and the bytes of their uploaded files."""

    owner_id: UserId
    owner: str
    videos: int
    bytes: int


async def by_owner(conn: Connection, limit: int) -> list[OwnersTrash]:
    """Of whom something lies there: those with the most bytes, the most first."""
    sql = """SELECT users.id AS owner_id, users.name AS owner, COUNT(*) AS videos,
        COALESCE(SUM(videos.source_size), 0) AS bytes FROM videos JOIN users ON users.id = videos.owner_id
        WHERE videos.deleted_at IS NOT NULL GROUP BY users.id, users.name ORDER BY bytes DESC, users.id LIMIT :limit"""
    return [
        OwnersTrash(UserId(row["owner_id"]), row["owner"], int(row["videos"]), int(row["bytes"]))
        for row in await conn.fetch_all(sql, {"limit": limit})
    ]


async def put_before(conn: Connection, moment: Timestamp, limit: int) -> list[VideoId]:
    """Some of the videos that have lain there since `moment` or longer."""
    sql = "SELECT id FROM videos WHERE deleted_at <= :moment ORDER BY deleted_at LIMIT :limit"
    return [VideoId(row["id"]) for row in await conn.fetch_all(sql, {"moment": moment, "limit": limit})]
