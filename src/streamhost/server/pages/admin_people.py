"""The administration: everybody's accounts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.features.mail import Mail
from streamhost.features.quota import Quotas
from streamhost.features.streams import Streams
from streamhost.model.accounts import Role
from streamhost.model.audit import Actor
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.ids import SessionId, UserId
from streamhost.server.auth import actor_of, viewer_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import failing, kept, password_rules, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import session_view, usage_text, user_view
from streamhost.server.pages.quota_form import count_text, gigabytes_text, quota_typed, streams_typed

AnyRequest = Request[Any, Any, Any]
USERS = "/admin/users"
DONE = {
    "role": "The role is changed.",
    "verify": "The address is taken as verified.",
    "disable": "The account is shut, and signed out everywhere. Its API tokens are revoked.",
    "enable": "The account is open again.",
    "reset": "A link for a new password is on its way.",
    "second-factor": "The second factor is taken away.",
    "quota": "What this account may keep is changed.",
    "streams": "How much this account may play at the same time is changed.",
    "sign-out": "This account is signed out everywhere.",
    "ended": "That device is signed out.",
    "deleted": "The account is deleted.",
    "added": "The account is made. Unless its address was taken as verified, a mail asks for that.",
}
"""What a page says after something was done."""


ACTS: Mapping[str, Callable[[Accounts, UserId, Texts, Actor], Awaitable[object]]] = {
    "role": lambda accounts, user, form, by: accounts.people.set_role(user, _role(form["role"]), by),
    "verify": lambda accounts, user, _form, by: accounts.people.verify(user, by),
    "disable": lambda accounts, user, _form, by: accounts.people.disable(user, by),
    "enable": lambda accounts, user, _form, by: accounts.people.enable(user, by),
    "reset": lambda accounts, user, _form, by: accounts.people.send_reset(user, by),
    "second-factor": lambda accounts, user, _form, by: accounts.second_factor.remove_for(user, by),
    "sign-out": lambda accounts, user, _form, by: accounts.people.end_sessions(user, by),
}
"""What can be done to an account, by the word that the form's button sends."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The rooms that the page of one account asks."""

    accounts: Accounts
    mail: Mail
    quotas: Quotas
    streams: Streams
    frame: Frame


async def _desk(
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    quotas: NamedDependency[Quotas],
    streams: NamedDependency[Streams],
    frame: NamedDependency[Frame],
) -> Desk:
    return Desk(accounts, mail, quotas, streams, frame)


DESK = {"desk": Provide(_desk)}


def _role(text: str) -> Role:
    if text not in set(Role):
        raise InvalidInput(fields={"role": "Choose one of these."})
    return Role(text)


@get(USERS, guards=GUARDS, include_in_schema=False)
async def list_users(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    q: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
) -> Response[str]:
    """Everybody, or those whose name or address holds what was typed."""
    page = await accounts.people.found(q, cursor)
    return await admin_page(
        request,
        frame,
        mail,
        "admin_users.html",
        users=[user_view(user) for user in page.items],
        next_url=following(USERS, page.next_cursor, q=q),
        wanted=q,
        flash=DONE.get(done),
    )


@get(f"{USERS}/new", guards=GUARDS, include_in_schema=False)
async def show_add(
    request: AnyRequest,
    mail: NamedDependency[Mail],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """The form for an account for somebody."""
    return await _add_page(request, mail, settings, frame)


@post(f"{USERS}/new", guards=GUARDS, include_in_schema=False)
async def add(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Make an account for somebody."""
    form = await typed(request)
    try:
        user = await accounts.people.add(
            form["email"],
            form["password"],
            form["name"],
            _role(form["role"]),
            verified=bool(form["verified"]),
            by=actor_of(request),
        )
    except StreamhostError as error:
        return await _add_page(request, mail, settings, frame, error, form)
    return see(f"{USERS}/{user.id}?done=added")


async def _add_page(
    request: AnyRequest,
    mail: Mail,
    settings: Settings,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
) -> Response[str]:
    return await admin_page(
        request,
        frame,
        mail,
        "admin_add_user.html",
        **failing(error),
        form=kept(form or Texts(role=Role.VIEWER.value)),
        **password_rules(settings),
    )


@get(f"{USERS}/{{user_id:str}}", guards=GUARDS, dependencies=DESK, include_in_schema=False)
async def show_user(
    request: AnyRequest, user_id: FromPath[str], desk: NamedDependency[Desk], done: FromQuery[str] = ""
) -> Response[str]:
    """One account and what can be done to it."""
    return await _user_page(request, UserId(user_id), desk, flash=DONE.get(done))


@post(f"{USERS}/{{user_id:str}}", guards=GUARDS, dependencies=DESK, include_in_schema=False)
async def change_user(request: AnyRequest, user_id: FromPath[str], desk: NamedDependency[Desk]) -> Response[Any]:
    """Do one of `ACTS`, which the field `do` names."""
    form = await typed(request)
    user = await desk.accounts.people.get(UserId(user_id))
    if (act := ACTS.get(form["do"])) is None:
        raise NotFound
    return await _after(request, desk, user.id, form["do"], act(desk.accounts, user.id, form, actor_of(request)))


async def _after(
    request: AnyRequest, desk: Desk, user_id: UserId, done: str, change: Awaitable[object], form: Texts | None = None
) -> Response[Any]:
    """Make a change, and show the account as it is then; with what is wrong and what was typed if it was refused."""
    try:
        await change
    except StreamhostError as error:
        return await _user_page(request, user_id, desk, error, form=form)
    return see(f"{USERS}/{user_id}?done={done}")


async def _user_page(
    request: AnyRequest,
    user_id: UserId,
    desk: Desk,
    error: StreamhostError | None = None,
    flash: str | None = None,
    form: Texts | None = None,
) -> Response[str]:
    accounts = desk.accounts
    user = await accounts.people.get(user_id)
    viewer = viewer_of(request)
    usage = await desk.quotas.usage(user.id)
    sessions = await accounts.people.sessions(user.id)
    most, own = desk.streams.limit(user.id)
    stands = {
        "gigabytes": gigabytes_text(usage.own_bytes),
        "videos": count_text(usage.own_videos),
        "limit": count_text(most if own else None),
    }
    return await admin_page(
        request,
        desk.frame,
        desk.mail,
        "admin_user.html",
        **failing(error),
        user=user_view(user),
        usage=usage_text(usage),
        form=Texts({**stands, **(form or {})}),
        streams=most,
        second_factor=await accounts.second_factor.state(user.id),
        sessions=[session_view(one, viewer.session_id) for one in sessions],
        itself=viewer.id == user.id,
        flash=flash,
    )


@post(f"{USERS}/{{user_id:str}}/quota", guards=GUARDS, dependencies=DESK, include_in_schema=False)
async def set_quota(request: AnyRequest, user_id: FromPath[str], desk: NamedDependency[Desk]) -> Response[Any]:
    """Set what somebody may keep."""

    async def allow(user: UserId, form: Texts) -> None:
        await desk.quotas.allow(user, *quota_typed(form["gigabytes"], form["videos"]), actor_of(request))

    return await _limited(request, desk, user_id, "quota", allow)


@post(f"{USERS}/{{user_id:str}}/streams", guards=GUARDS, dependencies=DESK, include_in_schema=False)
async def set_streams(request: AnyRequest, user_id: FromPath[str], desk: NamedDependency[Desk]) -> Response[Any]:
    """Set how many videos somebody may play at the same time."""

    async def limit(user: UserId, form: Texts) -> None:
        await desk.streams.set_limit(user, streams_typed(form["limit"]), actor_of(request))

    return await _limited(request, desk, user_id, "streams", limit)


async def _limited(
    request: AnyRequest, desk: Desk, user_id: str, done: str, limit: Callable[[UserId, Texts], Awaitable[object]]
) -> Response[Any]:
    """Set a limit of an account as a form says."""
    form = await typed(request)
    user = await desk.accounts.people.get(UserId(user_id))
    return await _after(request, desk, user.id, done, limit(user.id, form), form)


@post(f"{USERS}/{{user_id:str}}/sessions/{{session_id:str}}/end", guards=GUARDS, include_in_schema=False)
async def end_session(
    request: AnyRequest, user_id: FromPath[str], session_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> Response[Any]:
    """Sign out one device of somebody."""
    await accounts.revoke(UserId(user_id), SessionId(session_id), by=actor_of(request))
    return see(f"{USERS}/{user_id}?done=ended")


@get(f"{USERS}/{{user_id:str}}/delete", guards=GUARDS, include_in_schema=False)
async def show_delete(
    request: AnyRequest,
    user_id: FromPath[str],
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Ask once more."""
    user = user_view(await accounts.people.get(UserId(user_id)))
    return await admin_page(request, frame, mail, "admin_delete_user.html", user=user)


@post(f"{USERS}/{{user_id:str}}/delete", guards=GUARDS, include_in_schema=False)
async def delete(
    request: AnyRequest,
    user_id: FromPath[str],
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Delete somebody's account with everything that is its own."""
    user = await accounts.people.get(UserId(user_id))
    try:
        await accounts.people.delete(user.id, actor_of(request))
    except StreamhostError as error:
        return await admin_page(request, frame, mail, "admin_delete_user.html", **failing(error), user=user_view(user))
    return see(f"{USERS}?done=deleted")


routes = [list_users, show_add, add, show_user, change_user, set_quota, set_streams, end_session, show_delete, delete]
