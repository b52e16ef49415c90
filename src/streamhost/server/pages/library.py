"""One's own shelves as pages, and the buttons below a video that fill them."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.library import LATER, LIKES, Library
from streamhost.features.playback import Playback
from streamhost.model.ids import VideoId
from streamhost.server.auth import signed_in, viewer_of
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import safe_next, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.kept_shapes import kept_view

AnyRequest = Request[Any, Any, Any]
HISTORY = "/library/history"
SHELVES = {"likes": (LIKES, "Videos you like"), "later": (LATER, "Watch later")}
BUTTONS = {"like": (LIKES, True), "unlike": (LIKES, False), "later": (LATER, True), "not-later": (LATER, False)}
EVERYTHING = "all"


@get("/library", guards=[signed_in], include_in_schema=False)
async def show_library() -> Response[Any]:
    """The first shelf."""
    return see("/library/later")


@get("/library/{shelf:str}", guards=[signed_in], include_in_schema=False)
async def show_shelf(
    request: AnyRequest,
    shelf: FromPath[str],
    library: NamedDependency[Library],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """What somebody likes, or keeps for later; any other shelf is the latter."""
    if shelf not in SHELVES:
        return see("/library/later")
    viewer = viewer_of(request)
    name, heading = SHELVES[shelf]
    page = await library.shelf(name, viewer, cursor)
    return frame.page(
        request,
        "library.html",
        here=f"/library/{shelf}",
        heading=heading,
        kept=[kept_view(one, viewer, playback) for one in page.items],
        undo="unlike" if name == LIKES else "not-later",
        paused=False,
        next_url=following(f"/library/{shelf}", page.next_cursor),
    )


@get(HISTORY, guards=[signed_in], include_in_schema=False)
async def show_history(
    request: AnyRequest,
    library: NamedDependency[Library],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What somebody has watched."""
    viewer = viewer_of(request)
    page = await library.history(viewer, cursor)
    return frame.page(
        request,
        "library.html",
        here=HISTORY,
        heading="History",
        kept=[kept_view(one, viewer, playback) for one in page.items],
        undo="",
        paused=await library.paused(viewer),
        next_url=following(HISTORY, page.next_cursor),
    )


@post(HISTORY, guards=[signed_in], include_in_schema=False)
async def change_history(request: AnyRequest, library: NamedDependency[Library]) -> Response[Any]:
    """Pause, go on, forget one or everything."""
    form, viewer = await typed(request), viewer_of(request)
    match form["do"]:
        case "pause":
            await library.pause(viewer, paused=True)
        case "go-on":
            await library.pause(viewer, paused=False)
        case "forget" if form["video"]:
            await library.forget(viewer, None if form["video"] == EVERYTHING else VideoId(form["video"]))
    return see(HISTORY)


@post("/watch/{video_id:str}/keep", guards=[signed_in], include_in_schema=False)
async def keep(request: AnyRequest, video_id: FromPath[str], library: NamedDependency[Library]) -> Response[Any]:
    """Like it, keep it for later, or neither any more."""
    form = await typed(request)
    shelf, kept = BUTTONS.get(form["do"], (LIKES, False))
    await library.keep(shelf, VideoId(video_id), viewer_of(request), kept=kept)
    return see(safe_next(form["next"] or f"/watch/{video_id}", f"/watch/{video_id}"))


routes = [show_library, show_shelf, show_history, change_history, keep]
