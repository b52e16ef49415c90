"""Videos and people in a catalog, and who watched what, written down without players."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from streamhost.db import users, videos
from streamhost.db.core import Connection, Database
from streamhost.model.accounts import Role, User
from streamhost.model.clock import DAY, HOUR
from streamhost.model.ids import UserId, VideoId, new_id
from streamhost.model.videos import Video, VideoState, Visibility

NOW = time.time()


async def add_people(db: Database, *names: str) -> list[User]:
    """Creators with these names."""
    people = [User(UserId(new_id()), f"{name}@example.org", name, Role.CREATOR, "-", NOW, NOW) for name in names]
    async with db.write() as conn:
        for one in people:
            await users.insert(conn, one)
    return people


async def add_videos(db: Database, owner: UserId, titles: Sequence[str], **fields: Any) -> list[VideoId]:
    """Public videos that play, each an hour older than the one before."""
    found = []
    async with db.write() as conn:
        for place, title in enumerate(titles):
            at = NOW - place * HOUR
            wanted: dict[str, Any] = {
                "visibility": Visibility.PUBLIC,
                "state": VideoState.READY,
                "playable": True,
                "published_at": at,
                "duration": 60.0,
            }
            video = Video(VideoId(new_id()), owner, title, created_at=at, updated_at=at, **(wanted | fields))
            await videos.insert(conn, video)
            found.append(video.id)
    return found


async def watch(conn: Connection, viewer: str, video_id: VideoId, at: float, watched: float = 1.0) -> None:
    """Note that somebody watched a video."""
    sql = (
        "INSERT INTO interactions (viewer, video_id, watched, completed, skipped, first_at, last_at) "
        "VALUES (:viewer, :video, :watched, :completed, :skipped, :at, :at) "
        "ON CONFLICT (viewer, video_id) DO UPDATE SET watched = excluded.watched, last_at = excluded.last_at, "
        "completed = excluded.completed, skipped = excluded.skipped"
    )
    values = {"viewer": viewer, "video": video_id, "watched": watched, "at": at}
    await conn.execute(sql, values | {"completed": int(watched >= 0.9), "skipped": int(watched < 0.02)})


async def watch_all(db: Database, viewer: str, ids: Iterable[VideoId], days_ago: float = 1.0) -> None:
    """Note that somebody watched these one after the other, the last of them latest."""
    async with db.write() as conn:
        for place, video_id in enumerate(ids):
            await watch(conn, viewer, video_id, NOW - days_ago * DAY + place)
