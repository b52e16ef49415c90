"""One's own shelves over HTTP: likes, watch later, history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from streamhost.features.catalog import Catalog
from streamhost.features.library import LATER, LIKES, MAX_PAGE, Library, Opinion, ShelfPage
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.model.clock import iso
from streamhost.model.ids import VideoId
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import anyone, signed_in, viewer_of
from streamhost.server.documented import BEARER, PAGED, problems
from streamhost.server.videos import BAD_TOKEN, HIDDEN, PAGE, VideoDocument, video_document

AnyRequest = Request[Any, Any, Any]
Look = Callable[[Library, Viewer, str | None, int], Awaitable[ShelfPage]]
"""What somebody has on a shelf: the page at a cursor."""
TAGS = ["library"]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Videos on a page.")]


@dataclass(frozen=True, slots=True)
class OpinionDocument:
    """How many like a video, and what you keep of it."""

    likes: int
    liked: bool
    later: bool


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A video on a shelf of yours, since when, how much of it you have watched (0..1) and where you left it."""

    video: VideoDocument
    at: str | None
    watched: float
    position: float | None


@dataclass(frozen=True, slots=True)
class KeptList:
    """A page of a shelf, the latest first."""

    items: Sequence[KeptDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether what you watch is remembered."""

    recording: bool


def _opinion(found: Opinion) -> OpinionDocument:
    return OpinionDocument(found.likes, found.liked, found.later)


def _list(page: ShelfPage, viewer: Viewer, playback: Playback) -> KeptList:
    items = [
        KeptDocument(video_document(one.video, viewer, playback), iso(one.at), round(one.share, 4), one.position)
        for one in page.items
    ]
    return KeptList(items, page.next_cursor)


def _shelf(**codes: int) -> dict[str, Any]:
    """What a route about one's own shelves declares."""
    said = problems(**SIGNED_IN, **NOT_IN_PERSON, **codes)
    return {"guards": [signed_in], "tags": TAGS, "security": BEARER, "responses": said}


@get(
    "/api/v1/videos/{video_id:str}/opinion",
    guards=[anyone],
    cache_control=NO_STORE,
    summary="Who likes a video",
    tags=TAGS,
    responses=problems(**BAD_TOKEN, **HIDDEN),
)
async def show_opinion(
    request: AnyRequest, video_id: FromPath[str], catalog: NamedDependency[Catalog], library: NamedDependency[Library]
) -> OpinionDocument:
    """How many like it, and whether you do."""
    viewer = viewer_of(request)
    return _opinion(await library.opinion(await catalog.get(VideoId(video_id), viewer), viewer))


@put("/api/v1/me/likes/{video_id:str}", summary="Like a video", **_shelf(**FORGED, **HIDDEN))
async def like(request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]) -> OpinionDocument:
    """Liking it twice is liking it once."""
    return _opinion(await library.keep(LIKES, VideoId(video_id), viewer_of(request), kept=True))


@delete(
    "/api/v1/me/likes/{video_id:str}", status_code=HTTP_200_OK, summary="Like it no more", **_shelf(**FORGED, **HIDDEN)
)
async def unlike(request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]) -> OpinionDocument:
    """One that you did not like is no error."""
    return _opinion(await library.keep(LIKES, VideoId(video_id), viewer_of(request), kept=False))


@put("/api/v1/me/watch-later/{video_id:str}", summary="Keep a video for later", **_shelf(**FORGED, **HIDDEN))
async def keep_for_later(
    request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]
) -> OpinionDocument:
    """It stands at the top of the list."""
    return _opinion(await library.keep(LATER, VideoId(video_id), viewer_of(request), kept=True))


@delete(
    "/api/v1/me/watch-later/{video_id:str}",
    status_code=HTTP_200_OK,
    summary="Keep it no more",
    **_shelf(**FORGED, **HIDDEN),
)
async def let_go(request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]) -> OpinionDocument:
    """One that you did not keep is no error."""
    return _opinion(await library.keep(LATER, VideoId(video_id), viewer_of(request), kept=False))


def _listing(address: str, summary: str, look: Look) -> HTTPRouteHandler:
    """The route that lists a shelf."""

    @get(address, cache_control=NO_STORE, summary=summary, **_shelf(**PAGED))
    async def listed(
        request: AnyRequest,
        library: NamedDependency[Library],
        playback: NamedDependency[Playback],
        cursor: FromQuery[str | None] = None,
        limit: Limit = PAGE,
    ) -> KeptList:
        """The latest first. What you may no longer see is left out."""
        viewer = viewer_of(request)
        return _list(await look(library, viewer, cursor, limit), viewer, playback)

    return listed


list_likes = _listing("/api/v1/me/likes", "What you like", lambda library, *asked: library.shelf(LIKES, *asked))
list_later = _listing(
    "/api/v1/me/watch-later", "What you keep for later", lambda library, *asked: library.shelf(LATER, *asked)
)
list_history = _listing("/api/v1/me/history", "What you have watched", Library.history)


@delete("/api/v1/me/history", summary="Forget what you have watched", **_shelf(**FORGED))
async def clear_history(request: AnyRequest, library: NamedDependency[Library]) -> None:
    """All of it; recommendations forget it too. Likes stay."""
    await library.forget(viewer_of(request))


@delete("/api/v1/me/history/{video_id:str}", summary="Forget one", **_shelf(**FORGED))
async def forget_one(request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]) -> None:
    """One that is not in it is no error."""
    await library.forget(viewer_of(request), VideoId(video_id))


@get("/api/v1/me/history/recording", cache_control=NO_STORE, summary="Whether your history is kept", **_shelf())
async def show_recording(request: AnyRequest, library: NamedDependency[Library]) -> Recording:
    """It is, unless you have paused it."""
    return Recording(not await library.paused(viewer_of(request)))


@put(
    "/api/v1/me/history/recording",
    request_max_body_size=BODY_BYTES,
    summary="Pause your history, or go on",
    **_shelf(**FORGED, **BROKEN_BODY),
)
async def set_recording(request: AnyRequest, data: JSONBody[Recording], library: NamedDependency[Library]) -> Recording:
    """While it is paused, nothing that you watch is remembered for you or learnt from."""
    await library.pause(viewer_of(request), paused=not data.recording)
    return data


routes = [
    show_opinion,
    like,
    unlike,
    keep_for_later,
    let_go,
    list_likes,
    list_later,
    list_history,
    clear_history,
    forget_one,
    show_recording,
    set_recording,
]
