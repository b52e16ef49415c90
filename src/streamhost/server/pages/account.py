"""One's own account: what others see, the address, the password, where one is signed in, and the end of it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.features.quota import Quotas
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import SessionId
from streamhost.server.auth import actor_of, clear_cookie, in_person, user_of, viewer_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.entrance import SIGN_IN_PATH
from streamhost.server.pages.forms import failing, kept, password_rules, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import session_view, usage_text, user_view

AnyRequest = Request[Any, Any, Any]
ACCOUNT = "/account"
SECURITY = "/account/security"
DONE = {
    "name": "Your name is changed.",
    "asked": "Follow the link that we have sent to the new address. Until then the old one stays.",
    "email": "Your account has its new address.",
    "password": "Your password is changed. Every other browser was signed out.",
    "ended": "That device is signed out.",
    "second-factor-off": "Signing in needs no code any more.",
}
"""What a page says after something was done."""


@get(ACCOUNT, guards=[in_person], include_in_schema=False)
async def show_account(
    request: AnyRequest,
    quotas: NamedDependency[Quotas],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """Name, address, and what is used of the site."""
    return await _account_page(request, quotas, frame, done=done)


@post("/account/name", guards=[in_person], include_in_schema=False)
async def rename(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    quotas: NamedDependency[Quotas],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Change what others see."""
    form = await typed(request)
    try:
        await accounts.profile.rename(user_of(request), form["name"], actor_of(request))
    except StreamhostError as error:
        return await _account_page(request, quotas, frame, error, form)
    return see(f"{ACCOUNT}?done=name")


@post("/account/email", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def change_email(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    quotas: NamedDependency[Quotas],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Send a link to another address. The page does not tell whether that one has an account."""
    form = await typed(request)
    try:
        await accounts.profile.ask_for_email(user_of(request), form["email"], form["password"], actor_of(request))
    except StreamhostError as error:
        return await _account_page(request, quotas, frame, error, form)
    return see(f"{ACCOUNT}?done=asked")


async def _account_page(
    request: AnyRequest,
    quotas: Quotas,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    done: str = "",
) -> Response[str]:
    user = user_of(request)
    return frame.page(
        request,
        "account.html",
        **failing(error),
        user=user_view(user),
        usage=usage_text(await quotas.usage(user.id)),
        flash=DONE.get(done),
        form=kept(form or Texts()),
    )


@get(SECURITY, guards=[in_person], include_in_schema=False)
async def show_security(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """Password, second factor, devices."""
    return await _security_page(request, accounts, settings, frame, done=done)


@post("/account/password", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def change_password(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Set another password; every other browser is signed out."""
    form = await typed(request)
    session, by = viewer_of(request).session_id, actor_of(request)
    try:
        await accounts.profile.change_password(user_of(request), session, form["password"], form["new_password"], by)
    except StreamhostError as error:
        return await _security_page(request, accounts, settings, frame, error)
    return see(f"{SECURITY}?done=password")


async def _security_page(
    request: AnyRequest,
    accounts: Accounts,
    settings: Settings,
    frame: Frame,
    error: StreamhostError | None = None,
    done: str = "",
) -> Response[str]:
    user = user_of(request)
    sessions = await accounts.sessions(user.id)
    return frame.page(
        request,
        "security.html",
        **failing(error),
        user=user_view(user),
        second_factor=await accounts.second_factor.state(user.id),
        sessions=[session_view(one, viewer_of(request).session_id) for one in sessions],
        flash=DONE.get(done),
        **password_rules(settings),
    )


@post("/account/sessions/{session_id:str}/end", guards=[in_person], include_in_schema=False)
async def end_session(
    request: AnyRequest, session_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> Response[Any]:
    """Sign out one of one's devices."""
    await accounts.revoke(user_of(request).id, SessionId(session_id), by=actor_of(request))
    return see(f"{SECURITY}?done=ended")


@post("/account/sessions/end", guards=[in_person], include_in_schema=False)
async def end_all_sessions(request: AnyRequest, accounts: NamedDependency[Accounts]) -> Response[Any]:
    """Sign out everywhere, here too."""
    await accounts.people.end_sessions(user_of(request).id, by=actor_of(request))
    response = see(f"{SIGN_IN_PATH}?done=left")
    clear_cookie(request, response)
    return response


@get("/account/delete", guards=[in_person], include_in_schema=False)
async def show_delete(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """What deleting means, and the form for it."""
    return await _delete_page(request, accounts, frame)


@post("/account/delete", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def delete(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Delete the account with everything that is its own."""
    form = await typed(request)
    try:
        await accounts.profile.delete(user_of(request), form["password"], form["otp"], actor_of(request))
    except StreamhostError as error:
        return await _delete_page(request, accounts, frame, error)
    response = see(f"{SIGN_IN_PATH}?done=deleted")
    clear_cookie(request, response)
    return response


async def _delete_page(
    request: AnyRequest, accounts: Accounts, frame: Frame, error: StreamhostError | None = None
) -> Response[str]:
    state = await accounts.second_factor.state(user_of(request).id)
    return frame.page(
        request,
        "delete_account.html",
        **failing(error),
        code_needed=state.on,
    )


routes = [
    show_account,
    rename,
    change_email,
    show_security,
    change_password,
    end_session,
    end_all_sessions,
    show_delete,
    delete,
]
