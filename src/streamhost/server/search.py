"""Searching over HTTP: results with snippets, and suggestions while somebody types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from streamhost.features.playback import Playback
from streamhost.features.search import Search
from streamhost.features.search.room import MAX_PAGE, MOST_SUGGESTED
from streamhost.model.clock import Timestamp
from streamhost.model.errors import InvalidInput
from streamhost.model.search import MAX_TAGS_ASKED, Filters, Sort
from streamhost.server.accounts import NO_STORE
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.documented import PAGED, problems
from streamhost.server.videos import BAD_TOKEN, PAGE, VideoDocument, video_document

OPEN_MARK, CLOSE_MARK = "<mark>", "</mark>"
TAGS = ["search"]

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Results on a page.")]
MinDuration = Annotated[float | None, QueryParameter(name="min_duration", description="Seconds at least.")]
MaxDuration = Annotated[float | None, QueryParameter(name="max_duration", description="Seconds at most.")]
After = Annotated[str, QueryParameter(name="published_after", description="A date or moment, ISO 8601; UTC if unsaid.")]
Before = Annotated[str, QueryParameter(name="published_before", description="A date or moment; before it.")]
Creator = Annotated[str, QueryParameter(name="creator", description="The id or name of who uploaded it.")]
TagNames = Annotated[list[str] | None, QueryParameter(name="tag", description="A tag that it has; may be repeated.")]
Order = Annotated[Sort, QueryParameter(name="sort", description="The order of the results.")]
FewLimit = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST_SUGGESTED, description="Suggestions at most.")]


@dataclass(frozen=True, slots=True)
class SnippetDocument:
    """Where the words were found, as HTML that is safe to show: escaped text with `<mark>` around the matches."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class HitDocument:
    """One search result."""

    video: VideoDocument
    snippet: SnippetDocument


@dataclass(frozen=True, slots=True)
class HitList:
    """One page of search results, best first.

    `total` counts what you may find; with `at_least` there may be more. `corrected`: what was searched for instead,
    because nothing was found as typed."""

    items: Sequence[HitDocument]
    next_cursor: str | None
    total: int
    at_least: bool
    corrected: str | None


@dataclass(frozen=True, slots=True)
class SuggestionDocument:
    """A title that fits what was typed so far, and the video that has it."""

    text: str
    video: str


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """Suggestions, the likeliest first."""

    items: Sequence[SuggestionDocument]


@get(
    "/api/v1/search",
    guards=[anyone],
    summary="Search videos",
    tags=TAGS,
    responses=problems(**BAD_TOKEN, **PAGED),
)
async def search_videos(
    request: Request[Any, Any, Any],
    search: NamedDependency[Search],
    playback: NamedDependency[Playback],
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
    limit: Limit = PAGE,
    sort: Order = Sort.RELEVANCE,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    published_after: After = "",
    published_before: Before = "",
    creator: Creator = "",
    tag: TagNames = None,
) -> HitList:
    """Public videos and your own, best first. Words of `q` fit the beginnings of words; `"a phrase"`, `-without`,
    `title:word`, `tag:name` and `by:name` are understood. Typing errors are put right if nothing is found as typed."""
    viewer = viewer_of(request)
    filters = Filters(
        min_duration=seconds(min_duration, "min_duration"),
        max_duration=seconds(max_duration, "max_duration"),
        after=moment(published_after, "published_after"),
        before=moment(published_before, "published_before"),
        creator=creator.strip() or None,
        tags=tuple(name.strip() for name in (tag or [])[:MAX_TAGS_ASKED] if name.strip()),
    )
    found = await search.search(q, viewer, filters, sort, cursor, limit)
    items = [
        HitDocument(
            video_document(hit.video, viewer, playback),
            SnippetDocument(marked_html(hit.title), marked_html(hit.text)),
        )
        for hit in found.items
    ]
    return HitList(items, found.next_cursor, found.total, found.at_least, found.corrected)


@get(
    "/api/v1/search/suggest",
    guards=[anyone],
    cache_control=NO_STORE,
    summary="Complete a search",
    tags=TAGS,
    responses=problems(**BAD_TOKEN, invalid_input=422),
)
async def suggest(
    request: Request[Any, Any, Any],
    search: NamedDependency[Search],
    q: FromQuery[str] = "",
    limit: FewLimit = 8,
) -> SuggestionList:
    """Titles of videos that you may find, for what you have typed so far: two letters at least."""
    found = await search.suggest(q, viewer_of(request), limit)
    return SuggestionList([SuggestionDocument(one.text, one.video_id) for one in found])


def seconds(value: float | None, field: str) -> float | None:
    """A length that was asked for. Raises `InvalidInput`."""
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise InvalidInput(fields={field: "A number of seconds."})
    return value


def moment(text: str, field: str) -> Timestamp | None:
    """A date or moment in ISO 8601; None where nothing was said. Raises `InvalidInput`."""
    if not text:
        return None
    try:
        said = datetime.fromisoformat(text)
        return said.replace(tzinfo=said.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise InvalidInput(fields={field: "A date such as 2026-01-31, or a moment with a time."}) from None


def marked_html(text: str) -> str:
    """Escaped HTML with `<mark>` where the search put its two marks."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return escaped.replace("\x02", OPEN_MARK).replace("\x03", CLOSE_MARK)


routes = [search_videos, suggest]
