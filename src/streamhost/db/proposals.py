"""Queries for videos that may be proposed: by how popular, how new, how alike they are. All of them within `LISTED`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from streamhost.db.core import Connection
from streamhost.db.tastes import WATCHED
from streamhost.db.videos import LISTED, selected
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.recommendations import MOST_TOPICS, Facts
from streamhost.model.videos import Video

AMONG = f"+({LISTED})"
"""For a few videos by id: the sign keeps SQLite from going through all that are public instead of looking these up."""
MOST_WORDS = 6
"""Words of a video that are looked for in others: its rarest."""
COMMON_SHARE = 0.05
"""A word that stands in more than this share of all videos says nothing."""
COMMON_COUNT = 300
"""Nor does one in more videos than that: finding them all would take too long."""
MOST_COMMON = 20_000
"""Common words that are remembered as such."""
_READ_WORDS = 200
"""Words at the beginning of a video's texts among which the rarest are looked for."""
_LOOKED = 2
"""Rows that are looked at for each that is wanted: some of the most popular may not be listed."""


async def facts(conn: Connection, ids: Collection[VideoId]) -> dict[VideoId, Facts]:
    """What ranking needs to know of these videos; those that nobody may find are left out."""
    names = {f"v{place}": video_id for place, video_id in enumerate(ids)}
    if not names:
        return {}
    sql = (
        "SELECT videos.id, videos.owner_id, videos.tags, videos.published_at, video_heat.heat FROM videos "
        "LEFT JOIN video_heat ON video_heat.video_id = videos.id "
        f"WHERE videos.id IN ({', '.join(f':{name}' for name in names)}) AND {AMONG}"
    )
    return {VideoId(row["id"]): _facts(row) for row in await conn.fetch_all(sql, names)}


def _facts(row: Mapping[str, Any]) -> Facts:
    topics = _topics(row["tags"])
    return Facts(VideoId(row["id"]), UserId(row["owner_id"]), topics, row["published_at"], row["heat"] or 0.0)


@lru_cache(maxsize=10_000)
def _topics(tags: str) -> frozenset[str]:
    return frozenset(str(tag).casefold() for tag in json.loads(tags)[:MOST_TOPICS])


async def listed_among(conn: Connection, ids: Collection[VideoId]) -> dict[VideoId, Video]:
    """Those of the videos that everybody may find."""
    names = {f"v{place}": video_id for place, video_id in enumerate(ids)}
    if not names:
        return {}
    clause = f"WHERE videos.id IN ({', '.join(f':{name}' for name in names)}) AND {AMONG}"
    return {video.id: video for video in await selected(conn, clause, names)}


async def titles(conn: Connection, ids: Collection[VideoId], user_id: UserId | None) -> dict[VideoId, str]:
    """What those of these are called that everybody may find, or that are the user's own."""
    names = {f"v{place}": video_id for place, video_id in enumerate(ids)}
    if not names:
        return {}
    sql = (
        f"SELECT id, title FROM videos WHERE id IN ({', '.join(f':{name}' for name in names)}) "
        f"AND +(({LISTED}) OR (owner_id = :user AND deleted_at IS NULL))"
    )
    rows = await conn.fetch_all(sql, {**names, "user": user_id or ""})
    return {VideoId(row["id"]): row["title"] for row in rows}


async def popular(conn: Connection, limit: int) -> list[tuple[VideoId, float]]:
    """The most watched of late, and their heat."""
    sql = (
        f"SELECT hot.video_id, hot.heat FROM (SELECT video_id, heat FROM video_heat ORDER BY heat DESC "
        f"LIMIT {_LOOKED} * :limit) AS hot JOIN videos ON videos.id = hot.video_id "
        f"WHERE {LISTED} ORDER BY hot.heat DESC LIMIT :limit"
    )
    return [(VideoId(row["video_id"]), row["heat"]) for row in await conn.fetch_all(sql, {"limit": limit})]


async def newest(conn: Connection, limit: int) -> list[tuple[VideoId, Timestamp]]:
    """The latest published, and when."""
    sql = (
        f"SELECT videos.id, videos.published_at FROM videos WHERE {LISTED} AND videos.published_at IS NOT NULL "
        "ORDER BY videos.published_at DESC LIMIT :limit"
    )
    return [(VideoId(row["id"]), row["published_at"]) for row in await conn.fetch_all(sql, {"limit": limit})]


async def latest_unseen(
    conn: Connection, viewer: str, since: Timestamp, without: Collection[VideoId], limit: int
) -> list[Video]:
    """The latest published that a viewer has neither watched since then nor dismissed, without some."""
    names = {f"v{place}": video_id for place, video_id in enumerate(without)}
    marks = ", ".join(f":{name}" for name in names) or "''"
    clause = (
        f"WHERE {LISTED} AND videos.id NOT IN ({marks}) AND NOT EXISTS "
        "(SELECT 1 FROM interactions WHERE interactions.viewer = :viewer AND interactions.video_id = videos.id "
        f"AND interactions.last_at >= :since AND {WATCHED}) AND NOT EXISTS (SELECT 1 FROM dismissed_videos AS unwanted "
        "WHERE unwanted.viewer = :viewer AND unwanted.video_id = videos.id) "
        "ORDER BY videos.published_at DESC LIMIT :limit"
    )
    return await selected(conn, clause, {**names, "viewer": viewer, "since": since, "limit": limit})


async def by_owners(
    conn: Connection, owners: Collection[UserId], limit: int
) -> list[tuple[VideoId, UserId, Timestamp]]:
    """The latest videos of these people."""
    found: list[tuple[VideoId, UserId, Timestamp]] = []
    sql = (
        "SELECT videos.id, videos.owner_id, videos.published_at FROM videos "
        f"WHERE videos.owner_id = :owner AND {LISTED} ORDER BY videos.created_at DESC LIMIT :limit"
    )
    for owner in owners:
        for row in await conn.fetch_all(sql, {"owner": owner, "limit": limit}):
            found.append((VideoId(row["id"]), UserId(row["owner_id"]), row["published_at"] or 0.0))
    return found


async def owners_of(conn: Connection, ids: Collection[VideoId]) -> dict[VideoId, UserId]:
    """Whose these videos are, listed or not."""
    names = {f"v{place}": video_id for place, video_id in enumerate(ids)}
    if not names:
        return {}
    sql = f"SELECT id, owner_id FROM videos WHERE id IN ({', '.join(f':{name}' for name in names)})"
    return {VideoId(row["id"]): UserId(row["owner_id"]) for row in await conn.fetch_all(sql, names)}


async def hardly_known(conn: Connection, after: int, viewers: int, limit: int) -> list[VideoId]:
    """Listed videos with at most so many viewers, of those that follow a place in the catalog; see `last_number`."""
    sql = (
        "SELECT videos.id FROM (SELECT number FROM videos WHERE number >= :after ORDER BY number "
        f"LIMIT {_LOOKED} * :limit) AS some JOIN videos ON videos.number = some.number LEFT JOIN video_heat ON "
        f"video_heat.video_id = videos.id WHERE coalesce(video_heat.viewers, 0) <= :viewers AND {LISTED} LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"after": after, "viewers": viewers, "limit": limit})
    return [VideoId(row["id"]) for row in rows]


async def last_number(conn: Connection) -> int:
    """The highest place in the catalog."""
    row = await conn.fetch_one("SELECT max(number) AS number FROM videos")
    return int(row["number"] or 0) if row else 0


async def alike(conn: Connection, video_id: VideoId, limit: int, common: set[str]) -> list[tuple[VideoId, float]]:
    """Videos with the same rare words in title, tags or description, and how well they fit (BM25), best first.

    `common`: words that were found to stand in too many videos, for the next time: counting them takes longest, and
    what is common stays so."""
    sql = "SELECT title, tags, description FROM videos WHERE id = :id"
    row = await conn.fetch_one(sql, {"id": video_id})
    if row is None:
        return []
    told = words_of(f"{row['title']} {' '.join(json.loads(row['tags']))} {row['description']}")
    words = await _rarest(conn, [word for word in told if word not in common], common)
    if not words:
        return []
    sql = (
        "SELECT videos.id, -bm25(videos_fts, 4.0, 1.0, 4.0) AS score FROM videos_fts "
        "JOIN videos ON videos.number = videos_fts.rowid "
        f"WHERE videos_fts MATCH :match AND videos.id <> :id AND {LISTED} ORDER BY score DESC LIMIT :limit"
    )
    values = {"match": " OR ".join(f'"{word}"' for word in words), "id": video_id, "limit": limit}
    return [(VideoId(row["id"]), row["score"]) for row in await conn.fetch_all(sql, values)]


async def _rarest(conn: Connection, words: Sequence[str], common: set[str]) -> list[str]:
    """Those of the words that stand in other videos too, but in few; the others are noted as common."""
    names = {f"w{place}": word for place, word in enumerate(words)}
    if not names:
        return []
    most = min(COMMON_COUNT, max(10, int(COMMON_SHARE * await last_number(conn))))
    sql = f"SELECT term, doc FROM videos_vocabulary WHERE term IN ({', '.join(f':{name}' for name in names)})"
    counts = {row["term"]: row["doc"] for row in await conn.fetch_all(sql, names)}
    if len(common) > MOST_COMMON:
        common.clear()
    common.update(term for term, count in counts.items() if count > COMMON_COUNT)
    rare = [term for term, count in counts.items() if 1 < count <= most]
    return sorted(rare, key=lambda term: (counts[term], term))[:MOST_WORDS]


def words_of(text: str) -> list[str]:
    """The words of a text as the search index spells them: lower case, without accents; each once, in order."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    words = re.findall(r"[^\W_]+", plain)[:_READ_WORDS]
    return list(dict.fromkeys(word for word in words if len(word) > 1))


async def heat_of(conn: Connection, video_id: VideoId, heat: float | None, viewers: int) -> None:
    """Note how popular a video is; None: not at all. One that is gone is left alone."""
    values: dict[str, Any] = {"video": video_id, "heat": heat, "viewers": viewers}
    if heat is None:
        await conn.execute("DELETE FROM video_heat WHERE video_id = :video", {"video": video_id})
        return
    await conn.execute(
        "INSERT INTO video_heat (video_id, heat, viewers) SELECT id, :heat, :viewers FROM videos WHERE id = :video "
        "ON CONFLICT (video_id) DO UPDATE SET heat = excluded.heat, viewers = excluded.viewers",
        values,
    )
