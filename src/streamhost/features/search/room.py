"""The search: what somebody typed, understood; what they may find, ranked; what they are still typing, completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from streamhost.caching.cache import Cache
from streamhost.db import search as rows
from streamhost.db.core import Connection, Database
from streamhost.features.search.learning import Learner
from streamhost.model.accounts import Viewer
from streamhost.model.cached import SUGGESTIONS
from streamhost.model.cursors import InvalidCursor, check_limit, decoded, encoded
from streamhost.model.ids import UserId, VideoId
from streamhost.model.search import (
    Filters,
    Query,
    Sort,
    likely,
    match_of,
    parse,
    suggestion_match,
    trigrams,
    without_of,
    words_in,
)
from streamhost.model.videos import Video

MAX_PAGE = 100
MARKS = ("\x02", "\x03")
"""Around the words found."""
LOOKED_AT = 200
"""Titles from which suggestions are chosen."""
MOST_SUGGESTED = 20
CORRECTED = 4
"""Words of one search that are put right, at most."""
_KEPT_SIGNS = 40
"""Beginnings that are longer are not kept: nobody else types them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result. In the two texts the words found stand between \\x02 and \\x03."""

    video: Video
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results. `total`: of all that this asker may find; `at_least`: there may be more than that.

    `corrected`: what was searched for instead, because nothing was found as typed."""

    items: Sequence[Hit] = ()
    next_cursor: str | None = None
    total: int = 0
    at_least: bool = False
    corrected: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody may be typing: a title, and whose it is."""

    text: str
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins, and whether it is one of what was searched for instead."""

    offset: int = 0
    corrected: bool = False


class Search:
    """Finds public videos for everybody, and to each their own. Nothing else is found, counted or suggested."""

    def __init__(self, db: Database, cache: Cache | None = None) -> None:
        self._db = db
        self._cache = cache or Cache()
        self._learner = Learner(db)

    async def start(self) -> None:
        """Learn words that are new."""
        await self._learner.start()

    async def stop(self) -> None:
        """Stop learning."""
        await self._learner.stop()

    async def learnt(self) -> None:
        """Learn everything that there is to learn now."""
        while await self._learner.learn():
            pass

    async def search(
        self,
        text: str,
        viewer: Viewer,
        filters: Filters = Filters(),  # noqa: B008  # frozen
        sort: Sort = Sort.RELEVANCE,
        cursor: str | None = None,
        limit: int = 24,
    ) -> Found:
        """Videos that fit the text and the filters. Raises `InvalidInput` and `InvalidCursor`."""
        check_limit(limit, MAX_PAGE)
        query, place = parse(text), _place(cursor)
        if query.empty and filters == Filters():
            return Found()
        tags = filters.tags
        filters = replace(filters, creator=query.creator or filters.creator, tags=(*tags, *query.tags))
        async with self._db.read() as conn:
            if not place.corrected:
                match = match_of(query, tags=tags)
                found = await self._page(conn, query, match, filters, viewer.id, sort, place, limit)
                if found.total or place.offset or not query.words:
                    return found
            instead = await self._instead(conn, query)
            if not instead:
                return Found()
            match, place = match_of(query, instead, tags), _Place(place.offset, corrected=True)
            found = await self._page(conn, query, match, filters, viewer.id, sort, place, limit)
        if not found.items:
            return found
        # Only words that this asker finds in what they may see are named.
        seen = {word for hit in found.items for word in words_in(f"{hit.video.title} {' '.join(hit.video.tags)}")}
        named = {word: next((w for w in others if w in seen), word) for word, others in instead.items()}
        return replace(found, corrected=" ".join(named.get(word, word) for word in query.words))

    async def _page(
        self,
        conn: Connection,
        query: Query,
        match: str,
        filters: Filters,
        viewer_id: UserId | None,
        sort: Sort,
        place: _Place,
        limit: int,
    ) -> Found:
        without = without_of(query) if not match and query.without else ""
        places = await rows.find(conn, match, without, filters, viewer_id, sort, place.offset, limit + 1)
        ids, numbers = places.ids[:limit], places.numbers[:limit]
        videos = {video.id: video for video in await rows.videos_at(conn, ids)}
        marks = await rows.marked(conn, match, numbers, MARKS)
        hits = [
            Hit(video, *marks.get(number, (video.title, "")))
            for number, video_id in zip(numbers, ids, strict=True)
            if (video := videos.get(video_id)) is not None
        ]
        more = encoded([place.offset + limit, place.corrected]) if len(places.ids) > limit else None
        return Found(hits, more, places.total, places.total >= rows.MOST_RANKED)

    async def _instead(self, conn: Connection, query: Query) -> Mapping[str, Sequence[str]]:
        """For words that may hold typing errors, the words that were probably meant."""
        found = {}
        for word in query.words[:CORRECTED]:
            plain = "".join(words_in(word)[:1])
            if plain:
                near = likely(word, await rows.similar_words(conn, trigrams(plain)))
                if near and near != [plain]:
                    found[word] = near
        return found

    async def suggest(self, text: str, viewer: Viewer, limit: int = 8) -> list[Suggestion]:
        """Titles that somebody may be typing, the likeliest first. Raises `InvalidInput`."""
        check_limit(limit, MOST_SUGGESTED)
        typed = " ".join(text.split()).casefold()
        match = suggestion_match(typed)
        if not match:
            return []

        async def look() -> list[Suggestion]:
            async with self._db.read() as conn:
                titles = await rows.titles(conn, match, viewer.id, LOOKED_AT)
            return _best(typed, titles)

        if viewer.id is not None or len(typed) > _KEPT_SIGNS:
            return (await look())[:limit]
        return (await self._cache.get(SUGGESTIONS, typed, look, list[Suggestion]))[:limit]


def _best(typed: str, titles: Sequence[tuple[VideoId, str]]) -> list[Suggestion]:
    """Each title once: first those that begin as typed, then shorter before longer ones, then newer ones."""
    found: dict[str, Suggestion] = {}
    for video_id, title in titles:
        found.setdefault(title.casefold(), Suggestion(title, video_id))
    order = sorted(found.items(), key=lambda item: (not item[0].startswith(typed), len(item[0])))
    return [suggestion for _, suggestion in order[:MOST_SUGGESTED]]


def _place(cursor: str | None) -> _Place:
    if not cursor:
        return _Place()
    offset, corrected = decoded(cursor, [int, bool])
    if not 0 <= offset <= rows.MOST_RANKED:
        raise InvalidCursor
    return _Place(offset, corrected)
