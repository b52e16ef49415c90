"""Rows of `captions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.captions import Caption, Origin
from streamhost.model.ids import CaptionId, PackageId, VideoId

_FLAGS = ("is_default", "forced", "hearing_impaired")


def _caption(row: Mapping[str, Any]) -> Caption:
    plain = {name: row[name] for name in Caption.__dataclass_fields__}
    return Caption(**plain | {name: bool(row[name]) for name in _FLAGS} | {"origin": Origin(row["origin"])})


async def insert(conn: Connection, caption: Caption) -> None:
    """Add a caption track; one with this id is there already after a job was repeated, and stays."""
    names = tuple(Caption.__dataclass_fields__)
    values = {name: getattr(caption, name) for name in names}
    values |= {name: int(getattr(caption, name)) for name in _FLAGS} | {"origin": caption.origin.value}
    await conn.execute(
        f"INSERT INTO captions ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)}) "
        "ON CONFLICT (id) DO NOTHING",
        values,
    )


async def of_video(conn: Connection, video_id: VideoId) -> list[Caption]:
    """All caption tracks of a video: the default one first, then by language and age."""
    sql = "SELECT * FROM captions WHERE video_id = :id ORDER BY is_default DESC, language, created_at, id"
    return [_caption(row) for row in await conn.fetch_all(sql, {"id": video_id})]


async def get(conn: Connection, video_id: VideoId, caption_id: CaptionId) -> Caption | None:
    """One caption track of a video."""
    sql = "SELECT * FROM captions WHERE id = :id AND video_id = :video"
    row = await conn.fetch_one(sql, {"id": caption_id, "video": video_id})
    return _caption(row) if row else None


async def change(conn: Connection, caption: Caption) -> None:
    """Store what people may edit: language, label, whether it is the default."""
    await conn.execute(
        "UPDATE captions SET language = :language, label = :label, is_default = :is_default WHERE id = :id",
        {
            "id": caption.id,
            "language": caption.language,
            "label": caption.label,
            "is_default": int(caption.is_default),
        },
    )


async def make_default(conn: Connection, caption: Caption) -> Caption:
    """Make a track the only default one of its video."""
    await conn.execute("UPDATE captions SET is_default = 0 WHERE video_id = :video", {"video": caption.video_id})
    chosen = replace(caption, is_default=True)
    await change(conn, chosen)
    return chosen


async def delete(conn: Connection, caption_id: CaptionId) -> None:
    """Forget a caption track."""
    await conn.execute("DELETE FROM captions WHERE id = :id", {"id": caption_id})


async def published(conn: Connection, ids: Sequence[CaptionId], package_id: PackageId) -> None:
    """Note that these tracks stand in the manifests of a package."""
    for caption_id in ids:
        await conn.execute(
            "UPDATE captions SET package_id = :package WHERE id = :id", {"package": package_id, "id": caption_id}
        )
