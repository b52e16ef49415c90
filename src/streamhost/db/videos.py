"""Rows of `videos` and `renditions`, and the search index over them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, UserId, VideoId, is_id
from streamhost.model.videos import (
    ChapterMark,
    Clearance,
    Failure,
    Protection,
    RenditionSummary,
    Video,
    VideoState,
    Visibility,
)

_COLUMNS = (
    "id",
    "owner_id",
    "title",
    "description",
    "tags",
    "visibility",
    "protection",
    "state",
    "progress",
    "step",
    "playable",
    "duration",
    "width",
    "height",
    "source_key",
    "source_name",
    "source_size",
    "source_sha256",
    "package_id",
    "poster_key",
    "error_code",
    "error_detail",
    "error_hint",
    "notes",
    "created_at",
    "updated_at",
    "published_at",
    "deleted_at",
    "deleted_by",
    "publish_at",
    "speed",
    "eta",
    "paused",
    "priority",
    "allow_download",
    "keep_source",
    "password_hash",
    "embed_origins",
    "chapters",
    "chapters_edited",
    "clearance",
)
_READ = ", ".join(f"videos.{name}" for name in _COLUMNS) + ", users.name AS owner_name, "
_READ += "(SELECT packages.protection FROM packages WHERE packages.id = videos.package_id) AS protection_in_use, "
_READ += "EXISTS (SELECT 1 FROM review_cases WHERE review_cases.video_id = videos.id) AS under_review"
_SELECT = f"SELECT {_READ} FROM videos JOIN users ON users.id = videos.owner_id"
_INSERT = f"INSERT INTO videos ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)})"

LISTED = (
    "videos.visibility = 'public' AND videos.playable = 1 AND videos.state <> 'failed' AND videos.deleted_at IS NULL "
    "AND videos.clearance = 'open'"
)
"""What everybody may find in lists; the same rule as `model.videos.may_view`, narrowed to public."""


def _row(video: Video) -> dict[str, Any]:
    error = video.error
    return {
        "id": video.id,
        "owner_id": video.owner_id,
        "title": video.title,
        "description": video.description,
        "tags": json.dumps(video.tags, ensure_ascii=False),
        "visibility": video.visibility.value,
        "protection": video.protection.value,
        "state": video.state.value,
        "progress": video.progress,
        "step": video.step,
        "playable": int(video.playable),
        "duration": video.duration,
        "width": video.width,
        "height": video.height,
        "source_key": video.source_key,
        "source_name": video.source_name,
        "source_size": video.source_size,
        "source_sha256": video.source_sha256,
        "package_id": video.package_id,
        "poster_key": video.poster_key,
        "error_code": error.code if error else None,
        "error_detail": error.detail if error else None,
        "error_hint": error.hint if error else None,
        "notes": json.dumps(video.notes, ensure_ascii=False),
        "created_at": video.created_at,
        "updated_at": video.updated_at,
        "published_at": video.published_at,
        "deleted_at": video.deleted_at,
        "deleted_by": video.deleted_by,
        "publish_at": video.publish_at,
        "speed": video.speed,
        "eta": video.eta,
        "paused": int(video.paused),
        "priority": video.priority,
        "allow_download": int(video.allow_download),
        "keep_source": video.keep_source,
        "password_hash": video.password_hash,
        "embed_origins": json.dumps(video.embed_origins),
        "chapters": chapters_text(video.chapters),
        "chapters_edited": int(video.chapters_edited),
        "clearance": video.clearance.value,
    }


def _video(row: Mapping[str, Any], renditions: Sequence[RenditionSummary] = ()) -> Video:
    failure = None
    if row["error_code"]:
        failure = Failure(row["error_code"], row["error_detail"] or "", row["error_hint"])
    plain = {name: row[name] for name in _COLUMNS if not name.startswith("error_")}
    plain |= {
        "tags": tuple(json.loads(row["tags"])),
        "notes": tuple(json.loads(row["notes"])),
        "embed_origins": tuple(json.loads(row["embed_origins"])),
        "visibility": Visibility(row["visibility"]),
        "protection": Protection(row["protection"]),
        "state": VideoState(row["state"]),
        "playable": bool(row["playable"]),
        "paused": bool(row["paused"]),
        "allow_download": bool(row["allow_download"]),
        "chapters": tuple(ChapterMark(*mark) for mark in json.loads(row["chapters"])),
        "chapters_edited": bool(row["chapters_edited"]),
        "clearance": Clearance(row["clearance"]),
        "under_review": bool(row["under_review"]),
    }
    in_use = Protection(row["protection_in_use"]) if row["protection_in_use"] else None
    return Video(
        **plain,
        owner_name=row["owner_name"],
        error=failure,
        renditions=tuple(renditions),
        protection_in_use=in_use,
    )


def chapters_text(chapters: Sequence[ChapterMark]) -> str:
    """Chapters as the column keeps them."""
    return json.dumps(chapters, ensure_ascii=False)


async def insert(conn: Connection, video: Video) -> None:
    """Add a new video."""
    await conn.execute(_INSERT, _row(video))


async def get(conn: Connection, video_id: VideoId) -> Video | None:
    """One video with the renditions of its newest package, None if there is none, or if that is the form of no id."""
    if not is_id(video_id):
        return None
    row = await conn.fetch_one(f"{_SELECT} WHERE videos.id = :id", {"id": video_id})
    return _video(row, await renditions(conn, video_id)) if row else None


async def duration(conn: Connection, video_id: VideoId) -> float | None:
    """How long a video is, in seconds; None if that is not known, or there is no such video."""
    row = await conn.fetch_one("SELECT duration FROM videos WHERE id = :id", {"id": video_id})
    return row["duration"] if row else None


async def change(conn: Connection, video_id: VideoId, now: Timestamp, **columns: Any) -> bool:
    """Set the named columns of one video (plain values as stored); False if there is no such video."""
    unknown = set(columns) - set(_COLUMNS)
    if unknown:
        raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
    columns["updated_at"] = now
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    return await conn.execute(f"UPDATE videos SET {assignments} WHERE id = :id", {**columns, "id": video_id}) == 1


async def progress(
    conn: Connection,
    video_id: VideoId,
    share: float,
    step: str,
    speed: float | None = None,
    eta: float | None = None,
) -> None:
    """Note how far a video in the making is, and its pace; the share never goes back."""
    sql = (
        "UPDATE videos SET progress = CASE WHEN progress < :share THEN :share ELSE progress END, step = :step, "
        "speed = :speed, eta = :eta WHERE id = :id AND state = 'processing'"
    )
    await conn.execute(sql, {"share": share, "step": step, "speed": speed, "eta": eta, "id": video_id})


async def replace(conn: Connection, video: Video) -> None:
    """Store what people may edit: words, chapters, tags, who may watch, where and from when, protection, download, what
    is kept of the file."""
    row = _row(video)
    words = ("title", "description", "tags", "chapters", "chapters_edited")
    names = ("visibility", "publish_at", "published_at", "password_hash", "embed_origins", "protection")
    edited = (*words, *names, "allow_download", "keep_source")
    await change(conn, video.id, video.updated_at, **{name: row[name] for name in edited})


async def withdraw(conn: Connection, video_id: VideoId, now: Timestamp) -> None:
    """Note that others may no longer play the video."""
    await conn.execute("UPDATE videos SET withdrawn_at = :now WHERE id = :id", {"id": video_id, "now": now})


async def withdrawn_since(conn: Connection, moment: Timestamp) -> list[tuple[VideoId, Timestamp]]:
    """The videos that were withdrawn after `moment`, and when."""
    sql = "SELECT id, withdrawn_at FROM videos WHERE withdrawn_at > :moment"
    return [(VideoId(row["id"]), row["withdrawn_at"]) for row in await conn.fetch_all(sql, {"moment": moment})]


async def delete(conn: Connection, video_id: VideoId) -> bool:
    """Remove the row and all that hangs on it; False if it was gone already."""
    return await conn.execute("DELETE FROM videos WHERE id = :id", {"id": video_id}) == 1


async def listed(conn: Connection, before: tuple[Timestamp, VideoId] | None, limit: int) -> list[Video]:
    """Public playable videos, newest first; `before` is where the last page ended."""
    return await _page(conn, LISTED, {}, before, limit, "videos.published_at")


async def owned(
    conn: Connection, owner_id: UserId, before: tuple[Timestamp, VideoId] | None, limit: int
) -> list[Video]:
    """Everything of one owner, newest first."""
    where = "videos.owner_id = :owner AND videos.deleted_at IS NULL"
    return await _page(conn, where, {"owner": owner_id}, before, limit, "videos.created_at")


async def everything(
    conn: Connection,
    owner: UserId | None,
    state: VideoState | None,
    before: tuple[Timestamp, VideoId] | None,
    limit: int,
) -> list[Video]:
    """Everybody's videos, newest first; only an owner's, only those in a state, where one is named."""
    given = {"owner_id": owner, "state": state.value if state else None}
    values = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join(["videos.deleted_at IS NULL", *(f"videos.{name} = :{name}" for name in values)])
    return await _page(conn, where, values, before, limit, "videos.created_at")


async def selected(conn: Connection, clause: str, values: Mapping[str, Any]) -> list[Video]:
    """The videos for which a clause of SQL that begins with `WHERE` holds, for the other files of this floor."""
    return await _with_renditions(conn, await conn.fetch_all(f"{_SELECT} {clause}", values))


class KeptSource(NamedTuple):
    """A file that is kept: whose, under which rule of its own, since when the video is ready, and where."""

    video_id: VideoId
    rule: str | None
    ready_at: Timestamp
    key: str


async def kept_sources(conn: Connection, *, everything: bool) -> list[KeptSource]:
    """The files of videos that are ready: all of them, or only those with a rule of their own."""
    sql = (
        "SELECT videos.id, videos.keep_source, videos.source_key, packages.finished_at FROM videos "
        "JOIN packages ON packages.id = videos.package_id "
        "WHERE videos.state = 'ready' AND videos.source_key IS NOT NULL AND packages.finished_at IS NOT NULL "
        "AND (:everything = 1 OR videos.keep_source IS NOT NULL)"
    )
    rows = await conn.fetch_all(sql, {"everything": int(everything)})
    return [KeptSource(VideoId(r["id"]), r["keep_source"], r["finished_at"], r["source_key"]) for r in rows]


async def ids_of(conn: Connection, owner: UserId) -> list[VideoId]:
    """The ids of all videos of an owner."""
    rows = await conn.fetch_all("SELECT id FROM videos WHERE owner_id = :owner", {"owner": owner})
    return [VideoId(row["id"]) for row in rows]


async def tags_of(conn: Connection, owner: UserId) -> list[str]:
    """The tags on the videos of an owner, those that are used most first."""
    sql = "SELECT tags FROM videos WHERE owner_id = :owner AND tags <> '[]' AND deleted_at IS NULL"
    used = Counter(tag for row in await conn.fetch_all(sql, {"owner": owner}) for tag in json.loads(row["tags"]))
    return [tag for tag, _ in used.most_common()]


async def titles(conn: Connection, ids: Collection[VideoId]) -> dict[VideoId, str]:
    """What videos are called; those that are gone are left out."""
    names = {f"v{number}": video_id for number, video_id in enumerate(ids)}
    if not names:
        return {}
    marks = ", ".join(f":{name}" for name in names)
    rows = await conn.fetch_all(f"SELECT id, title FROM videos WHERE id IN ({marks})", names)
    return {VideoId(row["id"]): row["title"] for row in rows}


async def _page(
    conn: Connection,
    where: str,
    values: dict[str, Any],
    before: tuple[Timestamp, VideoId] | None,
    limit: int,
    order: str,
) -> list[Video]:
    if before:
        where += f" AND ({order}, videos.id) < (:moment, :last)"
        values = {**values, "moment": before[0], "last": before[1]}
    sql = f"{_SELECT} WHERE {where} ORDER BY {order} DESC, videos.id DESC LIMIT :limit"
    rows = await conn.fetch_all(sql, {**values, "limit": limit})
    return await _with_renditions(conn, rows)


async def _with_renditions(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Video]:
    """The videos of `rows`, their renditions fetched by one query for all."""
    names = {f"v{number}": row["id"] for number, row in enumerate(rows)}
    found: dict[str, list[RenditionSummary]] = {}
    if names:
        marks = ", ".join(f":{name}" for name in names)
        sql = f"{_RENDITIONS} WHERE renditions.video_id IN ({marks}) ORDER BY renditions.height DESC"
        for row in await conn.fetch_all(sql, names):
            found.setdefault(row["video_id"], []).append(_rendition(row))
    return [_video(row, found.get(row["id"], ())) for row in rows]


_RENDITIONS = "SELECT video_id, name, width, height, codec, bitrate, ready FROM renditions"


def _rendition(row: Mapping[str, Any]) -> RenditionSummary:
    return RenditionSummary(
        row["name"], row["width"], row["height"], row["codec"], row["bitrate"], ready=bool(row["ready"])
    )


async def renditions(conn: Connection, video_id: VideoId) -> list[RenditionSummary]:
    """The renditions of a video, largest first, those that are still being made among them."""
    sql = f"{_RENDITIONS} WHERE video_id = :id ORDER BY height DESC, name"
    return [_rendition(row) for row in await conn.fetch_all(sql, {"id": video_id})]


async def set_renditions(
    conn: Connection, video_id: VideoId, package_id: PackageId, summaries: Sequence[RenditionSummary]
) -> None:
    """Make `summaries` the renditions of the video."""
    await conn.execute("DELETE FROM renditions WHERE video_id = :id", {"id": video_id})
    for item in summaries:
        await conn.execute(
            "INSERT INTO renditions (video_id, package_id, name, width, height, codec, bitrate, ready) "
            "VALUES (:video, :package, :name, :width, :height, :codec, :bitrate, :ready)",
            {
                "video": video_id,
                "package": package_id,
                "name": item.name,
                "width": item.width,
                "height": item.height,
                "codec": item.codec,
                "bitrate": item.bitrate,
                "ready": int(item.ready),
            },
        )


async def of_ids(conn: Connection, ids: Collection[VideoId]) -> list[Video]:
    """Videos by id, whoever may see them, in no order; those that are gone are left out."""
    names = {f"v{number}": video_id for number, video_id in enumerate(ids)}
    if not names:
        return []
    marks = ", ".join(f":{name}" for name in names)
    return await _with_renditions(conn, await conn.fetch_all(f"{_SELECT} WHERE videos.id IN ({marks})", names))
