"""Rows of `interactions`: what one viewer has seen of one video, and whether they like it.

`viewer` is `u:<user id>` for whoever is signed in, and `s:<id of the visit>` for others. Nothing stands here of viewers
who asked not to be tracked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import Span

_SEEN = ("watched", "completed", "skipped", "liked", "position", "spans")
_COLUMNS = ("viewer", "video_id", *_SEEN, "first_at", "last_at")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM interactions"
_UPSERT = """
INSERT INTO interactions (viewer, video_id, watched, completed, skipped, position, spans, first_at, last_at)
VALUES (:viewer, :video_id, :watched, :completed, :skipped, :position, :spans, :first_at, :last_at)
ON CONFLICT (viewer, video_id) DO UPDATE SET
    watched = excluded.watched, completed = excluded.completed, skipped = excluded.skipped,
    position = excluded.position, spans = excluded.spans, last_at = excluded.last_at
"""
_TOGETHER = 100
"""Pairs asked for in one statement."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """`watched`: the share of the video, 0..1, seen in all sessions together; `position`: where the player was last, in
    seconds; `spans`: the parts that were seen. `skipped`: left right at the beginning, and never taken up again."""

    viewer: str
    video_id: VideoId
    watched: float
    completed: bool
    skipped: bool
    liked: bool
    position: float | None
    spans: tuple[Span, ...]
    first_at: Timestamp
    last_at: Timestamp


def of_user(user_id: UserId) -> str:
    """The viewer that a user is."""
    return f"u:{user_id}"


def _interaction(row: Mapping[str, Any]) -> Interaction:
    flags = {name: bool(row[name]) for name in ("completed", "skipped", "liked")}
    spans = msgspec.json.decode(row["spans"], type=tuple[Span, ...])
    return Interaction(**{name: row[name] for name in _COLUMNS} | flags | {"spans": spans})


async def get(conn: Connection, viewer: str, video_id: VideoId) -> Interaction | None:
    """What a viewer has seen of a video; None if nothing is known."""
    row = await conn.fetch_one(
        f"{_SELECT} WHERE viewer = :viewer AND video_id = :video", {"viewer": viewer, "video": video_id}
    )
    return _interaction(row) if row else None


async def of_viewer(conn: Connection, viewer: str, limit: int, before: Timestamp | None = None) -> list[Interaction]:
    """What a viewer has seen, the latest first; with `before`, of what lies before that moment."""
    sql = f"{_SELECT} WHERE viewer = :viewer" + (" AND last_at < :before" if before is not None else "")
    values: dict[str, Any] = {"viewer": viewer, "limit": limit}
    if before is not None:
        values["before"] = before
    return [_interaction(row) for row in await conn.fetch_all(f"{sql} ORDER BY last_at DESC LIMIT :limit", values)]


async def of_pairs(conn: Connection, pairs: Collection[tuple[str, VideoId]]) -> dict[tuple[str, VideoId], Interaction]:
    """What is known of these viewers and videos."""
    found: dict[tuple[str, VideoId], Interaction] = {}
    wanted = list(pairs)
    for at in range(0, len(wanted), _TOGETHER):
        part = wanted[at : at + _TOGETHER]
        either = " OR ".join(f"(viewer = :v{n} AND video_id = :d{n})" for n in range(len(part)))
        values = {f"v{n}": viewer for n, (viewer, _) in enumerate(part)}
        values |= {f"d{n}": video for n, (_, video) in enumerate(part)}
        for row in await conn.fetch_all(f"{_SELECT} WHERE {either}", values):
            one = _interaction(row)
            found[(one.viewer, one.video_id)] = one
    return found


async def put(conn: Connection, interactions: Sequence[Interaction]) -> None:
    """Write what was seen; whether it is liked is left as it is."""
    rows = [
        {name: getattr(one, name) for name in _COLUMNS if name != "liked"}
        | {"completed": int(one.completed), "skipped": int(one.skipped)}
        | {"spans": msgspec.json.encode(one.spans).decode()}
        for one in interactions
    ]
    await conn.execute_many(_UPSERT, rows)


async def forget(conn: Connection, viewer: str, video_id: VideoId | None = None) -> None:
    """Forget what a viewer has watched, or what of one video; what plays at the moment no longer counts for them. Likes
    stay."""
    values = {"viewer": viewer} | ({"video": video_id} if video_id is not None else {})
    where = "viewer = :viewer" + (" AND video_id = :video" if video_id is not None else "")
    await conn.execute(f"DELETE FROM interactions WHERE {where} AND liked = 0", values)
    await conn.execute(
        f"UPDATE interactions SET watched = 0, completed = 0, skipped = 0, position = NULL, spans = '[]' WHERE {where}",
        values,
    )
    await conn.execute(f"UPDATE playbacks SET viewer = '' WHERE {where}", values)


async def delete_visitors(conn: Connection, before: Timestamp) -> int:
    """Forget visitors without an account who were last here before a moment; how many rows went."""
    return await conn.execute(
        "DELETE FROM interactions WHERE viewer LIKE 's:%' AND last_at < :before", {"before": before}
    )
