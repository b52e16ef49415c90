"""Active streams: one's own on the account's pages, everybody's on the administration's."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.mail import Mail
from streamhost.features.streams import StreamInUse, Streams
from streamhost.server.auth import actor_of, in_person, user_of, viewer_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.forms import see
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, device_text, moment

AnyRequest = Request[Any, Any, Any]
MINE = "/account/streams"
ALL = "/admin/streams"
DONE = {"stopped": "That stream is stopped. It can begin again after a minute."}


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream for a template."""

    id: str
    title: str
    video_id: str
    user: str
    device: str
    address: str
    begun: Moment
    current: bool


def _view(stream: StreamInUse, session: str | None) -> StreamView:
    return StreamView(
        stream.id,
        stream.title or "A video that is gone",
        stream.video_id,
        stream.user_name,
        device_text(stream.device) if stream.device else "A script",
        stream.address,
        moment(stream.begun_at),
        stream.session_id == session,
    )


@get(MINE, guards=[in_person], include_in_schema=False)
async def show_mine(
    request: AnyRequest, streams: NamedDependency[Streams], frame: NamedDependency[Frame], done: FromQuery[str] = ""
) -> Response[str]:
    """What plays in any of one's sessions, and how much of that one may."""
    user, session = user_of(request), viewer_of(request).session_id
    found = [_view(one, session) for one in await streams.of_user(user.id)]
    limit = streams.limit(user.id)[0]
    return frame.page(request, "streams.html", streams=found, limit=limit, flash=DONE.get(done), error=None)


@post(f"{MINE}/{{stream_id:str}}/stop", guards=[in_person], include_in_schema=False)
async def stop_mine(request: AnyRequest, stream_id: FromPath[str], streams: NamedDependency[Streams]) -> Response[Any]:
    """Stop one of one's own."""
    streams.stop(stream_id, user_of(request).id)
    return see(f"{MINE}?done=stopped")


@get(ALL, guards=GUARDS, include_in_schema=False)
async def show_all(
    request: AnyRequest,
    streams: NamedDependency[Streams],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """What everybody who is signed in plays now."""
    session = viewer_of(request).session_id
    found = [_view(one, session) for one in await streams.all()]
    return await admin_page(request, frame, mail, "admin_streams.html", streams=found, flash=DONE.get(done))


@post(f"{ALL}/{{stream_id:str}}/stop", guards=GUARDS, include_in_schema=False)
async def stop_any(request: AnyRequest, stream_id: FromPath[str], streams: NamedDependency[Streams]) -> Response[Any]:
    """Stop anybody's."""
    await streams.stop_any(stream_id, actor_of(request))
    return see(f"{ALL}?done=stopped")


routes = [show_mine, stop_mine, show_all, stop_any]
