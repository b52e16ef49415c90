"""How much of the site somebody uses, and how much they may; columns of `users`, sums over `videos` and `uploads`."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId

_LIMITS = "SELECT quota_bytes, quota_videos FROM users WHERE id = :owner"
_STILL_COMING = """FROM uploads WHERE owner_id = :owner AND finished_at IS NULL
    AND (expires_at > :now OR video_id IS NOT NULL)"""
_USED = f"""
SELECT
    (SELECT COALESCE(SUM(source_size), 0) FROM videos WHERE owner_id = :owner)
        + (SELECT COALESCE(SUM(replacements.source_size), 0) FROM replacements
            JOIN videos ON videos.id = replacements.video_id
            WHERE videos.owner_id = :owner AND replacements.error_code IS NULL) AS kept_bytes,
    (SELECT COALESCE(SUM(captions.size), 0) FROM captions JOIN videos ON videos.id = captions.video_id
        WHERE videos.owner_id = :owner AND captions.origin = 'uploaded') AS caption_bytes,
    (SELECT COUNT(*) FROM videos WHERE owner_id = :owner) AS kept_videos,
    (SELECT COALESCE(SUM(COALESCE(length, bytes)), 0) {_STILL_COMING} AND kind <> 'final') AS coming_bytes,
    (SELECT COUNT(*) {_STILL_COMING} AND kind <> 'partial') AS coming_videos
"""
"""A final upload has no bytes besides those of its parts, and a part is no video of its own."""
_SET = "UPDATE users SET quota_bytes = :bytes, quota_videos = :videos WHERE id = :owner"


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes of uploaded files, and videos; as used, or as a limit (None: the site's, 0: no limit)."""

    bytes: int | None
    videos: int | None


async def limits(conn: Connection, owner_id: UserId) -> Amount | None:
    """What was set for one user, None if there is no such user."""
    row = await conn.fetch_one(_LIMITS, {"owner": owner_id})
    return Amount(row["quota_bytes"], row["quota_videos"]) if row else None


async def used(conn: Connection, owner_id: UserId, now: Timestamp) -> tuple[int, int]:
    """Bytes and videos that a user has, with what is still arriving as if it were here."""
    row = await conn.fetch_one(_USED, {"owner": owner_id, "now": now})
    assert row is not None, "a query of sums has a row"
    kept = int(row["kept_bytes"]) + int(row["caption_bytes"])
    return kept + int(row["coming_bytes"]), int(row["kept_videos"]) + int(row["coming_videos"])


async def in_trash(conn: Connection, owner_id: UserId) -> tuple[int, int]:
    """Bytes and videos of a user that lie in the trash; they are among those that are used."""
    sql = """SELECT COALESCE(SUM(source_size), 0) AS bytes, COUNT(*) AS videos FROM videos
        WHERE owner_id = :owner AND deleted_at IS NOT NULL"""
    row = await conn.fetch_one(sql, {"owner": owner_id})
    assert row is not None, "a query of sums has a row"
    return int(row["bytes"]), int(row["videos"])


async def all_bytes(conn: Connection) -> int:
    """Bytes of uploaded files of all videos together."""
    row = await conn.fetch_one("SELECT COALESCE(SUM(source_size), 0) AS bytes FROM videos", {})
    return int(row["bytes"]) if row else 0


async def set_limits(conn: Connection, owner_id: UserId, amount: Amount) -> None:
    """Set what one user may use."""
    await conn.execute(_SET, {"owner": owner_id, "bytes": amount.bytes, "videos": amount.videos})
