"""What lies under the bell, what one wants to be told of, and the link that ends mail without signing in."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from streamhost.features.notifications import Notifications
from streamhost.features.notifications.kinds import KINDS
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import NoticeId
from streamhost.model.notices import StoredNotice
from streamhost.server.auth import in_person, public, signed_in, user_of
from streamhost.server.errors import status_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import complaint, failing, safe_next, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import Moment, moment

AnyRequest = Request[Any, Any, Any]
BELL = "/notifications"
CHOICES = "/account/notifications"
LEAVE = "/unsubscribe"
PER_PAGE = 30
WANT, WHERE = "want", "where"
DONE = {"saved": "What you want to be told of is saved.", "tried": "A test was handed over. Look whether it arrives."}


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notification for a template."""

    id: str
    title: str
    text: str
    action: str
    opens: bool
    urgent: bool
    read: bool
    at: Moment


def _view(stored: StoredNotice) -> NoticeView:
    notice = stored.notice
    return NoticeView(
        notice.id,
        notice.title,
        notice.text,
        notice.action,
        bool(notice.path),
        notice.urgency.value == "high",
        stored.read_at is not None,
        moment(notice.at),
    )


@get(BELL, guards=[signed_in], include_in_schema=False)
async def show_notices(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str] = "",
) -> Response[str]:
    """What has happened that concerns whoever looks, newest first."""
    page = await notifications.bell.listed(user_of(request).id, cursor, PER_PAGE)
    return frame.page(
        request,
        "notifications.html",
        notices=[_view(one) for one in page.items],
        next_url=following(BELL, page.next_cursor),
    )


@post(f"{BELL}/read", guards=[signed_in], include_in_schema=False)
async def read_all(request: AnyRequest, notifications: NamedDependency[Notifications]) -> Response[Any]:
    """Mark all as read."""
    await notifications.bell.read_all(user_of(request).id)
    return see(BELL)


@post(f"{BELL}/{{notification_id:str}}/open", guards=[signed_in], include_in_schema=False)
async def open_notice(
    request: AnyRequest, notification_id: FromPath[str], notifications: NamedDependency[Notifications]
) -> Response[Any]:
    """Mark one as read, and go where it leads."""
    found = await notifications.bell.read(user_of(request).id, NoticeId(notification_id))
    return see(safe_next(found.notice.path, BELL))


@get(CHOICES, guards=[in_person], include_in_schema=False)
async def show_choices(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The table of kinds and channels."""
    return await _choices_page(request, notifications, frame, done=done)


@post(CHOICES, guards=[in_person], include_in_schema=False)
async def choose(
    request: AnyRequest, notifications: NamedDependency[Notifications], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Take over what is ticked, and what is not."""
    form = await typed(request)
    user, room = user_of(request), notifications.preferences
    shown = await room.of(user)
    channels = [one.name for one in shown.channels]
    wishes = {
        one.kind.value: {name: f"{WANT} {one.kind.value} {name}" in form for name in channels} for one in shown.kinds
    }
    addresses = {one.name: form[f"{WHERE} {one.name}"] for one in shown.channels if one.asks}
    try:
        await room.change(user, wishes, addresses)
    except StreamhostError as error:
        return await _choices_page(request, notifications, frame, error, form)
    return see(f"{CHOICES}?done=saved")


@post(f"{CHOICES}/test", guards=[in_person], opt=limited(RouteClass.MAIL), include_in_schema=False)
async def try_channel(
    request: AnyRequest, notifications: NamedDependency[Notifications], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Send a test by one channel."""
    form = await typed(request)
    try:
        await notifications.test(user_of(request), form["channel"])
    except StreamhostError as error:
        return await _choices_page(request, notifications, frame, error)
    return see(f"{CHOICES}?done=tried")


async def _choices_page(
    request: AnyRequest,
    notifications: Notifications,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    done: str = "",
) -> Response[str]:
    shown = await notifications.preferences.of(user_of(request))
    status = HTTP_200_OK if error is None else status_of(error)
    return frame.page(
        request,
        "account_notifications.html",
        status if status < 500 else HTTP_200_OK,
        channels=shown.channels,
        kinds=shown.kinds,
        typed={one.name: form[f"{WHERE} {one.name}"] if form else one.address for one in shown.channels},
        flash=DONE.get(done),
        error=complaint(error) if error else None,
        errors=Texts(error.fields) if error else Texts(),
    )


@get(LEAVE, guards=[public], include_in_schema=False)
async def show_leave(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    frame: NamedDependency[Frame],
    token: FromQuery[str] = "",
) -> Response[str]:
    """Ask before ending anything: programs open links in mails, too."""
    return await _leave_page(request, notifications, frame, token, done=False)


@post(LEAVE, guards=[public], opt=limited(RouteClass.LOGIN), status_code=HTTP_200_OK, include_in_schema=False)
async def leave(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    frame: NamedDependency[Frame],
    token: FromQuery[str] = "",
) -> Response[str]:
    """End mail, also where a mail program asks for it by itself (RFC 8058)."""
    return await _leave_page(request, notifications, frame, token, done=True)


async def _leave_page(
    request: AnyRequest, notifications: Notifications, frame: Frame, token: str, *, done: bool
) -> Response[str]:
    try:
        leaving = notifications.unsubscribing.open(token)
        if done:
            await notifications.preferences.leave(leaving)
    except StreamhostError as error:
        return frame.page(request, "unsubscribe.html", **failing(error), about="", done=False, token="")
    about = KINDS[leaving.kind].label if leaving.kind else ""
    return frame.page(request, "unsubscribe.html", error=None, about=about, done=done, token=token)


routes = [show_notices, read_all, open_notice, show_choices, choose, try_channel, show_leave, leave]
