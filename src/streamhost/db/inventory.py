"""What is asked about all videos at once, to compare the catalog with what is stored."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.ids import VideoId
from streamhost.model.objects import Owned


async def owned(conn: Connection) -> list[Owned]:
    """Every video and whose it is, by id."""
    sql = (
        "SELECT videos.id AS id, videos.title AS title, users.id AS owner_id, users.email AS owner_email, "
        "videos.deleted_at IS NOT NULL AS in_trash "
        "FROM videos JOIN users ON users.id = videos.owner_id ORDER BY videos.id"
    )
    return [Owned(**(dict(row) | {"in_trash": bool(row["in_trash"])})) for row in await conn.fetch_all(sql)]


async def arriving(conn: Connection) -> set[VideoId]:
    """Videos to be: complete uploads that have not become their video yet."""
    sql = "SELECT video_id FROM uploads WHERE video_id IS NOT NULL AND finished_at IS NULL"
    return {VideoId(row["video_id"]) for row in await conn.fetch_all(sql)}
