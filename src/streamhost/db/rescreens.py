"""Rows of `rescreens` and `rescreened`: looks at every video anew, and what each has found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.cases import Change, Rescreen, RunState
from streamhost.model.clock import Timestamp
from streamhost.model.ids import RescreenId, VideoId
from streamhost.model.verdicts import Decision, Risk
from streamhost.model.videos import Clearance

_SELECT = """
SELECT rescreens.*,
    (SELECT COUNT(*) FROM rescreened WHERE rescreen_id = rescreens.id AND (decision IS NOT NULL OR failed = 1)) AS done,
    (SELECT COUNT(*) FROM rescreened WHERE rescreen_id = rescreens.id
        AND clearance_before <> clearance_after) AS changed,
    (SELECT COUNT(*) FROM rescreened WHERE rescreen_id = rescreens.id AND failed = 1) AS failed
FROM rescreens
"""


async def insert(conn: Connection, run: Rescreen) -> None:
    """Add a run."""
    await conn.execute(
        "INSERT INTO rescreens (id, state, started_at, started_by, total) VALUES (:id, :state, :at, :by, :total)",
        {"id": run.id, "state": run.state.value, "at": run.started_at, "by": run.started_by, "total": run.total},
    )


async def get(conn: Connection, run_id: RescreenId) -> Rescreen | None:
    """One run."""
    row = await conn.fetch_one(f"{_SELECT} WHERE rescreens.id = :id", {"id": run_id})
    return _run(row) if row else None


async def newest(conn: Connection) -> Rescreen | None:
    """The run that was begun last."""
    row = await conn.fetch_one(f"{_SELECT} ORDER BY rescreens.started_at DESC, rescreens.id DESC LIMIT 1")
    return _run(row) if row else None


async def change(conn: Connection, run_id: RescreenId, state: RunState, finished_at: Timestamp | None = None) -> None:
    """Move a run on."""
    await conn.execute(
        "UPDATE rescreens SET state = :state, finished_at = :at WHERE id = :id",
        {"id": run_id, "state": state.value, "at": finished_at},
    )


async def forget_others(conn: Connection, run_id: RescreenId) -> None:
    """Forget every run but this one: what they found is no longer so."""
    await conn.execute("DELETE FROM rescreens WHERE id <> :id", {"id": run_id})


async def count_videos(conn: Connection) -> int:
    """How many videos there are to look at."""
    row = await conn.fetch_one("SELECT COUNT(*) AS number FROM videos WHERE state = 'ready'")
    return int(row["number"]) if row else 0


async def following(conn: Connection, after: VideoId | None, limit: int) -> list[VideoId]:
    """Videos to look at, in an order that does not change."""
    sql = "SELECT id FROM videos WHERE state = 'ready' AND id > :after ORDER BY id LIMIT :limit"
    return [VideoId(row["id"]) for row in await conn.fetch_all(sql, {"after": after or "", "limit": limit})]


async def to_apply(conn: Connection, run_id: RescreenId, after: VideoId | None, limit: int) -> list[VideoId]:
    """Videos that a run would change and has not changed yet."""
    sql = (
        "SELECT video_id FROM rescreened WHERE rescreen_id = :run AND clearance_before <> clearance_after "
        "AND applied = 0 AND video_id > :after ORDER BY video_id LIMIT :limit"
    )
    values = {"run": run_id, "after": after or "", "limit": limit}
    return [VideoId(row["video_id"]) for row in await conn.fetch_all(sql, values)]


async def expect(conn: Connection, run_id: RescreenId, video_id: VideoId) -> None:
    """Note that a video is to be looked at in a run."""
    sql = "INSERT INTO rescreened (rescreen_id, video_id) VALUES (:run, :video) ON CONFLICT DO NOTHING"
    await conn.execute(sql, {"run": run_id, "video": video_id})


async def note(conn: Connection, run_id: RescreenId, found: Change) -> None:
    """Keep what a run found of a video."""
    await conn.execute(
        "UPDATE rescreened SET clearance_before = :before, clearance_after = :after, risk = :risk, "
        "decision = :decision, failed = 0 WHERE rescreen_id = :run AND video_id = :video",
        {
            "run": run_id,
            "video": found.video_id,
            "before": found.before.value,
            "after": found.after.value,
            "risk": found.risk.value,
            "decision": found.decision.value,
        },
    )


async def fail(conn: Connection, run_id: RescreenId, video_id: VideoId) -> None:
    """Note that nobody could look at a video, or that what was found could not be put into effect."""
    sql = "UPDATE rescreened SET failed = 1 WHERE rescreen_id = :run AND video_id = :video"
    await conn.execute(sql, {"run": run_id, "video": video_id})


async def applied(conn: Connection, run_id: RescreenId, video_id: VideoId) -> None:
    """Note that what a run found of a video was put into effect."""
    sql = "UPDATE rescreened SET applied = 1 WHERE rescreen_id = :run AND video_id = :video"
    await conn.execute(sql, {"run": run_id, "video": video_id})


async def leave_out(conn: Connection, run_id: RescreenId, video_id: VideoId) -> None:
    """Note that there is nothing to look at in a video."""
    sql = "DELETE FROM rescreened WHERE rescreen_id = :run AND video_id = :video"
    await conn.execute(sql, {"run": run_id, "video": video_id})


async def open_looks(conn: Connection, run_id: RescreenId) -> int:
    """How many videos of a run were not looked at yet."""
    sql = (
        "SELECT COUNT(*) AS number FROM rescreened WHERE rescreen_id = :run AND decision IS NULL AND failed = 0 LIMIT 1"
    )
    row = await conn.fetch_one(sql, {"run": run_id})
    return int(row["number"]) if row else 0


async def open_changes(conn: Connection, run_id: RescreenId) -> int:
    """How many changes of a run were not put into effect yet."""
    sql = (
        "SELECT COUNT(*) AS number FROM rescreened WHERE rescreen_id = :run "
        "AND clearance_before <> clearance_after AND applied = 0 AND failed = 0"
    )
    row = await conn.fetch_one(sql, {"run": run_id})
    return int(row["number"]) if row else 0


async def changes(conn: Connection, run_id: RescreenId, after: VideoId | None, limit: int) -> list[Change]:
    """What a run would change, or has changed, by the videos' ids."""
    sql = (
        "SELECT rescreened.*, videos.title FROM rescreened JOIN videos ON videos.id = rescreened.video_id "
        "WHERE rescreen_id = :run AND clearance_before <> clearance_after AND rescreened.video_id > :after "
        "ORDER BY rescreened.video_id LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"run": run_id, "after": after or "", "limit": limit})
    return [
        Change(
            VideoId(row["video_id"]),
            row["title"],
            Clearance(row["clearance_before"]),
            Clearance(row["clearance_after"]),
            Risk(row["risk"]),
            Decision(row["decision"]),
            bool(row["applied"]),
        )
        for row in rows
    ]


def _run(row: Mapping[str, Any]) -> Rescreen:
    return Rescreen(
        RescreenId(row["id"]),
        RunState(row["state"]),
        row["started_at"],
        row["started_by"],
        row["total"],
        row["done"],
        row["changed"],
        row["failed"],
        row["finished_at"],
    )
