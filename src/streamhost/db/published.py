"""Public videos in the order of their publishing: for feeds and site maps."""

from __future__ import annotations

import json
from typing import Any

from streamhost.db.core import Connection
from streamhost.db.videos import LISTED, selected
from streamhost.model.ids import UserId
from streamhost.model.videos import Video


async def in_order(
    conn: Connection,
    limit: int,
    *,
    owner: UserId | None = None,
    tag: str | None = None,
    offset: int = 0,
    oldest_first: bool = False,
) -> list[Video]:
    """Public playable videos, the newest first unless asked otherwise, perhaps those of one owner or with one tag."""
    where = LISTED
    values: dict[str, Any] = {"limit": limit, "offset": offset}
    if owner is not None:
        where += " AND videos.owner_id = :owner"
        values["owner"] = owner
    if tag is not None:
        # Tags are kept as a JSON list, each between quotation marks.
        needle = json.dumps(tag, ensure_ascii=False)
        for sign in "\\%_":
            needle = needle.replace(sign, f"\\{sign}")
        where += " AND videos.tags LIKE :tag ESCAPE '\\'"
        values["tag"] = f"%{needle}%"
    way = "ASC" if oldest_first else "DESC"
    order = f"videos.published_at {way}, videos.id {way}"
    return await selected(conn, f"WHERE {where} ORDER BY {order} LIMIT :limit OFFSET :offset", values)


async def count(conn: Connection) -> int:
    """How many videos are public and can be played."""
    row = await conn.fetch_one(f"SELECT count(*) AS number FROM videos WHERE {LISTED}")
    return int(row["number"]) if row else 0
