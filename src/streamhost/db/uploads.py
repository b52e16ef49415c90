"""Rows of `uploads`: files on their way in, and for a while those that have arrived."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UploadId, UserId, VideoId
from streamhost.model.uploads import Upload, UploadKind

_COLUMNS = (
    "id",
    "owner_id",
    "kind",
    "length",
    "bytes",
    "parts",
    "metadata",
    "metadata_header",
    "video_id",
    "finished_at",
    "created_at",
    "expires_at",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM uploads"
_INSERT = f"INSERT INTO uploads ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)})"


def _upload(row: Mapping[str, Any]) -> Upload:
    return Upload(
        id=row["id"],
        owner_id=row["owner_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        length=row["length"],
        offset=row["bytes"],
        kind=UploadKind(row["kind"]),
        parts=tuple(json.loads(row["parts"])),
        metadata=json.loads(row["metadata"]),
        metadata_header=row["metadata_header"],
        video_id=row["video_id"],
        finished_at=row["finished_at"],
    )


async def insert(conn: Connection, upload: Upload) -> None:
    """Add a new upload."""
    values = {
        "id": upload.id,
        "owner_id": upload.owner_id,
        "kind": upload.kind.value,
        "length": upload.length,
        "bytes": upload.offset,
        "parts": json.dumps(upload.parts),
        "metadata": json.dumps(dict(upload.metadata), ensure_ascii=False),
        "metadata_header": upload.metadata_header,
        "video_id": upload.video_id,
        "finished_at": upload.finished_at,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
    }
    await conn.execute(_INSERT, values)


async def get(conn: Connection, upload_id: UploadId) -> Upload | None:
    """One upload, None if there is none."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": upload_id})
    return _upload(row) if row else None


async def advance(conn: Connection, upload: Upload) -> bool:
    """Store how far an upload has come: offset, length, chosen video, expiry; False if the row is gone, or its
    owner is shut out: who is disabled in the middle of a request brings nothing more."""
    sql = """UPDATE uploads SET bytes = :bytes, length = :length, video_id = :video, expires_at = :expires
        WHERE id = :id AND finished_at IS NULL
        AND EXISTS (SELECT 1 FROM users WHERE users.id = owner_id AND disabled_at IS NULL)"""
    values = {
        "id": upload.id,
        "bytes": upload.offset,
        "length": upload.length,
        "video": upload.video_id,
        "expires": upload.expires_at,
    }
    return await conn.execute(sql, values) == 1


async def describe(conn: Connection, upload_id: UploadId, metadata: Mapping[str, str]) -> None:
    """Store what is said of the file, where it was learnt only after the bytes."""
    values = {"id": upload_id, "metadata": json.dumps(dict(metadata), ensure_ascii=False)}
    await conn.execute("UPDATE uploads SET metadata = :metadata WHERE id = :id", values)


async def finish(conn: Connection, upload_id: UploadId, now: Timestamp, expires_at: Timestamp) -> bool:
    """Note that the file has become a video; False if that was noted before or the row is gone."""
    sql = """UPDATE uploads SET finished_at = :now, expires_at = :expires WHERE id = :id AND finished_at IS NULL"""
    return await conn.execute(sql, {"id": upload_id, "now": now, "expires": expires_at}) == 1


async def claim_parts(conn: Connection, parts: Iterable[UploadId], video_id: VideoId) -> None:
    """Mark partial uploads as taken by the final upload that becomes this video."""
    for part in parts:
        await conn.execute("UPDATE uploads SET video_id = :video WHERE id = :id", {"id": part, "video": video_id})


async def delete(conn: Connection, upload_ids: Iterable[UploadId]) -> None:
    """Remove rows; those that are not there are no error."""
    for upload_id in upload_ids:
        await conn.execute("DELETE FROM uploads WHERE id = :id", {"id": upload_id})


async def final_of(conn: Connection, owner_id: UserId, parts: Sequence[UploadId]) -> Upload | None:
    """The final upload that an owner made of just these parts, None if there is none."""
    sql = f"{_SELECT} WHERE owner_id = :owner AND kind = 'final' AND parts = :parts"
    row = await conn.fetch_one(sql, {"owner": owner_id, "parts": json.dumps(tuple(parts))})
    return _upload(row) if row else None


async def reserved(conn: Connection, now: Timestamp, but: UploadId | None = None) -> int:
    """Bytes that unfinished uploads of known length have still to bring, leaving out `but`.

    Final ones are left out too: what they take on they give back part by part."""
    sql = """SELECT COALESCE(SUM(length - bytes), 0) AS total FROM uploads
        WHERE length > bytes AND kind <> 'final' AND expires_at > :now AND id <> :but"""
    row = await conn.fetch_one(sql, {"now": now, "but": but or ""})
    return int(row["total"]) if row else 0


async def unfinished(conn: Connection) -> list[Upload]:
    """Uploads whose bytes are all here but which are not videos yet, oldest first."""
    sql = f"{_SELECT} WHERE video_id IS NOT NULL AND finished_at IS NULL AND kind <> 'partial' ORDER BY created_at"
    return [_upload(row) for row in await conn.fetch_all(sql)]


async def expired(conn: Connection, now: Timestamp) -> list[UploadId]:
    """Uploads whose time is over: incomplete ones, unclaimed parts, and those that became videos long ago."""
    sql = "SELECT id FROM uploads WHERE expires_at <= :now AND (video_id IS NULL OR finished_at IS NOT NULL)"
    return [row["id"] for row in await conn.fetch_all(sql, {"now": now})]


async def known(conn: Connection, upload_ids: Sequence[str]) -> set[str]:
    """Which of these ids have a row."""
    names = {f"u{number}": upload_id for number, upload_id in enumerate(upload_ids)}
    if not names:
        return set()
    rows = await conn.fetch_all(f"SELECT id FROM uploads WHERE id IN ({', '.join(':' + n for n in names)})", names)
    return {row["id"] for row in rows}
