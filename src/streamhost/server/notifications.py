"""Notifications over HTTP: what lies under one's bell, as it comes, and what one wants to be told of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from msgspec import Meta

from streamhost.features.notifications import MAX_PAGE, Choices, InAppNotifier, Notifications
from streamhost.model.clock import iso
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import NoticeId, UserId
from streamhost.model.notices import StoredNotice
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import signed_in, still_signed_in, user_of
from streamhost.server.documented import BEARER, PAGED, problems
from streamhost.server.documents.webhooks import NotTaken
from streamhost.server.limits import RouteClass, limited
from streamhost.server.videos import HIDDEN

AnyRequest = Request[Any, Any, Any]
TAGS = ["notifications"]
RETRY = 3000
"""Milliseconds after which a client that lost the line comes back."""

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MAX_PAGE, description="How many at most.")]
Unread = Annotated[bool, QueryParameter(name="unread", description="Only those that are not read.")]
Cursor = Annotated[str, QueryParameter(name="cursor", description="The `next_cursor` of the page before.")]


@dataclass(frozen=True, slots=True)
class NotificationDocument:
    """Something that has happened. `url` is a path on this site, empty where there is nothing to open; `data` holds the
    facts for programs."""

    id: str
    kind: str
    title: str
    text: str
    action: str
    url: str
    urgency: str
    data: Mapping[str, Any]
    created_at: str | None
    read_at: str | None


@dataclass(frozen=True, slots=True)
class NotificationList:
    """Notifications, newest first. `unread`: of all of them."""

    items: Sequence[NotificationDocument]
    next_cursor: str | None
    unread: int


@dataclass(frozen=True, slots=True)
class ReadCount:
    """How many were marked as read."""

    read: int


@dataclass(frozen=True, slots=True)
class ChannelDocument:
    """A way in which you can be told. `address_label` and `address_help` are set where it must know where you are."""

    name: str
    label: str
    address: str
    address_label: str | None
    address_help: str | None


@dataclass(frozen=True, slots=True)
class KindDocument:
    """Something of which you can be told, and by which channels you are."""

    kind: str
    label: str
    channels: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class PreferencesDocument:
    """What you want to be told of, and how."""

    channels: Sequence[ChannelDocument]
    kinds: Sequence[KindDocument]


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """What is to be different: `kinds` by kind and channel, `addresses` by channel. What is not named stays."""

    kinds: Mapping[str, Mapping[str, bool]] | None = None
    addresses: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ChannelName:
    """One of your channels."""

    channel: Annotated[str, Meta(max_length=60)]


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a test was handed over, and if not, why."""

    sent: bool
    error: NotTaken | None = None


def notification_document(stored: StoredNotice) -> NotificationDocument:
    """A notice as the API shows it."""
    notice = stored.notice
    return NotificationDocument(
        notice.id,
        notice.kind,
        notice.title,
        notice.text,
        notice.action,
        notice.path,
        notice.urgency.value,
        notice.data,
        iso(notice.at),
        iso(stored.read_at),
    )


def preferences_document(choices: Choices) -> PreferencesDocument:
    """Preferences as the API shows them."""
    channels = [
        ChannelDocument(
            one.name,
            one.label,
            one.address,
            one.asks.label if one.asks else None,
            one.asks.help if one.asks else None,
        )
        for one in choices.channels
    ]
    return PreferencesDocument(channels, [KindDocument(one.kind, one.label, one.wanted) for one in choices.kinds])


@get(
    "/api/v1/notifications",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="Your notifications",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **PAGED),
)
async def list_notifications(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    limit: Limit = 30,
    unread: Unread = False,
    cursor: Cursor = "",
) -> NotificationList:
    """What has happened that concerns you, newest first."""
    bell, user = notifications.bell, user_of(request).id
    page = await bell.listed(user, cursor, limit, unread=unread)
    items = [notification_document(one) for one in page.items]
    return NotificationList(items, page.next_cursor, await bell.unread(user))


@post(
    "/api/v1/notifications/read",
    guards=[signed_in],
    status_code=HTTP_200_OK,
    summary="Mark all as read",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def read_all(request: AnyRequest, notifications: NamedDependency[Notifications]) -> ReadCount:
    """Everything that lies there now."""
    return ReadCount(await notifications.bell.read_all(user_of(request).id))


@post(
    "/api/v1/notifications/{notification_id:str}/read",
    guards=[signed_in],
    status_code=HTTP_204_NO_CONTENT,
    summary="Mark one as read",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, **HIDDEN),
)
async def read_one(
    request: AnyRequest, notification_id: FromPath[str], notifications: NamedDependency[Notifications]
) -> None:
    """One of yours."""
    await notifications.bell.read(user_of(request).id, NoticeId(notification_id))


@get(
    "/api/v1/notifications/stream",
    guards=[signed_in],
    summary="Notifications as they come",
    tags=TAGS,
    security=BEARER,
    media_type="text/event-stream",
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def stream_notifications(request: AnyRequest, notifications: NamedDependency[Notifications]) -> ServerSentEvent:
    """Server-sent events: `notification` for each new one, with a number as its id, and `unread` with how many there
    are. A client that comes back with `Last-Event-ID` is told what it missed. `over`: you are signed out."""
    given = request.headers.get("last-event-id", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    events = _events(request, notifications.bell, user_of(request).id, after)
    return ServerSentEvent(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _events(
    request: AnyRequest, bell: InAppNotifier, user_id: UserId, after: int | None
) -> AsyncIterator[ServerSentEventMessage]:
    unread: int | None = None
    async for news in bell.follow(user_id, after):
        if not await still_signed_in(request):
            # A client that is told does not come back to be refused.
            yield ServerSentEventMessage(event="over", data="{}")
            return
        for stored in news.notices:
            text = msgspec.json.encode(notification_document(stored)).decode()
            yield ServerSentEventMessage(event="notification", id=str(stored.number), data=text, retry=RETRY)
        if news.unread != unread:
            yield ServerSentEventMessage(event="unread", data=msgspec.json.encode({"unread": news.unread}).decode())
            unread = news.unread
        elif not news.notices:
            yield ServerSentEventMessage(comment="still here")


@get(
    "/api/v1/me/notifications",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="What you are told of",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def show_preferences(request: AnyRequest, notifications: NamedDependency[Notifications]) -> PreferencesDocument:
    """The channels there are, and by which of them you are told of what."""
    return preferences_document(await notifications.preferences.of(user_of(request)))


@patch(
    "/api/v1/me/notifications",
    guards=[signed_in],
    request_max_body_size=BODY_BYTES,
    summary="Choose what you are told of",
    tags=TAGS,
    security=BEARER,
    responses=problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def change_preferences(
    request: AnyRequest, data: JSONBody[PreferencesChange], notifications: NamedDependency[Notifications]
) -> PreferencesDocument:
    """Switch channels on or off for kinds of notifications, and say where a channel reaches you."""
    changed = await notifications.preferences.change(user_of(request), data.kinds, data.addresses)
    return preferences_document(changed)


@post(
    "/api/v1/me/notifications/test",
    guards=[signed_in],
    status_code=HTTP_200_OK,
    request_max_body_size=BODY_BYTES,
    opt=limited(RouteClass.MAIL),
    summary="Try a channel",
    tags=TAGS,
    security=BEARER,
    responses=problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED),
)
async def try_channel(
    request: AnyRequest, data: JSONBody[ChannelName], notifications: NamedDependency[Notifications]
) -> Trial:
    """Send yourself a test by one of your channels."""
    try:
        await notifications.test(user_of(request), data.channel)
    except InvalidInput:
        raise
    except StreamhostError as error:
        return Trial(sent=False, error=NotTaken(error.code, error.words(), error.hint))
    return Trial(sent=True)


routes = [
    list_notifications,
    stream_notifications,
    read_all,
    read_one,
    show_preferences,
    change_preferences,
    try_channel,
]
