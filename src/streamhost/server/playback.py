"""Playing over HTTP: one call that checks access and answers where the stream is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from streamhost.features.playback import Playback, Stream
from streamhost.model.clock import iso
from streamhost.model.ids import VideoId
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.documented import problems
from streamhost.server.videos import BAD_TOKEN, HIDDEN, ChapterDocument

Origin = Annotated[
    str | None,
    QueryParameter(
        max_length=100, description="A web site of the video's `embed_origins`: the addresses play only on its pages."
    ),
]


@dataclass(frozen=True, slots=True)
class CaptionDocument:
    """One caption track, as a WebVTT file. `default`: to be shown unless the viewer chooses otherwise; `forced`: to be
    shown always, for what is said in another language."""

    language: str
    label: str
    url: str
    default: bool
    forced: bool


@dataclass(frozen=True, slots=True)
class StreamDocument:
    """Where a video plays. Addresses are paths on this site, or whole ones where players go to a port for media or to a
    CDN that honours grants; `license` maps a key system to its address.

    There is no `dash` under aes-128. When `package` changes from one answer to the next, the video was packaged anew:
    read the manifest again.
    """

    grant_expires_at: str | None
    hls: str
    dash: str | None
    protection: str
    package: str
    license: Mapping[str, str] | None
    poster: str | None
    storyboard: str | None
    captions: Sequence[CaptionDocument]
    chapters: Sequence[ChapterDocument]


@get(
    "/api/v1/stream/{video_id:str}",
    guards=[anyone],
    tags=["playback"],
    cache_control=CacheControlHeader(no_store=True),
    responses=problems(
        **BAD_TOKEN, **HIDDEN, grant_revoked=403, not_playable=409, too_many_streams=409, invalid_input=422
    ),
)
async def open_stream(
    request: Request[Any, Any, Any],
    video_id: FromPath[str],
    playback: NamedDependency[Playback],
    origin: Origin = None,
    new_file: FromQuery[bool] = False,
) -> StreamDocument:
    """Ask to play a video: a permission for this viewer, good until `grant_expires_at`, and the addresses under it.

    `new_file=true`: the file that is to take the place of the one that plays, while somebody is to look at it first;
    for its owner and moderators."""
    site = origin.lower() if origin else None
    return stream_document(await playback.stream(VideoId(video_id), viewer_of(request), site, new_file=new_file))


def stream_document(stream: Stream) -> StreamDocument:
    """The public form of what a player needs."""
    return StreamDocument(
        grant_expires_at=iso(stream.grant_expires_at),
        hls=stream.hls,
        dash=stream.dash,
        protection=stream.protection,
        package=stream.package,
        license=stream.license,
        poster=stream.poster,
        storyboard=stream.storyboard,
        captions=[CaptionDocument(c.language, c.label, c.url, c.default, c.forced) for c in stream.captions],
        chapters=[ChapterDocument(*mark) for mark in stream.chapters],
    )


routes = [open_stream]
