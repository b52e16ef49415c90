"""Links to a mailbox that change an account: a new password for a forgotten one, and a new address."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.model.accounts import User
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.server.auth import address_of, anyone, viewer_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.entrance import SIGN_IN_PATH
from streamhost.server.pages.forms import failing, password_rules, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.mailing import asked_for_mail, mail_form

AnyRequest = Request[Any, Any, Any]


@get("/forgot", guards=[anyone], include_in_schema=False)
async def show_forgot(request: AnyRequest, frame: NamedDependency[Frame]) -> Response[str]:
    """The form for whoever has forgotten the password."""
    return mail_form(request, frame, "forgot.html")


@post("/forgot", guards=[anyone], opt=limited(RouteClass.MAIL), include_in_schema=False)
async def forgot(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """Send a link for a new password, if this address has an account. The page does not tell."""
    return await asked_for_mail(request, frame, "forgot.html", accounts.recovery.forgot)


@get("/reset", guards=[anyone], include_in_schema=False)
async def show_reset(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    token: FromQuery[str] = "",
) -> Response[str]:
    """The form for a new password, or why the link does not open it."""
    try:
        user = await accounts.recovery.look(token)
    except StreamhostError as error:
        return _reset_page(request, frame, settings, None, "", error)
    return _reset_page(request, frame, settings, user, token)


@post("/reset", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def reset(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Set the new password; everybody who was signed in to the account is signed out."""
    form = await typed(request)
    user: User | None = None
    try:
        user = await accounts.recovery.look(form["token"])
        await accounts.recovery.reset(form["token"], form["password"], address=address_of(request))
    except InvalidInput as error:
        return _reset_page(request, frame, settings, user, form["token"], error)
    except StreamhostError as error:
        return _reset_page(request, frame, settings, None, "", error)
    return see(f"{SIGN_IN_PATH}?done=reset")


def _reset_page(
    request: AnyRequest,
    frame: Frame,
    settings: Settings,
    user: User | None,
    token: str,
    error: StreamhostError | None = None,
) -> Response[str]:
    """`user`: whose password it is; None where the link does not work."""
    return frame.page(
        request,
        "reset.html",
        **failing(error),
        email=user.email if user else "",
        token=token,
        **password_rules(settings),
    )


@get("/account/email/confirm", guards=[anyone], include_in_schema=False)
async def show_confirm_email(
    request: AnyRequest, frame: NamedDependency[Frame], token: FromQuery[str] = ""
) -> Response[str]:
    """The page behind the link that was sent to a new address. It asks for a click: programs that look into mail follow
    links, and must not give somebody's account another address."""
    return frame.page(request, "confirm_email.html", stage="ask", token=token, error=None)


@post("/account/email/confirm", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def confirm_email(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Give the account its new address."""
    form = await typed(request)
    try:
        await accounts.profile.confirm_email(form["token"], address=address_of(request))
    except StreamhostError as error:
        return frame.page(request, "confirm_email.html", **failing(error), stage="refused", token="")
    return see("/account?done=email" if viewer_of(request).user else f"{SIGN_IN_PATH}?done=email")


routes = [show_forgot, forgot, show_reset, reset, show_confirm_email, confirm_email]
