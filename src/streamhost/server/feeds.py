"""Feeds, site map, robots.txt, oEmbed, and the pictures that go with them: for programs without an account."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from streamhost.config import Settings
from streamhost.features.branding import Branding
from streamhost.features.playback import Playback
from streamhost.features.syndication import Channel, Syndication, feeds, oembed, site_map
from streamhost.features.syndication.entries import Entry, embed_url, entry_of
from streamhost.model.accounts import ANONYMOUS
from streamhost.model.errors import NotFound
from streamhost.model.ids import VideoId
from streamhost.server.auth import public
from streamhost.server.home import home_of, shareable
from streamhost.server.limits import RouteClass, limited
from streamhost.server.ranges import match

AnyRequest = Request[Any, Any, Any]
FEED_SECONDS = 300
MAP_SECONDS = 3600
PICTURE_SECONDS = 600
XML = "application/xml; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Pages of any site may read these answers: they are the same for everybody."""
FOR_ROBOTS = ("/s/*/poster.jpg$",)
"""Except for these: previews and site maps name pictures, and the longest rule counts (RFC 9309, 2.2.2)."""
NOT_FOR_ROBOTS = ("/api/", "/s/", "/o/", "/studio", "/admin", "/account", "/login", "/register", "/search")
Side = Annotated[int | None, QueryParameter(ge=1, le=10_000)]
Asked = FromQuery[str | None]


@get("/feeds/{name:str}", guards=[public], opt=limited(RouteClass.FEEDS), include_in_schema=False)
async def feed(
    request: AnyRequest,
    name: FromPath[str],
    syndication: NamedDependency[Syndication],
    settings: NamedDependency[Settings],
    branding: NamedDependency[Branding],
    creator: Asked = None,
    tag: Asked = None,
) -> Response[bytes]:
    """The newest public videos as RSS, Atom or JSON Feed: `/feeds/videos.rss?creator=…&tag=…`."""
    stem, _, kind = name.rpartition(".")
    if stem != "videos" or kind not in feeds.FORMATS:
        raise NotFound
    channel = await syndication.newest(creator, tag)
    home = home_of(request, settings)
    entries = [entry_of(video, home, syndication.origins) for video in channel.videos]
    title = _title(channel, branding.brand.name)
    wanted = {key: value for key, value in (("creator", creator), ("tag", channel.tag)) if value}
    address = f"{home}/feeds/{name}" + (f"?{urlencode(wanted)}" if wanted else "")
    modified = max((entry.updated for entry in entries), default=datetime.fromtimestamp(0, UTC))
    logo = branding.brand.logo
    picture = f"{home}{logo.path}" if logo else ""
    body = feeds.FORMATS[kind](
        feeds.Feed(title, f"The newest videos of {title}.", f"{home}/", address, modified, entries, picture)
    )
    headers = OPEN_TO_ALL | {"Cache-Control": shareable(settings, FEED_SECONDS)}
    return fresh(request, body, feeds.MEDIA_TYPES[kind], headers, modified if entries else None)


def _title(channel: Channel, site: str) -> str:
    parts = [channel.creator, f"#{channel.tag}" if channel.tag else None, site]
    return " · ".join(part for part in parts if part)


@get("/sitemap.xml", guards=[public], opt=limited(RouteClass.FEEDS), include_in_schema=False)
async def show_map(
    request: AnyRequest,
    syndication: NamedDependency[Syndication],
    settings: NamedDependency[Settings],
    part: Annotated[int | None, QueryParameter(ge=1, le=100_000)] = None,
) -> Response[bytes]:
    """The pages of all public videos; where they are too many for one answer, the list of the map's parts."""
    if not settings.server.indexing:
        raise NotFound
    home = home_of(request, settings)
    headers = {"Cache-Control": shareable(settings, MAP_SECONDS)}
    parts = await syndication.map_parts()
    if part is None and parts > 1:
        body = site_map.index(f"{home}/sitemap.xml?part={number}" for number in range(1, parts + 1))
        return fresh(request, body, XML, headers)
    entries = [entry_of(video, home, syndication.origins) for video in await syndication.map_part(part or 1)]
    return fresh(request, site_map.part(entries, [f"{home}/"] if part in (None, 1) else ()), XML, headers)


@get("/robots.txt", guards=[public], opt=limited(RouteClass.FEEDS), include_in_schema=False)
async def robots(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[bytes]:
    """Where search engines have no business (RFC 9309), and where the site map is."""
    lines = ["User-agent: *"]
    if settings.server.indexing:
        lines += [f"Allow: {path}" for path in FOR_ROBOTS]
        lines += [f"Disallow: {path}" for path in NOT_FOR_ROBOTS]
        lines += ["", f"Sitemap: {home_of(request, settings)}/sitemap.xml"]
    else:
        lines.append("Disallow: /")
    body = "".join(f"{line}\n" for line in lines).encode()
    return fresh(request, body, TEXT, {"Cache-Control": shareable(settings, MAP_SECONDS)})


@get("/oembed", guards=[public], opt=limited(RouteClass.FEEDS), include_in_schema=False)
async def embed_code(
    request: AnyRequest,
    syndication: NamedDependency[Syndication],
    settings: NamedDependency[Settings],
    branding: NamedDependency[Branding],
    url: FromQuery[str] = "",
    answer_format: Annotated[str, QueryParameter(name="format")] = "json",
    maxwidth: Side = None,
    maxheight: Side = None,
) -> Response[bytes]:
    """oEmbed: the frame that shows the video at an address of this site."""
    written = oembed.FORMATS.get(answer_format)
    if written is None:
        raise oembed.UnknownFormat
    home = home_of(request, settings)
    video = await syndication.offered(oembed.video_of(url, home))
    entry: Entry = entry_of(video, home, syndication.origins)
    members = oembed.answer(entry, embed_url(home, video.id), branding.brand.name, home, maxwidth, maxheight)
    write, media_type = written
    headers = OPEN_TO_ALL | {"Cache-Control": shareable(settings, FEED_SECONDS)}
    return fresh(request, write(members), media_type, headers)


@get("/watch/{video_id:str}/poster.jpg", guards=[public], include_in_schema=False)
async def picture(
    video_id: FromPath[str],
    syndication: NamedDependency[Syndication],
    playback: NamedDependency[Playback],
    settings: NamedDependency[Settings],
) -> Redirect:
    """The still picture of a video that is open to everybody, at an address that stays: leads to the one that ends."""
    address = playback.poster(await syndication.open(VideoId(video_id)), ANONYMOUS)
    if address is None:
        raise NotFound
    # The address it leads to is good for half of the life of a grant at least.
    seconds = min(PICTURE_SECONDS, int(settings.playback.grant_minutes * 60 / 2))
    headers = OPEN_TO_ALL | {"Cache-Control": f"public, max-age={seconds}"}
    return Redirect(address, status_code=302, headers=headers)


def fresh(
    request: AnyRequest, body: bytes, media_type: str, headers: Mapping[str, str], modified: datetime | None = None
) -> Response[bytes]:
    """The answer, or 304 where the one asking has it already (RFC 9110, 13)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    told = dict(headers) | {"ETag": etag}
    if modified is not None:
        told["Last-Modified"] = format_datetime(modified, usegmt=True)
    none_match, since = (request.headers.get(name) for name in ("if-none-match", "if-modified-since"))
    held = match(
        none_match.encode("latin-1") if none_match is not None else None,
        since.encode("latin-1") if since is not None and modified is not None else None,
        etag.encode(),
        int(modified.timestamp()) if modified is not None else 0,
    )
    if held and (none_match is not None or modified is not None):
        return Response(b"", status_code=304, headers=told)
    return Response(body, media_type=media_type, headers=told)


routes = [feed, show_map, robots, embed_code, picture]
