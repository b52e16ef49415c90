"""The pages on which a video plays: its own, and the one that other sites put into a frame."""

import contextlib
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_200_OK

from streamhost.config import Settings
from streamhost.features.catalog import Catalog
from streamhost.features.library import ROW, Library
from streamhost.features.moderation import Moderation
from streamhost.features.playback import Playback
from streamhost.features.recommendations import Recommendations
from streamhost.features.reporting import Reporting
from streamhost.features.sharing import PasswordRequired, Sharing
from streamhost.features.syndication import Syndication
from streamhost.features.syndication.entries import watch_url
from streamhost.model.errors import NotFound
from streamhost.model.ids import VideoId
from streamhost.model.videos import Protection, Video
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.door import framed_by
from streamhost.server.errors import status_of
from streamhost.server.home import home_of
from streamhost.server.pages.forms import see
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.player_shapes import about, chapter_views, share_view, stream_view
from streamhost.server.pages.reporting import report_form
from streamhost.server.pages.shapes import video_view
from streamhost.server.pages.sharing import unlock_page
from streamhost.server.recommendations import visitor_of
from streamhost.server.sharing import with_pass

AnyRequest = Request[Any, Any, Any]
ShareLinkText = Annotated[str, QueryParameter(max_length=200)]
"""The secret of a share link; it leaves the address as soon as it is used."""
Format = Annotated[str, QueryParameter(name="format")]
HELD = ("review", "rejected")
"""States in which its owner is told why others cannot watch a video."""
FORMATS = ("dash", "hls")
"""What the player can be asked to load by `?format=`, the usual one first."""


def format_of(video: Video, asked: str = "") -> str:
    """What the player loads: there is nothing but HLS under aes-128."""
    if video.protection_in_use is Protection.AES_128:
        return "hls"
    return asked if asked in FORMATS else FORMATS[0]


@get("/watch/{video_id:str}", guards=[anyone], include_in_schema=False)
async def watch(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    sharing: NamedDependency[Sharing],
    syndication: NamedDependency[Syndication],
    reporting: NamedDependency[Reporting],
    moderation: NamedDependency[Moderation],
    settings: NamedDependency[Settings],
    library: NamedDependency[Library],
    recommendations: NamedDependency[Recommendations],
    frame: NamedDependency[Frame],
    stream_format: Format = "dash",
    link: ShareLinkText = "",
    done: FromQuery[str] = "",
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
    home, view = home_of(request, settings), video_view(video, viewer, playback)
    reasons = await moderation.desk.reasons([video.id]) if view.manageable and view.state in HELD else {}
    beside = await recommendations.related(video.id, viewer, visitor_of(request), ROW)
    return frame.page(
        request,
        "watch.html",
        video=view,
        format=format_of(video, stream_format),
        stream=await stream_view(video, viewer, playback),
        chapters=chapter_views(video),
        place=await playback.left_off(video, viewer),
        about=about(video, home, frame.site_name, settings, syndication),
        share=share_view(video, home, syndication),
        report=report_form(reporting, viewer),
        reason=reasons.get(video.id, ""),
        opinion=await library.opinion(video, viewer),
        related=[(video_view(one.video, viewer, playback), one.reason) for one in beside.items],
        embedded=False,
        saved=done == "saved" and view.manageable,
    )


@get("/embed/{video_id:str}", guards=[anyone], include_in_schema=False)
async def embed(
    request: AnyRequest,
    video_id: FromPath[str],
    playback: NamedDependency[Playback],
    syndication: NamedDependency[Syndication],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    stream_format: Format = "dash",
) -> Response[Any]:
    """The player alone, for a frame in another page. The script reads `t`, `autoplay`, `muted`, `loop` and `cc`."""
    viewer, name = viewer_of(request), VideoId(video_id)
    address = watch_url(home_of(request, settings), name)
    try:
        video = await syndication.framed(name, viewer)
    except (NotFound, PasswordRequired) as error:
        locked = isinstance(error, PasswordRequired)
        page = frame.page(request, "embed_closed.html", HTTPStatus(status_of(error)), locked=locked, address=address)
        framers = syndication.origins
    else:
        page = frame.page(
            request,
            "embed.html",
            video=video_view(video, viewer, playback),
            format=format_of(video, stream_format),
            stream=await stream_view(video, viewer, playback),
            address=address,
            embedded="framed",
        )
        framers = syndication.framers(video)
    page.headers["Content-Security-Policy"] = framed_by(framers)
    page.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    page.headers["X-Robots-Tag"] = "noindex"
    return page


routes = [watch, embed]
