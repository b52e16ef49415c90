"""The way in and out: setting the site up, signing in, signing out."""

import contextlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.status_codes import HTTP_200_OK, HTTP_401_UNAUTHORIZED, HTTP_404_NOT_FOUND

from streamhost.config import Settings, SettingsChanged, SettingsNotWritable
from streamhost.features.accounts import (
    Accounts,
    EmailUnverified,
    InvalidLink,
    LinkExpired,
    LinkUsed,
    OtpInvalid,
    OtpRequired,
)
from streamhost.features.settings import SettingsDesk
from streamhost.model.accounts import Role
from streamhost.model.audit import Actor
from streamhost.model.errors import StreamhostError
from streamhost.server.auth import address_of, anyone, clear_cookie, device_of, sign_in_cookie, viewer_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.forms import Complaint, failing, kept, password_rules, safe_next, see, typed
from streamhost.server.pages.frame import Frame, Texts

AnyRequest = Request[Any, Any, Any]
SIGN_IN_PATH = "/login"
SITE_NAME = "server.site_name"
DONE = {
    "verified": "Your address is verified. Now you can sign in.",
    "email": "Your account has its new address. Sign in with it from now on.",
    "reset": "Your new password is set, and you are signed out everywhere else. Sign in with it.",
    "invited": "If this address had no account, yours is made: you can sign in.",
    "left": "You are signed out everywhere.",
    "deleted": "Your account is deleted. Good-bye.",
}
"""What the page says after something was done on another one."""
TOO_SLOW = Complaint("That took too long, or somebody has signed in meanwhile.", "Sign in once more.")


async def _opens(accounts: Accounts, token: str) -> bool:
    expected = await accounts.registration.setup_token()
    return expected is not None and hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode())


@get("/setup", guards=[anyone], include_in_schema=False)
async def show_setup(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    token: FromQuery[str] = "",
) -> Response[Any]:
    """The page behind the one-time link: make the first administrator. Who has done that goes on with the steps."""
    if viewer_of(request).is_at_least(Role.ADMIN):
        return see("/setup/policy")
    opens = await _opens(accounts, token)
    return _setup_page(request, frame, settings, opens, Texts(token=token, site=frame.site_name))


@post("/setup", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def set_up(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    settings_desk: NamedDependency[SettingsDesk],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Make the first administrator, name the site, and sign them in; then come the other steps."""
    form = await typed(request)
    named = {SITE_NAME: form["site"].strip()} if form["site"].strip() not in ("", frame.site_name) else {}
    try:
        await settings_desk.tried(named)
        sign_in = await accounts.setup(
            form["token"],
            form["email"],
            form["password"],
            form["name"],
            device=device_of(request),
            address=address_of(request),
        )
    except StreamhostError as error:
        opens = await _opens(accounts, form["token"])
        return _setup_page(request, frame, settings, opens, form, error)
    with contextlib.suppress(SettingsNotWritable, SettingsChanged):
        # There is an account now, and a step for everything that could not be written.
        await settings_desk.change(named, Actor.of(sign_in.user, address_of(request)))
    response = see("/setup/policy")
    sign_in_cookie(request, response, sign_in)
    return response


def _setup_page(
    request: AnyRequest,
    frame: Frame,
    settings: Settings,
    opens: bool,
    form: Texts,
    error: StreamhostError | None = None,
) -> Response[str]:
    """The form, where the link opens it."""
    return frame.page(
        request,
        "setup.html",
        **failing(
            error,
            otherwise=HTTP_200_OK if opens else HTTP_404_NOT_FOUND,
            named=lambda key: "site" if key == SITE_NAME else key,
        ),
        token_valid=opens,
        token=form["token"],
        form=kept(form),
        **password_rules(settings),
    )


@get(SIGN_IN_PATH, guards=[anyone], include_in_schema=False)
async def show_login(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame], done: FromQuery[str] = ""
) -> Response[Any]:
    """The sign-in form; who is signed in already goes on."""
    onward = safe_next(request.query_params.get("next", "/"))
    if viewer_of(request).user is not None:
        return see(onward)
    return _login_page(request, frame, accounts, onward, flash=DONE.get(done))


@post(SIGN_IN_PATH, guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def sign_in(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Open a session for this browser. An account with a second factor is asked for a code by a form of its own, in
    which a ticket stands for the password."""
    form = await typed(request)
    onward, ticket = safe_next(form["next"]), form["ticket"]
    device, address = device_of(request), address_of(request)
    try:
        if ticket:
            opened = await accounts.login_by_code(ticket, form["otp"], device=device, address=address)
        else:
            opened = await accounts.login(form["email"], form["password"], device=device, address=address)
    except OtpRequired as error:
        # To ask for the code is no refusal: whoever sees this form is on the right way.
        return frame.page(request, "code.html", next=onward, error=None, ticket=error.ticket)
    except OtpInvalid as error:
        return frame.page(request, "code.html", **failing(error), next=onward, ticket=ticket)
    except (InvalidLink, LinkExpired, LinkUsed):
        wrong = failing(None, otherwise=HTTP_401_UNAUTHORIZED) | {"error": TOO_SLOW}
        return _login_page(request, frame, accounts, onward, wrong)
    except StreamhostError as error:
        unverified = form["email"] if isinstance(error, EmailUnverified) else ""
        return _login_page(request, frame, accounts, onward, failing(error), form, unverified)
    response = see(onward)
    sign_in_cookie(request, response, opened)
    return response


def _login_page(
    request: AnyRequest,
    frame: Frame,
    accounts: Accounts,
    onward: str,
    wrong: Mapping[str, Any] | None = None,
    form: Texts | None = None,
    unverified: str = "",
    flash: str | None = None,
) -> Response[Any]:
    """The form. `wrong`: see `failing`; `unverified`: the address that waits for its verification, if that is it."""
    return frame.page(
        request,
        "login.html",
        **(wrong or failing(None)),
        next=onward,
        form=kept(form or Texts()),
        unverified=unverified,
        registration=accounts.registration.mode,
        flash=flash,
    )


@post("/logout", guards=[anyone], include_in_schema=False)
async def sign_out(request: AnyRequest, accounts: NamedDependency[Accounts]) -> Response[Any]:
    """End this browser's session."""
    if session_id := viewer_of(request).session_id:
        await accounts.logout(session_id, address=address_of(request))
    response = see("/")
    clear_cookie(request, response)
    return response


def to_sign_in(request: AnyRequest) -> Response[Any]:
    """Sign in first, then come back to where you were heading."""
    query = f"?{request.url.query}" if request.url.query else ""
    return see(f"{SIGN_IN_PATH}?next={quote(request.url.path + query, safe='/')}")


routes = [show_setup, set_up, show_login, sign_in, sign_out]
