"""The way in and out: setting the site up, signing in, registering, signing out."""

import hmac
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.model.errors import StreamhostError
from streamhost.server.auth import address_of, anyone, clear_cookie, device_of, sign_in_cookie, viewer_of
from streamhost.server.errors import status_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.forms import complaint, safe_next, see, typed
from streamhost.server.pages.frame import Frame, Texts

AnyRequest = Request[Any, Any, Any]
SIGN_IN_PATH = "/login"


def _password_rules(settings: Settings) -> dict[str, Any]:
    least = settings.accounts.password_min_length
    return {"password_min": least, "password_hint": f"At least {least} characters."}


def _kept(form: Texts) -> Texts:
    """What a form shows again after a mistake: everything but the password."""
    return Texts({name: value for name, value in form.items() if name != "password"})


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
) -> Response[str]:
    """The page behind the one-time link: make the first administrator."""
    opens = await _opens(accounts, token)
    return frame.page(
        request,
        "setup.html",
        HTTP_200_OK if opens else HTTP_404_NOT_FOUND,
        token_valid=opens,
        token=token,
        error=None,
        form=Texts(),
        errors=Texts(),
        **_password_rules(settings),
    )


@post("/setup", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def set_up(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Make the first administrator and sign them in."""
    form = await typed(request)
    try:
        sign_in = await accounts.setup(
            form["token"],
            form["email"],
            form["password"],
            form["name"],
            device=device_of(request),
            address=address_of(request),
        )
    except StreamhostError as error:
        return frame.page(
            request,
            "setup.html",
            status_of(error),
            token_valid=await _opens(accounts, form["token"]),
            token=form["token"],
            error=complaint(error),
            form=_kept(form),
            errors=Texts(error.fields),
            **_password_rules(settings),
        )
    response = see("/")
    sign_in_cookie(request, response, sign_in)
    return response


@get(SIGN_IN_PATH, guards=[anyone], include_in_schema=False)
async def show_login(request: AnyRequest, frame: NamedDependency[Frame]) -> Response[Any]:
    """The sign-in form; who is signed in already goes on."""
    onward = safe_next(request.query_params.get("next", "/"))
    if viewer_of(request).user is not None:
        return see(onward)
    return frame.page(request, "login.html", next=onward, error=None, form=Texts(), errors=Texts())


@post(SIGN_IN_PATH, guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def sign_in(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Open a session for this browser."""
    form = await typed(request)
    onward = safe_next(form["next"])
    try:
        opened = await accounts.login(
            form["email"], form["password"], device=device_of(request), address=address_of(request)
        )
    except StreamhostError as error:
        return frame.page(
            request,
            "login.html",
            status_of(error),
            next=onward,
            error=complaint(error),
            form=_kept(form),
            errors=Texts(error.fields),
        )
    response = see(onward)
    sign_in_cookie(request, response, opened)
    return response


@get("/register", guards=[anyone], include_in_schema=False)
async def show_register(
    request: AnyRequest, settings: NamedDependency[Settings], frame: NamedDependency[Frame]
) -> Response[str]:
    """The form for a new account, or why there is none."""
    return frame.page(
        request,
        "register.html",
        sent=False,
        error=None,
        form=Texts(),
        errors=Texts(),
        **_password_rules(settings),
    )


@post("/register", guards=[anyone], opt=limited(RouteClass.MAIL), include_in_schema=False)
async def register(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Make an account. The answer is the same whether or not the address had one."""
    form = await typed(request)
    status, problem, errors = HTTP_200_OK, None, Texts()
    try:
        await accounts.registration.register(form["email"], form["password"], form["name"], address=address_of(request))
    except StreamhostError as error:
        status, problem, errors = status_of(error), complaint(error), Texts(error.fields)
    return frame.page(
        request,
        "register.html",
        status,
        sent=status == HTTP_200_OK,
        error=problem,
        form=_kept(form),
        errors=errors,
        **_password_rules(settings),
    )


@post("/logout", guards=[anyone], include_in_schema=False)
async def sign_out(request: AnyRequest, accounts: NamedDependency[Accounts]) -> Response[Any]:
    """End this browser's session."""
    if session_id := viewer_of(request).session_id:
        await accounts.logout(session_id)
    response = see("/")
    clear_cookie(request, response)
    return response


def to_sign_in(request: AnyRequest) -> Response[Any]:
    """Sign in first, then come back to where you were heading."""
    query = f"?{request.url.query}" if request.url.query else ""
    return see(f"{SIGN_IN_PATH}?next={quote(request.url.path + query, safe='/')}")


routes = [show_setup, set_up, show_login, sign_in, show_register, register, sign_out]
