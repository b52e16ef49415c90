"""What else opens one's account: the second factor with its recovery codes, and API tokens."""

import hmac
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from streamhost.features.accounts import Accounts, NewApiToken, NewSecret
from streamhost.late import late
from streamhost.model.accounts import Scope
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import TokenId
from streamhost.server.auth import actor_of, in_person, user_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.account import SECURITY
from streamhost.server.pages.forms import failing, kept, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import token_view

if TYPE_CHECKING:
    import segno
else:
    segno = late("segno")

AnyRequest = Request[Any, Any, Any]
SECOND_FACTOR = "/account/second-factor"
TOKENS = "/account/tokens"
QUIET_MODULES = 4
"""Light modules around a QR code (ISO/IEC 18004, 9.1)."""
GROUP = 4
"""Characters of the secret between two spaces, for whoever types it."""
SCOPES = {
    Scope.READ: "Look at what you may see.",
    Scope.UPLOAD: "Send files.",
    Scope.MANAGE: "Change and delete what is yours.",
    Scope.ADMIN: "Do what your role lets you do with what is others'.",
}
LIVES = {"30": "30 days", "90": "90 days", "365": "A year", "": "For ever"}
"""How long a token may live, in days, as the form offers it."""


@get(SECOND_FACTOR, guards=[in_person], include_in_schema=False)
async def show_second_factor(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """How it stands, and what can be done about it."""
    return await _factor_page(request, accounts, frame)


@post(SECOND_FACTOR, guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def begin_second_factor(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """Show a new secret, as a QR code and to be typed. It is in this answer alone."""
    form = await typed(request)
    try:
        secret = await accounts.second_factor.begin(user_of(request), form["password"], actor_of(request))
    except StreamhostError as error:
        return await _factor_page(request, accounts, frame, error)
    return await _factor_page(request, accounts, frame, secret=secret)


@post(f"{SECOND_FACTOR}/confirm", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def confirm_second_factor(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """Put it in force by a first code, and show the recovery codes, once."""
    form = await typed(request)
    user = user_of(request)
    try:
        codes = await accounts.second_factor.confirm(user, form["otp"], actor_of(request))
    except StreamhostError as error:
        # After a wrong code the secret is shown again only to whoever was shown it before.
        pending = await accounts.second_factor.pending(user)
        known = pending is not None and hmac.compare_digest(form["secret"].encode(), pending.secret.encode())
        return await _factor_page(request, accounts, frame, error, pending if known else None)
    return await _factor_page(request, accounts, frame, codes=codes)


@post(f"{SECOND_FACTOR}/codes", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def new_codes(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """Recovery codes in the place of the old ones, shown once."""
    form = await typed(request)
    try:
        codes = await accounts.second_factor.new_codes(user_of(request), form["password"], actor_of(request))
    except StreamhostError as error:
        return await _factor_page(request, accounts, frame, error, wrong="codes")
    return await _factor_page(request, accounts, frame, codes=codes)


@post(f"{SECOND_FACTOR}/off", guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def switch_off(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Ask for no codes any more."""
    form = await typed(request)
    try:
        await accounts.second_factor.switch_off(user_of(request), form["password"], form["otp"], actor_of(request))
    except StreamhostError as error:
        return await _factor_page(request, accounts, frame, error, wrong="off")
    return see(f"{SECURITY}?done=second-factor-off")


async def _factor_page(
    request: AnyRequest,
    accounts: Accounts,
    frame: Frame,
    error: StreamhostError | None = None,
    secret: NewSecret | None = None,
    codes: list[str] | None = None,
    wrong: str = "",
) -> Response[str]:
    """`secret`: shown to be put into an app. `codes`: shown to be kept. `wrong`: the form that `error` is about."""
    return frame.page(
        request,
        "second_factor.html",
        **failing(error),
        state=await accounts.second_factor.state(user_of(request).id),
        secret=secret.secret if secret else "",
        spaced=_spaced(secret.secret) if secret else "",
        uri=secret.uri if secret else "",
        qr=_qr(secret.uri) if secret else None,
        codes=codes or [],
        wrong=wrong,
    )


def _qr(uri: str) -> Markup:
    """A QR code as SVG without size, style or script, for a page with a strict policy."""
    drawing = segno.make_qr(uri, error="m").svg_inline(
        border=QUIET_MODULES, omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawing)  # noqa: S704 - numbers and path commands of the library, no text of the URI


def _spaced(secret: str) -> str:
    return " ".join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP))


@get(TOKENS, guards=[in_person], include_in_schema=False)
async def show_tokens(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The keys that one's scripts have, and the form for another one."""
    flash = "The token is revoked. Whatever used it is locked out now." if done == "revoked" else None
    return await _tokens_page(request, accounts, frame, flash=flash)


@post(TOKENS, guards=[in_person], opt=limited(RouteClass.LOGIN), include_in_schema=False)
async def create_token(
    request: AnyRequest, accounts: NamedDependency[Accounts], frame: NamedDependency[Frame]
) -> Response[str]:
    """Make a key and show it, once."""
    form = await typed(request)
    scopes = [scope for scope in Scope if form[f"scope_{scope.value}"]]
    try:
        if form["days"] not in LIVES:
            raise InvalidInput(fields={"days": "Choose one of these."})
        days = float(form["days"]) if form["days"] else None
        made = await accounts.api_tokens.create(
            user_of(request), form["password"], form["name"], scopes, days, actor_of(request)
        )
    except StreamhostError as error:
        return await _tokens_page(request, accounts, frame, error, form)
    return await _tokens_page(request, accounts, frame, made=made)


@post(f"{TOKENS}/{{token_id:str}}/revoke", guards=[in_person], include_in_schema=False)
async def revoke_token(
    request: AnyRequest, token_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> Response[Any]:
    """End a token at once."""
    await accounts.api_tokens.revoke(user_of(request), TokenId(token_id), actor_of(request))
    return see(f"{TOKENS}?done=revoked")


async def _tokens_page(
    request: AnyRequest,
    accounts: Accounts,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    made: NewApiToken | None = None,
    flash: str | None = None,
) -> Response[str]:
    return frame.page(
        request,
        "tokens.html",
        **failing(error),
        tokens=[token_view(token, frame.now()) for token in await accounts.api_tokens.all(user_of(request).id)],
        made=made.text if made else "",
        scopes=SCOPES,
        lives=LIVES,
        flash=flash,
        form=kept(form or Texts({"days": "90", "scope_read": "on"})),
    )


routes = [
    show_second_factor,
    begin_second_factor,
    confirm_second_factor,
    new_codes,
    switch_off,
    show_tokens,
    create_token,
    revoke_token,
]
