"""Pages for looking around: the newest videos, and search."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.accounts import Accounts
from streamhost.features.catalog import Catalog
from streamhost.features.playback import Playback
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.shapes import hit_view, video_view

AnyRequest = Request[Any, Any, Any]
QUERY_LENGTH = 200


def following(path: str, cursor: str | None, **values: str) -> str | None:
    """Address of the next page of a list; None on the last one."""
    return f"{path}?{urlencode({**values, 'cursor': cursor})}" if cursor else None


@get("/", guards=[anyone], include_in_schema=False)
async def home(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Public videos, newest first."""
    viewer = viewer_of(request)
    page = await catalog.listed(cursor)
    empty = not page.items and cursor is None
    return frame.page(
        request,
        "home.html",
        videos=[video_view(video, viewer, playback) for video in page.items],
        continued=cursor is not None,
        next_url=following("/", page.next_cursor),
        not_set_up=empty and await accounts.registration.setup_token() is not None,
    )


@get("/search", guards=[anyone], include_in_schema=False)
async def search(
    request: AnyRequest,
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Videos with the words of `q`, best first."""
    viewer = viewer_of(request)
    query = " ".join(q.split())[:QUERY_LENGTH]
    hits = await catalog.search(query, viewer, cursor)
    return frame.page(
        request,
        "search.html",
        query=query,
        videos=[hit_view(hit, viewer, playback) for hit in hits.items],
        next_url=following("/search", hits.next_cursor, q=query),
    )


routes = [home, search]
