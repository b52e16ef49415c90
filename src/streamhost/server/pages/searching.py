"""The page on which one searches: a form that works without script, filters, and what was found."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.playback import Playback
from streamhost.features.search import Search
from streamhost.model.clock import DAY, MINUTE
from streamhost.model.search import Filters, Sort
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.pages.browse import following
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.shapes import hit_view

AnyRequest = Request[Any, Any, Any]
QUERY_LENGTH = 200
FILTER_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter: its value in the address, its name, and what it lets through."""

    value: str
    name: str
    least: float | None = None
    most: float | None = None


LENGTHS = (
    Choice("", "Any length"),
    Choice("short", "Under 4 minutes", None, 4 * MINUTE),
    Choice("medium", "4 to 20 minutes", 4 * MINUTE, 20 * MINUTE),
    Choice("long", "Over 20 minutes", 20 * MINUTE, None),
)
TIMES = (
    Choice("", "Any time"),
    Choice("day", "Last 24 hours", DAY),
    Choice("week", "Last 7 days", 7 * DAY),
    Choice("month", "Last 30 days", 30 * DAY),
    Choice("year", "Last year", 365 * DAY),
)
ORDERS = (
    (Sort.RELEVANCE, "Best match"),
    (Sort.NEWEST, "Newest first"),
    (Sort.OLDEST, "Oldest first"),
    (Sort.LONGEST, "Longest first"),
    (Sort.SHORTEST, "Shortest first"),
)


def chosen(choices: tuple[Choice, ...], value: str) -> Choice:
    """The choice of that value; the first one for any other."""
    return next((choice for choice in choices if choice.value == value), choices[0])


@get("/search", guards=[anyone], include_in_schema=False)
async def search_page(
    request: AnyRequest,
    search: NamedDependency[Search],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    q: FromQuery[str] = "",
    length: FromQuery[str] = "",
    when: FromQuery[str] = "",
    sort: FromQuery[str] = "",
    tag: FromQuery[str] = "",
    creator: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Videos with the words of `q`, best first, within what the filters let through."""
    viewer = viewer_of(request)
    query = " ".join(q.split())[:QUERY_LENGTH]
    how_long, how_old = chosen(LENGTHS, length), chosen(TIMES, when)
    order = Sort(sort) if sort in set(Sort) else Sort.RELEVANCE
    tag, creator = tag.strip()[:FILTER_LENGTH], creator.strip()[:FILTER_LENGTH]
    filters = Filters(
        min_duration=how_long.least,
        max_duration=how_long.most,
        after=None if how_old.least is None else frame.now() - how_old.least,
        creator=creator or None,
        tags=(tag,) if tag else (),
    )
    found = await search.search(query, viewer, filters, order, cursor)
    kept = {"q": query, "length": how_long.value, "when": how_old.value, "tag": tag, "creator": creator}
    kept = {name: value for name, value in kept.items() if value}
    if order is not Sort.RELEVANCE:
        kept["sort"] = order.value
    return frame.page(
        request,
        "search.html",
        query=query,
        videos=[hit_view(hit, viewer, playback) for hit in found.items],
        total=found.total,
        at_least=found.at_least,
        corrected=found.corrected,
        tag=tag,
        creator=creator,
        asked=bool(query) or filters != Filters(),
        lengths=[(choice.value, choice.name) for choice in LENGTHS],
        times=[(choice.value, choice.name) for choice in TIMES],
        orders=[(value.value, name) for value, name in ORDERS],
        length=how_long.value,
        when=how_old.value,
        sort=order.value,
        filtered=bool(how_long.value or how_old.value or tag or creator or order is not Sort.RELEVANCE),
        next_url=following("/search", found.next_cursor, **kept),
    )


routes = [search_page]
