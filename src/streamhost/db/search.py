"""Searching in the catalog: full text (FTS5), the words that typing errors are put right to, and suggestions.

Whatever is asked, only those videos are found, counted and suggested which the asker may find: public ones that can be
played, and their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamhost.db import videos as video_rows
from streamhost.db.core import Connection
from streamhost.model.ids import UserId, VideoId
from streamhost.model.search import Filters, Sort
from streamhost.model.videos import Video

MOST_RANKED = 1500
"""Of what fits a search, the newest so many are ranked: a word that is everywhere tells little."""
WEIGHTS = "8.0, 1.0, 4.0"
"""Of title, description and tags (BM25)."""
SNIPPET_WORDS = 24
CANDIDATES = 96
"""Words that are compared sign by sign with one that nobody knows."""
_LEARN_AT_ONCE = 200

_VISIBLE = f"(({video_rows.LISTED}) OR (videos.owner_id = :viewer AND videos.deleted_at IS NULL))"
_MOMENT = "COALESCE(videos.published_at, videos.created_at)"
_ORDERS = {
    Sort.RELEVANCE: "score, number DESC",
    Sort.NEWEST: "moment DESC, number DESC",
    Sort.OLDEST: "moment, number",
    Sort.LONGEST: "duration DESC, number DESC",
    Sort.SHORTEST: "duration, number DESC",
}


@dataclass(frozen=True, slots=True)
class Places:
    """A page of what was found, by id, and how much there is in all (`MOST_RANKED` may mean: or more)."""

    numbers: tuple[int, ...]
    ids: tuple[VideoId, ...]
    total: int


def _filtered(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Conditions and their values."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for name, condition in (
        ("min_duration", "videos.duration >= :min_duration"),
        ("max_duration", "videos.duration <= :max_duration"),
        ("after", f"{_MOMENT} >= :after"),
        ("before", f"{_MOMENT} < :before"),
        ("creator", "videos.owner_id IN (SELECT id FROM users WHERE id = :creator OR name = :creator COLLATE NOCASE)"),
    ):
        if (value := getattr(filters, name)) is not None:
            conditions.append(condition)
            values[name] = value
    for number, tag in enumerate(filters.tags):
        conditions.append(
            f"EXISTS (SELECT 1 FROM json_each(videos.tags) WHERE json_each.value = :tag{number} COLLATE NOCASE)"
        )
        values[f"tag{number}"] = tag
    return conditions, values


async def find(
    conn: Connection,
    match: str,
    without: str,
    filters: Filters,
    viewer_id: UserId | None,
    sort: Sort,
    offset: int,
    limit: int,
) -> Places:
    """One page of what fits an FTS5 expression and the filters; with an empty one, the filters alone.

    `without`: what is left out where there is no `match` that says so itself."""
    conditions, values = _filtered(filters)
    values |= {"viewer": viewer_id or "", "limit": limit, "offset": offset, "most": MOST_RANKED}
    columns = f"videos.number AS number, videos.id AS id, videos.duration AS duration, {_MOMENT} AS moment"
    if match:
        score = f"bm25(videos_fts, {WEIGHTS})" if sort is Sort.RELEVANCE else "0"
        where = " AND ".join(["videos_fts MATCH :match", _VISIBLE, *conditions])
        found = (
            f"SELECT {columns}, {score} AS score FROM videos_fts CROSS JOIN videos ON videos.number = videos_fts.rowid "
            f"WHERE {where} ORDER BY videos_fts.rowid DESC LIMIT :most"
        )
        values["match"] = match
    else:
        if without:
            conditions.append("videos.number NOT IN (SELECT rowid FROM videos_fts WHERE videos_fts MATCH :without)")
            values["without"] = without
        more = "".join(f" AND {condition}" for condition in conditions)
        # Two halves, each by its own index.
        public = f"SELECT {columns}, 0 AS score FROM videos WHERE {video_rows.LISTED}{more} ORDER BY {_MOMENT} DESC"
        own = f"SELECT {columns}, 0 AS score FROM videos WHERE videos.owner_id = :viewer AND videos.deleted_at IS NULL"
        found = f"SELECT * FROM ({public} LIMIT :most) UNION SELECT * FROM ({own}{more} LIMIT :most)"
        sort = Sort.NEWEST if sort is Sort.RELEVANCE else sort
    sql = f"WITH found AS ({found}) SELECT number, id, COUNT(*) OVER () AS total FROM found ORDER BY {_ORDERS[sort]} "
    rows = await conn.fetch_all(f"{sql} LIMIT :limit OFFSET :offset", values)
    total = int(rows[0]["total"]) if rows else 0
    return Places(tuple(row["number"] for row in rows), tuple(VideoId(row["id"]) for row in rows), total)


async def marked(
    conn: Connection, match: str, numbers: Sequence[int], marks: tuple[str, str]
) -> dict[int, tuple[str, str]]:
    """For each number of a video, its title and a piece of its description, the matched words between `marks`."""
    if not match or not numbers:
        return {}
    names = {f"n{at}": number for at, number in enumerate(numbers)}
    # The sign keeps SQLite from asking the index once for each number: one pass over the part with all of them is less.
    sql = (
        "SELECT rowid AS number, highlight(videos_fts, 0, :open, :close) AS title, "
        f"snippet(videos_fts, 1, :open, :close, '…', {SNIPPET_WORDS}) AS text FROM videos_fts "
        "WHERE videos_fts MATCH :match AND rowid BETWEEN :first AND :last "
        f"AND +rowid IN ({', '.join(':' + name for name in names)})"
    )
    values = {"match": match, "first": min(numbers), "last": max(numbers), "open": marks[0], "close": marks[1]}
    rows = await conn.fetch_all(sql, {**names, **values})
    return {row["number"]: (row["title"], row["text"]) for row in rows}


async def videos_at(conn: Connection, ids: Sequence[VideoId]) -> list[Video]:
    """Videos by id, in this order; those that are gone are left out."""
    found = {video.id: video for video in await video_rows.of_ids(conn, ids)}
    return [found[video_id] for video_id in ids if video_id in found]


async def titles(conn: Connection, match: str, viewer_id: UserId | None, most: int) -> list[tuple[VideoId, str]]:
    """Ids and titles of the newest videos that fit, for suggestions."""
    sql = (
        "SELECT videos.id, videos.title FROM videos_fts CROSS JOIN videos ON videos.number = videos_fts.rowid "
        f"WHERE videos_fts MATCH :match AND {_VISIBLE} ORDER BY videos_fts.rowid DESC LIMIT :most"
    )
    rows = await conn.fetch_all(sql, {"match": match, "viewer": viewer_id or "", "most": most})
    return [(VideoId(row["id"]), row["title"]) for row in rows]


async def similar_words(conn: Connection, pieces: Sequence[str]) -> list[tuple[str, int]]:
    """Words that have many of these trigrams, those with the rarest first, and in how many videos each is."""
    match = " OR ".join('"' + piece.replace('"', '""') + '"' for piece in pieces)
    sql = (
        "SELECT search_words.word, search_words.videos FROM search_words_fts "
        "CROSS JOIN search_words ON search_words.number = search_words_fts.rowid "
        "WHERE search_words_fts MATCH :match ORDER BY bm25(search_words_fts) LIMIT :most"
    )
    rows = await conn.fetch_all(sql, {"match": match, "most": CANDIDATES})
    return [(row["word"], int(row["videos"])) for row in rows]


@dataclass(frozen=True, slots=True)
class Change:
    """Words of a video that came (`by` 1) or went (-1)."""

    number: int
    by: int
    text: str


async def changes(conn: Connection) -> list[Change]:
    """What has not been learnt yet, the oldest first, some at a time. Triggers write it down with every change."""
    sql = "SELECT number, by, text FROM search_changes ORDER BY number LIMIT :most"
    rows = await conn.fetch_all(sql, {"most": _LEARN_AT_ONCE})
    return [Change(row["number"], row["by"], row["text"]) for row in rows]


async def learn(conn: Connection, upto: int, counts: Sequence[tuple[str, int]]) -> None:
    """Count words up or down, forget those that are in no video any more, and the changes up to a number."""
    for word, by in counts:
        row = await conn.fetch_one(
            "INSERT INTO search_words (word, videos) VALUES (:word, :by) "
            "ON CONFLICT (word) DO UPDATE SET videos = videos + :by RETURNING number, videos, videos = :by AS first",
            {"word": word, "by": by},
        )
        if row is None:
            continue
        values = {"number": row["number"], "padded": f"  {word} "}
        if row["videos"] <= 0:
            await conn.execute("DELETE FROM search_words WHERE number = :number", {"number": row["number"]})
        if row["videos"] <= 0 < row["videos"] - by:
            await conn.execute(
                "INSERT INTO search_words_fts (search_words_fts, rowid, padded) VALUES ('delete', :number, :padded)",
                values,
            )
        elif row["videos"] > 0 and row["first"]:
            await conn.execute("INSERT INTO search_words_fts (rowid, padded) VALUES (:number, :padded)", values)
    await conn.execute("DELETE FROM search_changes WHERE number <= :upto", {"upto": upto})
