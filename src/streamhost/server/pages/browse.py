"""Pages for looking around: the newest videos, search, and the page on which a video plays."""

import contextlib
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_200_OK

from streamhost.features.accounts import Accounts
from streamhost.features.catalog import Catalog
from streamhost.features.playback import Playback
from streamhost.features.reporting import Reporting
from streamhost.features.sharing import PasswordRequired, Sharing
from streamhost.model.errors import NotFound
from streamhost.model.ids import VideoId
from streamhost.model.videos import Protection
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.door import framed_by
from streamhost.server.pages.forms import see
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.reporting import report_form
from streamhost.server.pages.shapes import hit_view, video_view
from streamhost.server.pages.sharing import unlock_page
from streamhost.server.sharing import with_pass

AnyRequest = Request[Any, Any, Any]
QUERY_LENGTH = 200
ShareLinkText = Annotated[str, QueryParameter(max_length=200)]
"""The secret of a share link; it leaves the address as soon as it is used."""
FORMATS = ("dash", "hls")
"""What the player can be asked to load by `?format=`, the usual one first."""


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


@get("/watch/{video_id:str}", guards=[anyone], include_in_schema=False)
async def watch(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    sharing: NamedDependency[Sharing],
    reporting: NamedDependency[Reporting],
    frame: NamedDependency[Frame],
    stream_format: Annotated[str, QueryParameter(name="format")] = "dash",
    link: ShareLinkText = "",
) -> Response[Any]:
    """The player, and what there is to say about the video; before that the password or the link, if one is needed."""
    viewer, name = viewer_of(request), VideoId(video_id)
    if link:
        with contextlib.suppress(NotFound, PasswordRequired):
            # Whoever is in already needs no link, and uses none up by opening it again.
            await catalog.get(name, viewer)
            return see(f"/watch/{name}")
        found = await sharing.link(name, link)
        if found.most_uses is not None:
            return unlock_page(request, frame, name, HTTP_200_OK, link=link, uses=found.most_uses - found.uses)
        response = see(f"/watch/{name}")
        with_pass(request, response, await sharing.open(name, link, viewer))
        return response
    try:
        video = await catalog.get(name, viewer)
    except PasswordRequired:
        return unlock_page(request, frame, name)
    chosen = stream_format if stream_format in FORMATS else FORMATS[0]
    if video.protection_in_use is Protection.AES_128:
        chosen = "hls"
    view = video_view(video, viewer, playback)
    page = frame.page(request, "watch.html", video=view, format=chosen, report=report_form(reporting, viewer))
    if video.embed_origins:
        page.headers["content-security-policy"] = framed_by(video.embed_origins)
    return page


routes = [home, search, watch]
