"""What viewers watched, read for recommendations: histories, neighbours, and the files that models learn from.

Whoever does not want recommendations of their own, and what was watched before somebody began anew, counts nowhere
here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from streamhost.db.core import Connection, Database
from streamhost.model.clock import Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Interest, Seen

STRENGTH = (
    "(CASE WHEN interactions.liked = 1 THEN 0.5 ELSE 0.0 END + CASE WHEN interactions.completed = 1 THEN 1.0 "
    "WHEN interactions.skipped = 1 THEN 0.0 ELSE interactions.watched END)"
)
"""How much an interaction says about somebody's taste, 0..1.5: what share was watched, and half as much for a like."""
LEAST = 0.05
"""Strength below which it says nothing: somebody looked in."""
_COUNTS = (
    f"{STRENGTH} >= {LEAST} AND NOT EXISTS (SELECT 1 FROM recommendation_wishes AS wish WHERE "
    "wish.viewer = interactions.viewer AND (wish.personal = 0 OR interactions.last_at < wish.since))"
)
WATCHED = f"(interactions.watched >= {LEAST} OR interactions.completed = 1 OR interactions.skipped = 1)"
"""Whether somebody has watched a video, or looked into it and left."""
_PAGE = 500
"""Viewers that one statement of an export reads: some tens of milliseconds."""


class Near(NamedTuple):
    """Somebody or something that has watchers, or videos, in common with another: how much, and how many in all."""

    other: str
    together: float
    size: int


async def history(conn: Connection, viewer: str, limit: int) -> list[Seen]:
    """What a viewer watched, newest first, without what says nothing."""
    sql = (
        f"SELECT video_id, {STRENGTH} AS strength, last_at FROM interactions WHERE viewer = :viewer AND {_COUNTS} "
        "ORDER BY last_at DESC LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"viewer": viewer, "limit": limit})
    return [Seen(VideoId(row["video_id"]), row["strength"], row["last_at"]) for row in rows]


async def watched_since(conn: Connection, viewer: str, since: Timestamp, limit: int) -> set[VideoId]:
    """What a viewer watched, or looked into and left, since then."""
    sql = (
        f"SELECT video_id FROM interactions WHERE viewer = :viewer AND last_at >= :since AND {WATCHED} "
        "ORDER BY last_at DESC LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"viewer": viewer, "since": since, "limit": limit})
    return {VideoId(row["video_id"]) for row in rows}


async def hidden_among(conn: Connection, viewer: str, ids: Collection[VideoId], since: Timestamp) -> set[VideoId]:
    """Which of these a viewer has watched since then, or does not want."""
    names = {f"v{place}": video_id for place, video_id in enumerate(ids)}
    if not names or not viewer:
        return set()
    marks = ", ".join(f":{name}" for name in names)
    sql = (
        f"SELECT video_id FROM interactions WHERE viewer = :viewer AND video_id IN ({marks}) AND +last_at >= :since "
        f"AND {WATCHED} UNION SELECT video_id FROM dismissed_videos WHERE viewer = :viewer AND video_id IN ({marks})"
    )
    return {VideoId(row["video_id"]) for row in await conn.fetch_all(sql, {**names, "viewer": viewer, "since": since})}


async def of_viewers(
    conn: Connection, viewers: Mapping[str, float], each: int, limit: int
) -> list[tuple[VideoId, float]]:
    """What these viewers watched lately, by how much each of them counts: the best first."""
    if not viewers:
        return []
    rows = ", ".join(f"(:v{place}, :w{place})" for place in range(len(viewers)))
    values: dict[str, Any] = {"each": each, "limit": limit}
    for place, (viewer, weight) in enumerate(viewers.items()):
        values |= {f"v{place}": viewer, f"w{place}": weight}
    sql = (
        f"WITH near(viewer, weight) AS (VALUES {rows}) "
        f"SELECT interactions.video_id, sum(near.weight * {STRENGTH}) AS score FROM near CROSS JOIN interactions "
        "ON interactions.rowid IN "
        "(SELECT latest.rowid FROM interactions AS latest WHERE latest.viewer = near.viewer "
        "ORDER BY latest.last_at DESC LIMIT :each) "
        f"WHERE {_COUNTS} GROUP BY interactions.video_id ORDER BY score DESC LIMIT :limit"
    )
    return [(VideoId(row["video_id"]), row["score"]) for row in await conn.fetch_all(sql, values)]


async def watched_together(
    conn: Connection, video_id: VideoId, viewers: int, each: int, limit: int
) -> tuple[int, list[Near]]:
    """How many viewers of a video count (at most `viewers`, the latest), and what else they watched lately."""
    fans = (
        f"SELECT viewer, {STRENGTH} AS strength FROM interactions WHERE video_id = :video AND {_COUNTS} "
        "ORDER BY last_at DESC LIMIT :viewers"
    )
    sql = (
        f"WITH fans AS MATERIALIZED ({fans}) "
        f"SELECT interactions.video_id AS other, sum(fans.strength * {STRENGTH}) AS together, "
        "(SELECT count(*) FROM fans) AS fans, coalesce((SELECT viewers FROM video_heat WHERE "
        "video_heat.video_id = interactions.video_id), 1) AS size "
        "FROM fans CROSS JOIN interactions ON interactions.rowid IN "
        "(SELECT latest.rowid FROM interactions AS latest WHERE latest.viewer = fans.viewer "
        "ORDER BY latest.last_at DESC LIMIT :each) "
        f"WHERE interactions.video_id <> :video AND {_COUNTS} "
        "GROUP BY interactions.video_id ORDER BY together DESC LIMIT :limit"
    )
    values = {"video": video_id, "viewers": viewers, "each": each, "limit": limit}
    rows = await conn.fetch_all(sql, values)
    return (rows[0]["fans"] if rows else 0), [Near(r["other"], r["together"], r["size"]) for r in rows]


async def watched_the_same(conn: Connection, viewer: str, videos: int, each: int, limit: int) -> tuple[int, list[Near]]:
    """How many videos of a viewer count (at most `videos`, the latest), and who else watched them lately.

    A video that many watched says less: half as much for 50 viewers, a third for 100."""
    mine = (
        f"SELECT video_id, {STRENGTH} AS strength FROM interactions WHERE viewer = :viewer AND {_COUNTS} "
        "ORDER BY last_at DESC LIMIT :videos"
    )
    sql = (
        f"WITH mine AS MATERIALIZED ({mine}) "
        f"SELECT interactions.viewer AS other, (SELECT count(*) FROM mine) AS mine, sum(mine.strength * {STRENGTH} / "
        "(1 + 0.02 * coalesce((SELECT viewers FROM video_heat WHERE video_heat.video_id = mine.video_id), 1))) "
        "AS together, (SELECT count(*) FROM (SELECT 1 FROM interactions AS theirs WHERE "
        "theirs.viewer = interactions.viewer LIMIT :videos)) AS size "
        "FROM mine CROSS JOIN interactions ON interactions.rowid IN "
        "(SELECT latest.rowid FROM interactions AS latest WHERE latest.video_id = mine.video_id "
        "ORDER BY latest.last_at DESC LIMIT :each) "
        f"WHERE interactions.viewer <> :viewer AND {_COUNTS} "
        "GROUP BY interactions.viewer ORDER BY together DESC LIMIT :limit"
    )
    values = {"viewer": viewer, "videos": videos, "each": each, "limit": limit}
    rows = await conn.fetch_all(sql, values)
    return (rows[0]["mine"] if rows else 0), [Near(r["other"], r["together"], r["size"]) for r in rows]


async def views_of(conn: Connection, video_id: VideoId, limit: int) -> list[tuple[float, Timestamp]]:
    """The latest views of a video that count for anything: how strong, and when."""
    sql = (
        f"SELECT {STRENGTH} AS strength, last_at FROM interactions WHERE video_id = :video AND {STRENGTH} >= {LEAST} "
        "ORDER BY last_at DESC LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"video": video_id, "limit": limit})
    return [(row["strength"], row["last_at"]) for row in rows]


async def standing(conn: Connection) -> str:
    """A mark of what was watched and of what viewers have chosen, another as soon as something comes, changes or goes;
    empty where nothing was watched."""
    row = await conn.fetch_one(
        "SELECT (SELECT count(*) FROM interactions) AS many, (SELECT max(last_at) FROM interactions) AS latest, "
        "(SELECT max(changed_at) FROM recommendation_wishes) AS chosen"
    )
    return f"{row['many']} {row['latest']} {row['chosen']}" if row and row["many"] else ""


async def interest(conn: Connection, viewer: str) -> Interest:
    """What a viewer has chosen."""
    sql = "SELECT personal, since FROM recommendation_wishes WHERE viewer = :viewer"
    row = await conn.fetch_one(sql, {"viewer": viewer})
    return Interest(bool(row["personal"]), row["since"]) if row else Interest()


async def choose(conn: Connection, viewer: str, interest: Interest, now: Timestamp) -> None:
    """Note what a viewer has chosen."""
    sql = (
        "INSERT INTO recommendation_wishes (viewer, personal, since, changed_at) "
        "VALUES (:viewer, :personal, :since, :now) "
        "ON CONFLICT (viewer) DO UPDATE SET personal = excluded.personal, since = excluded.since, changed_at = :now"
    )
    values = {"viewer": viewer, "personal": int(interest.personal), "since": interest.since, "now": now}
    await conn.execute(sql, values)


async def dismiss(conn: Connection, viewer: str, video_id: VideoId, now: Timestamp, most: int) -> None:
    """Note that a viewer does not want to see a video proposed; the oldest such notes beyond `most` go."""
    sql = (
        "INSERT INTO dismissed_videos (viewer, video_id, dismissed_at) VALUES (:viewer, :video, :now) "
        "ON CONFLICT (viewer, video_id) DO UPDATE SET dismissed_at = :now"
    )
    await conn.execute(sql, {"viewer": viewer, "video": video_id, "now": now})
    sql = (
        "DELETE FROM dismissed_videos WHERE viewer = :viewer AND video_id IN (SELECT video_id FROM dismissed_videos "
        "WHERE viewer = :viewer ORDER BY dismissed_at DESC LIMIT -1 OFFSET :most)"
    )
    await conn.execute(sql, {"viewer": viewer, "most": most})


async def take_back(conn: Connection, viewer: str, video_id: VideoId | None = None) -> None:
    """Forget that a viewer did not want a video, or all of them."""
    sql = "DELETE FROM dismissed_videos WHERE viewer = :viewer" + (" AND video_id = :video" if video_id else "")
    await conn.execute(sql, {"viewer": viewer} | ({"video": video_id} if video_id else {}))


async def dismissed(conn: Connection, viewer: str) -> list[tuple[VideoId, Timestamp]]:
    """What a viewer does not want, and since when; the latest first."""
    sql = "SELECT video_id, dismissed_at FROM dismissed_videos WHERE viewer = :viewer ORDER BY dismissed_at DESC"
    return [(VideoId(row["video_id"]), row["dismissed_at"]) for row in await conn.fetch_all(sql, {"viewer": viewer})]


async def sweep_visitors(conn: Connection, before: Timestamp) -> None:
    """Forget what visitors without an account chose before that moment."""
    values = {"before": before}
    await conn.execute("DELETE FROM dismissed_videos WHERE viewer LIKE 's:%' AND dismissed_at < :before", values)
    await conn.execute("DELETE FROM recommendation_wishes WHERE viewer LIKE 's:%' AND changed_at < :before", values)


async def videos_by_number(db: Database) -> AsyncIterator[Sequence[str]]:
    """`number id` of every video, for reading what `export` gives."""
    last = -1
    sql = "SELECT number, id FROM videos WHERE number > :last ORDER BY number LIMIT 5000"
    while True:
        async with db.read() as conn:
            rows = await conn.fetch_all(sql, {"last": last})
        if not rows:
            return
        last = rows[-1]["number"]
        yield [f"{row['number']} {row['id']}" for row in rows]


async def export(db: Database) -> AsyncIterator[Sequence[str]]:
    """Everything that counts, a line a viewer: `number weight hour …` of the videos, as `ml.recommending.table` reads.

    The lines are made inside the database, so that ten million rows do not go through the server's hands one by one; a
    page of viewers at a time."""
    last = ""
    sql = (
        f"SELECT group_concat(videos.number || ' ' || CAST({STRENGTH} * 100 AS INTEGER) || ' ' || "
        "CAST(interactions.last_at / 3600 AS INTEGER), ' ') AS line "
        "FROM interactions JOIN videos ON videos.id = interactions.video_id "
        f"WHERE interactions.viewer > :last AND interactions.viewer <= :until AND {_COUNTS} "
        "GROUP BY interactions.viewer"
    )
    page = (
        "SELECT max(viewer) AS until FROM (SELECT DISTINCT viewer FROM interactions WHERE viewer > :last "
        "ORDER BY viewer LIMIT :page)"
    )
    while True:
        async with db.read() as conn:
            until = await conn.fetch_one(page, {"last": last, "page": _PAGE})
            if until is None or until["until"] is None:
                return
            rows = await conn.fetch_all(sql, {"last": last, "until": until["until"]})
        last = until["until"]
        yield [row["line"] for row in rows]
