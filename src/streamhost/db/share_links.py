"""Rows of `share_links`: links by which somebody without other rights may watch one video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import LinkId, VideoId
from streamhost.model.sharing import ShareLink


def _link(row: Mapping[str, Any]) -> ShareLink:
    return ShareLink(**{name: row[name] for name in ShareLink.__dataclass_fields__})


async def insert(conn: Connection, link: ShareLink) -> None:
    """Add a link."""
    await conn.execute(
        "INSERT INTO share_links (id, video_id, note, most_uses, uses, created_by, created_at, expires_at, revoked_at) "
        "VALUES (:id, :video_id, :note, :most_uses, :uses, :created_by, :created_at, :expires_at, :revoked_at)",
        {name: getattr(link, name) for name in ShareLink.__dataclass_fields__},
    )


async def get(conn: Connection, link_id: LinkId) -> ShareLink | None:
    """One link, None if there is none."""
    row = await conn.fetch_one("SELECT * FROM share_links WHERE id = :id", {"id": link_id})
    return _link(row) if row else None


async def of_video(conn: Connection, video_id: VideoId) -> list[ShareLink]:
    """The links of a video, newest first."""
    sql = "SELECT * FROM share_links WHERE video_id = :id ORDER BY created_at DESC, id"
    return [_link(row) for row in await conn.fetch_all(sql, {"id": video_id})]


async def use(conn: Connection, link_id: LinkId, now: Timestamp) -> bool:
    """Count one use; False if the link is not open any more."""
    sql = (
        "UPDATE share_links SET uses = uses + 1 WHERE id = :id AND revoked_at IS NULL AND expires_at > :now "
        "AND (most_uses IS NULL OR uses < most_uses)"
    )
    return await conn.execute(sql, {"id": link_id, "now": now}) == 1


async def revoke(conn: Connection, link_id: LinkId, now: Timestamp) -> bool:
    """Take a link back; False if that was done before."""
    sql = "UPDATE share_links SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL"
    return await conn.execute(sql, {"id": link_id, "now": now}) == 1


async def revoked_since(conn: Connection, moment: Timestamp) -> list[tuple[LinkId, Timestamp]]:
    """The links that were taken back after `moment`, and when."""
    sql = "SELECT id, revoked_at FROM share_links WHERE revoked_at > :moment"
    return [(LinkId(row["id"]), row["revoked_at"]) for row in await conn.fetch_all(sql, {"moment": moment})]


async def delete_ended(conn: Connection, before: Timestamp) -> int:
    """Forget links that expired or were taken back before then; how many."""
    sql = "DELETE FROM share_links WHERE expires_at < :before OR revoked_at < :before"
    return await conn.execute(sql, {"before": before})
