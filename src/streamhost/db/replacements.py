"""Rows of `replacements`: a file that is to take the place of a video's, until it does or turns out not to fit."""

from __future__ import annotations

from typing import Any

from streamhost.db.core import Connection, Row
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.videos import SCREENING, Failure, Replacement

_COLUMNS = ("video_id", "source_key", "source_name", "source_size", "source_sha256", "package_id", "created_at")


def _replacement(row: Row) -> Replacement:
    failure = None
    if row["error_code"]:
        failure = Failure(row["error_code"], row["error_detail"] or "", row["error_hint"])
    return Replacement(
        **{name: row[name] for name in (*_COLUMNS, "progress", "step", "width", "duration")}, error=failure
    )


async def put(conn: Connection, replacement: Replacement) -> None:
    """Note a new file for a video, in place of any that was noted before."""
    await delete(conn, replacement.video_id)
    await conn.execute(
        f"INSERT INTO replacements ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)})",
        {name: getattr(replacement, name) for name in _COLUMNS},
    )


async def get(conn: Connection, video_id: VideoId) -> Replacement | None:
    """The file that is to take the place of a video's, None if there is none."""
    row = await conn.fetch_one("SELECT * FROM replacements WHERE video_id = :id", {"id": video_id})
    return _replacement(row) if row else None


async def of_package(conn: Connection, package_id: PackageId) -> Replacement | None:
    """The file from which a package is made, if it is still to take another's place."""
    row = await conn.fetch_one("SELECT * FROM replacements WHERE package_id = :id", {"id": package_id})
    return _replacement(row) if row else None


async def started(conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
    """Note which package is made of it."""
    await conn.execute(
        "UPDATE replacements SET package_id = :package WHERE video_id = :id", {"package": package_id, "id": video_id}
    )


async def progress(conn: Connection, package_id: PackageId, share: float, step: str) -> None:
    """Note how far what is made of it is; the share never goes back. Of an earlier file nothing is noted any more."""
    await conn.execute(
        "UPDATE replacements SET progress = CASE WHEN progress < :share THEN :share ELSE progress END, step = :step "
        "WHERE package_id = :id",
        {"share": share, "step": step, "id": package_id},
    )


async def made(conn: Connection, video_id: VideoId, width: int | None, duration: float) -> None:
    """Note that all of it stands, and waits until it was looked at."""
    await conn.execute(
        "UPDATE replacements SET progress = 1, step = :step, width = :width, duration = :duration WHERE video_id = :id",
        {"step": SCREENING, "width": width, "duration": duration, "id": video_id},
    )


async def failed(conn: Connection, video_id: VideoId, error: Failure) -> None:
    """Note why it does not take the other's place."""
    values: dict[str, Any] = {"code": error.code, "detail": error.detail, "hint": error.hint, "id": video_id}
    await conn.execute(
        "UPDATE replacements SET error_code = :code, error_detail = :detail, error_hint = :hint, package_id = NULL, "
        "step = '' WHERE video_id = :id",
        values,
    )
    await _close_case(conn, video_id)


async def delete(conn: Connection, video_id: VideoId) -> None:
    """It has taken the other's place, or another one takes its own."""
    await conn.execute("DELETE FROM replacements WHERE video_id = :id", {"id": video_id})
    await _close_case(conn, video_id)


async def _close_case(conn: Connection, video_id: VideoId) -> None:
    """Nobody need look at a file that waits no more."""
    sql = "DELETE FROM review_cases WHERE video_id = :id AND cause = 'new_file'"
    await conn.execute(sql, {"id": video_id})


async def forget_failed(conn: Connection, before: Timestamp) -> int:
    """Forget files that did not fit, noted before a moment; how many."""
    sql = "DELETE FROM replacements WHERE error_code IS NOT NULL AND created_at < :before"
    return await conn.execute(sql, {"before": before})
