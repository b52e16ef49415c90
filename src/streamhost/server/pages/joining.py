"""How people come to an account by themselves: registering, verifying the address, asking for the mail again."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.model.accounts import Invitation
from streamhost.model.errors import StreamhostError
from streamhost.server.auth import address_of, anyone
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.entrance import SIGN_IN_PATH
from streamhost.server.pages.forms import failing, kept, password_rules, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.mailing import asked_for_mail, mail_form

AnyRequest = Request[Any, Any, Any]


@get("/register", guards=[anyone], include_in_schema=False)
async def show_register(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
    invitation: FromQuery[str] = "",
) -> Response[str]:
    """The form for a new account, or why there is none."""
    try:
        invited = await accounts.registration.invited(invitation) if invitation else None
    except StreamhostError as error:
        return _register_page(request, frame, accounts, settings, error=error, stage="refused")
    stage = "form" if invited or accounts.registration.mode == "open" else "closed"
    return _register_page(request, frame, accounts, settings, invitation=invitation, invited=invited, stage=stage)


@post("/register", guards=[anyone], opt=limited(RouteClass.MAIL), include_in_schema=False)
async def register(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Make an account. The answer is the same whether or not the address had one."""
    form = await typed(request)
    token = form["invitation"]
    invited: Invitation | None = None
    try:
        invited = await accounts.registration.invited(token) if token else None
        await accounts.registration.register(
            form["email"], form["password"], form["name"], invitation=token, address=address_of(request)
        )
    except StreamhostError as error:
        stage = "refused" if token and invited is None else "form"
        return _register_page(request, frame, accounts, settings, form, token, invited, error, stage)
    if invited is not None and invited.email is not None:
        return see(f"{SIGN_IN_PATH}?done=invited")
    return _register_page(request, frame, accounts, settings, form, stage="sent")


def _register_page(
    request: AnyRequest,
    frame: Frame,
    accounts: Accounts,
    settings: Settings,
    form: Texts | None = None,
    invitation: str = "",
    invited: Invitation | None = None,
    error: StreamhostError | None = None,
    stage: str = "form",
) -> Response[str]:
    """`stage`: `form`, `sent` (look into the mailbox), `closed` or `refused` (the invitation does not work)."""
    return frame.page(
        request,
        "register.html",
        **failing(error),
        stage=stage if stage != "form" or accounts.registration.mode != "closed" else "closed",
        registration=accounts.registration.mode,
        invitation=invitation,
        invited=invited,
        form=kept(form or Texts()),
        **password_rules(settings),
    )


@get("/verify", guards=[anyone], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def verify(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    frame: NamedDependency[Frame],
    token: FromQuery[str] = "",
) -> Response[Any]:
    """Behind the link in the mail: take the address as verified, and go on to sign in."""
    try:
        await accounts.registration.verify(token, address=address_of(request))
    except StreamhostError as error:
        return frame.page(request, "verify.html", **failing(error))
    return see(f"{SIGN_IN_PATH}?done=verified")


@get("/verify/resend", guards=[anyone], include_in_schema=False)
async def show_resend(request: AnyRequest, frame: NamedDependency[Frame]) -> Response[str]:
    """The form for another verification mail."""
    return mail_form(request, frame, "resend.html")


@post("/verify/resend", guards=[anyone], opt=limited(RouteClass.MAIL), include_in_schema=False)
async def resend(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Send the verification mail again, if this address waits for one. The page does not tell."""
    return await asked_for_mail(request, frame, "resend.html", accounts.registration.resend)


routes = [show_register, register, verify, show_resend, resend]
