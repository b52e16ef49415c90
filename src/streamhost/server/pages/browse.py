"""The first page."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.accounts import Accounts
from streamhost.features.catalog import Catalog
from streamhost.features.library import ROW, Library, ShelfPage
from streamhost.features.playback import Playback
from streamhost.features.recommendations import Recommendations
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.kept_shapes import kept_view
from streamhost.server.pages.shapes import video_view
from streamhost.server.recommendations import visitor_of

AnyRequest = Request[Any, Any, Any]
FEWEST = 3
"""Fewer videos than this are no trend."""


def following(path: str, cursor: str | None, **values: str) -> str | None:
    """Address of the next page of a list; None on the last one."""
    return f"{path}?{urlencode({**values, 'cursor': cursor})}" if cursor else None


@get("/", guards=[anyone], include_in_schema=False)
async def home(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    library: NamedDependency[Library],
    recommendations: NamedDependency[Recommendations],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What somebody has begun, what many watch, and public videos, newest first."""
    viewer = viewer_of(request)
    begun = await library.history(viewer, None, ROW, unfinished=True) if viewer.id and cursor is None else ShelfPage(())
    trending = await library.trending() if cursor is None else []
    chosen = await recommendations.recommend(viewer, visitor_of(request), ROW) if cursor is None else None
    proposed = chosen.items if chosen is not None and len(chosen.items) >= FEWEST else ()
    page = await catalog.listed(cursor)
    empty = not page.items and cursor is None
    return frame.page(
        request,
        "home.html",
        videos=[video_view(video, viewer, playback) for video in page.items],
        begun=[kept_view(one, viewer, playback) for one in begun.items],
        trending=[video_view(video, viewer, playback) for video in trending] if len(trending) >= FEWEST else [],
        proposed=[(video_view(item.video, viewer, playback), item.reason) for item in proposed],
        continued=cursor is not None,
        next_url=following("/", page.next_cursor),
        not_set_up=empty and await accounts.registration.setup_token() is not None,
    )


routes = [home]
