"""Active streams over HTTP: one's own, everybody's for administrators, and how many somebody may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from streamhost.features.streams import StreamInUse, Streams
from streamhost.model.accounts import Role
from streamhost.model.clock import iso
from streamhost.model.ids import UserId
from streamhost.server.accounts import BROKEN_BODY, FORGED, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import actor_of, at_least, signed_in, user_of, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.videos import HIDDEN

ADMIN = at_least(Role.ADMIN)


@dataclass(frozen=True, slots=True)
class StreamedVideo:
    """What is played."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class StreamedBy:
    """Who plays it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ActiveStream:
    """One video that plays in one session. `current`: in the one that asks. `device` is empty for an API token."""

    id: str
    video: StreamedVideo
    user: StreamedBy
    device: str
    address: str
    current: bool
    begun_at: str | None
    seen_at: str | None


@dataclass(frozen=True, slots=True)
class ActiveStreams:
    """What plays now, the latest begun first. `limit`: how many of them one may have; 0: any number."""

    items: Sequence[ActiveStream]
    next_cursor: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class StreamLimit:
    """How many videos a user may play at the same time; 0: any number. `own`: set for this user."""

    limit: int
    own: bool


@dataclass(frozen=True, slots=True)
class StreamLimitChange:
    """A limit of one's own; null takes it away, 0 allows any number."""

    limit: Annotated[int, Meta(ge=0, le=1000)] | None


def _document(stream: StreamInUse, session: str | None) -> ActiveStream:
    return ActiveStream(
        stream.id,
        StreamedVideo(stream.video_id, stream.title),
        StreamedBy(stream.user_id, stream.user_name),
        stream.device,
        stream.address,
        stream.session_id == session,
        iso(stream.begun_at),
        iso(stream.seen_at),
    )


@get(
    "/api/v1/me/streams",
    guards=[signed_in],
    summary="What you are playing",
    tags=["your account"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def my_streams(request: Request[Any, Any, Any], streams: NamedDependency[Streams]) -> ActiveStreams:
    """The videos that play now in any of your sessions: those of which segments were fetched in the last 45 seconds."""
    user, session = user_of(request), viewer_of(request).session_id
    found = await streams.of_user(user.id)
    return ActiveStreams([_document(one, session) for one in found], None, streams.limit(user.id)[0])


@delete(
    "/api/v1/me/streams/{stream_id:str}",
    guards=[signed_in],
    summary="Stop one of your streams",
    tags=["your account"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, **HIDDEN),
)
async def stop_mine(
    request: Request[Any, Any, Any], stream_id: FromPath[str], streams: NamedDependency[Streams]
) -> None:
    """End it at once; it cannot begin again for a minute. To keep a device out for good, end its session."""
    streams.stop(stream_id, user_of(request).id)


@get(
    "/api/v1/admin/streams",
    guards=[ADMIN],
    summary="What is being played",
    tags=["administration"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403),
)
async def all_streams(request: Request[Any, Any, Any], streams: NamedDependency[Streams]) -> ActiveStreams:
    """Everything that signed-in people play now. Who is not signed in is not counted."""
    session = viewer_of(request).session_id
    return ActiveStreams([_document(one, session) for one in await streams.all()], None, 0)


@delete(
    "/api/v1/admin/streams/{stream_id:str}",
    guards=[ADMIN],
    summary="Stop a stream",
    tags=["administration"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, forbidden=403, **HIDDEN),
)
async def stop_any(
    request: Request[Any, Any, Any], stream_id: FromPath[str], streams: NamedDependency[Streams]
) -> None:
    """End anybody's stream at once; it cannot begin again for a minute."""
    await streams.stop_any(stream_id, actor_of(request))


@get(
    "/api/v1/admin/users/{user_id:str}/streams",
    guards=[ADMIN],
    summary="How many streams a user may have",
    tags=["administration"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403),
)
async def show_limit(user_id: FromPath[str], streams: NamedDependency[Streams]) -> StreamLimit:
    """The limit that holds for a user, their own or the one of the settings."""
    return StreamLimit(*streams.limit(UserId(user_id)))


@put(
    "/api/v1/admin/users/{user_id:str}/streams",
    guards=[ADMIN],
    summary="Set how many streams a user may have",
    tags=["administration"],
    security=BEARER,
    responses=problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED, forbidden=403, **HIDDEN),
)
async def set_limit(
    request: Request[Any, Any, Any],
    user_id: FromPath[str],
    data: JSONBody[StreamLimitChange],
    streams: NamedDependency[Streams],
) -> StreamLimit:
    """Give a user a limit of their own, or take it away. Streams that play go on."""
    await streams.set_limit(UserId(user_id), data.limit, actor_of(request))
    return StreamLimit(*streams.limit(UserId(user_id)))


routes = [my_streams, stop_mine, all_streams, stop_any, show_limit, set_limit]
