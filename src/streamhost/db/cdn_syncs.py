"""Rows of `cdn_syncs`: how far the copies of a video at the CDN are. A video without a row has none there."""

from __future__ import annotations

from streamhost.db.core import Connection, Row
from streamhost.model.cdn import CdnSync, SyncState
from streamhost.model.ids import PackageId, VideoId


def _sync(row: Row) -> CdnSync:
    package = row["package_id"]
    return CdnSync(
        video_id=VideoId(row["video_id"]),
        state=SyncState(row["state"]),
        package_id=PackageId(package) if package else None,
        objects=row["objects"],
        cause=row["cause"],
        updated_at=row["updated_at"],
    )


async def put(conn: Connection, sync: CdnSync) -> None:
    """Note how far the copies are; nothing is noted of a video that is gone."""
    await conn.execute(
        "INSERT INTO cdn_syncs (video_id, package_id, state, objects, cause, updated_at) "
        "SELECT :video, :package, :state, :objects, :cause, :at FROM videos WHERE id = :video "
        "ON CONFLICT (video_id) DO UPDATE SET package_id = :package, state = :state, objects = :objects, "
        "cause = :cause, updated_at = :at",
        {
            "video": sync.video_id,
            "package": sync.package_id,
            "state": sync.state.value,
            "objects": sync.objects,
            "cause": sync.cause,
            "at": sync.updated_at,
        },
    )


async def get(conn: Connection, video_id: VideoId) -> CdnSync | None:
    """How far the copies of a video are."""
    row = await conn.fetch_one("SELECT * FROM cdn_syncs WHERE video_id = :id", {"id": video_id})
    return _sync(row) if row else None


async def delete(conn: Connection, video_id: VideoId) -> None:
    """Its copies were dropped."""
    await conn.execute("DELETE FROM cdn_syncs WHERE video_id = :id", {"id": video_id})


async def listed(conn: Connection, state: SyncState | None, limit: int) -> list[CdnSync]:
    """Videos with copies, perhaps only those in one state, latest change first."""
    sql = (
        "SELECT * FROM cdn_syncs WHERE :state IS NULL OR state = :state ORDER BY updated_at DESC, video_id LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"state": state.value if state else None, "limit": limit})
    return [_sync(row) for row in rows]


async def counts(conn: Connection) -> dict[SyncState, int]:
    """How many videos are in each state."""
    rows = await conn.fetch_all("SELECT state, COUNT(*) AS number FROM cdn_syncs GROUP BY state", {})
    return {SyncState(row["state"]): row["number"] for row in rows}


async def missing(conn: Connection) -> list[tuple[VideoId, PackageId]]:
    """Videos that are ready and open to others, and whose package that plays was not brought there, nor is on its way:
    the newest first."""
    rows = await conn.fetch_all(
        "SELECT v.id, v.package_id FROM videos v LEFT JOIN cdn_syncs s ON s.video_id = v.id "
        "WHERE v.state = 'ready' AND v.package_id IS NOT NULL AND v.deleted_at IS NULL "
        "AND v.clearance = 'open' "
        "AND (s.video_id IS NULL OR s.package_id <> v.package_id OR s.state IN ('none', 'failed')) "
        "ORDER BY v.created_at DESC",
        {},
    )
    return [(VideoId(row["id"]), PackageId(row["package_id"])) for row in rows]
