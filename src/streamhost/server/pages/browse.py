"""The first page."""

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
from streamhost.server.pages.shapes import video_view

AnyRequest = Request[Any, Any, Any]


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


routes = [home]
