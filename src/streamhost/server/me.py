"""One's own account over HTTP: profile, password, address, second factor, API tokens, the end of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from streamhost.features.accounts import Accounts
from streamhost.model.accounts import ApiToken, User
from streamhost.model.clock import iso
from streamhost.model.ids import TokenId
from streamhost.server.accounts import BODY_BYTES, BROKEN_BODY, FORGED, HASHED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import actor_of, clear_cookie, in_person, signed_in, user_of, viewer_of
from streamhost.server.documented import BEARER, bodiless, problems
from streamhost.server.limits import RouteClass, limited

TAGS = ["your account"]
AnyRequest = Request[Any, Any, Any]
PROVEN = {"wrong_password": 422, **HASHED}


@dataclass(frozen=True, slots=True)
class Me:
    """The account of the one who asks."""

    id: str
    email: str
    name: str
    role: str
    email_verified: bool
    second_factor: bool
    created_at: str | None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What others see."""

    name: str


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The present password, and the one to be."""

    password: str
    new_password: str


@dataclass(frozen=True, slots=True)
class EmailChange:
    """The address to be, and the password."""

    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The password, and where it is asked for a code of the second factor."""

    password: str
    otp: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Six digits of the app."""

    otp: str


@dataclass(frozen=True, slots=True)
class SecondFactorDocument:
    """Whether sign-in needs a code, since when, and how many recovery codes have not been used."""

    on: bool
    since: str | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class SecretDocument:
    """What the app needs to know: the secret in base32, and an `otpauth:` URI with the same for a QR code."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Each stands in for one code of the app, once. They are shown only now."""

    recovery_codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """An API token to be: scopes are `read`, `upload`, `manage`, `admin`; without `days` it never expires."""

    name: str
    scopes: Sequence[str]
    password: str
    days: float | None = None


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """An API token, without its text. Times are ISO 8601 UTC."""

    id: str
    name: str
    scopes: Sequence[str]
    created_at: str | None
    expires_at: str | None
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class NewTokenDocument:
    """An API token and its text, `token`, which goes into `Authorization: Bearer …`; it is shown only now."""

    token: str
    details: TokenDocument


@dataclass(frozen=True, slots=True)
class TokenList:
    """Every API token that was not revoked, newest first."""

    items: Sequence[TokenDocument]
    next_cursor: str | None = None


def _token(token: ApiToken) -> TokenDocument:
    return TokenDocument(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        created_at=iso(token.created_at),
        expires_at=iso(token.expires_at),
        last_used_at=iso(token.last_used_at),
    )


def _changing(answers: Mapping[int, ResponseSpec] | None = None, /, **codes: int) -> dict[str, Any]:
    """What every route has that changes something here; `answers` are good ones that need describing."""
    return {
        "guards": [in_person],
        "opt": limited(RouteClass.LOGIN),
        "request_max_body_size": BODY_BYTES,
        "cache_control": NO_STORE,
        "tags": TAGS,
        "security": BEARER,
        "responses": problems(**BROKEN_BODY, **SIGNED_IN, **NOT_IN_PERSON, **FORGED, **codes) | dict(answers or {}),
    }


async def _me(accounts: Accounts, user: User) -> Me:
    state = await accounts.second_factor.state(user.id)
    return Me(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role.value,
        email_verified=user.email_verified_at is not None,
        second_factor=state.on,
        created_at=iso(user.created_at),
    )


@get(
    "/api/v1/me",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="Who am I",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def me(request: AnyRequest, accounts: NamedDependency[Accounts]) -> Me:
    """Your account."""
    return await _me(accounts, user_of(request))


@patch("/api/v1/me", summary="Change your name", **_changing())
async def change_profile(request: AnyRequest, data: JSONBody[ProfileChange], accounts: NamedDependency[Accounts]) -> Me:
    """Change what others see of you."""
    return await _me(accounts, await accounts.profile.rename(user_of(request), data.name, actor_of(request)))


@post("/api/v1/me/password", status_code=HTTP_204_NO_CONTENT, summary="Change your password", **_changing(**PROVEN))
async def change_password(
    request: AnyRequest, data: JSONBody[PasswordChange], accounts: NamedDependency[Accounts]
) -> None:
    """Set another password; every other session of yours ends."""
    session, by = viewer_of(request).session_id, actor_of(request)
    await accounts.profile.change_password(user_of(request), session, data.password, data.new_password, by)


@post("/api/v1/me/email", status_code=HTTP_202_ACCEPTED, summary="Change your address", **_changing(**PROVEN))
async def change_email(request: AnyRequest, data: JSONBody[EmailChange], accounts: NamedDependency[Accounts]) -> None:
    """Send a link to another address; it is yours here once that link was followed. The answer does not tell whether
    the address has an account."""
    await accounts.profile.ask_for_email(user_of(request), data.email, data.password, actor_of(request))


@post(
    "/api/v1/me/delete",
    status_code=HTTP_204_NO_CONTENT,
    summary="Delete your account",
    **_changing(bodiless(HTTP_204_NO_CONTENT), **PROVEN, wrong_code=422, last_admin=409),
)
async def delete_account(
    request: AnyRequest, data: JSONBody[Proof], accounts: NamedDependency[Accounts]
) -> Response[None]:
    """Delete your account and everything that is yours. With a second factor it takes a code too."""
    await accounts.profile.delete(user_of(request), data.password, data.otp, actor_of(request))
    response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
    clear_cookie(request, response)
    return response


@get(
    "/api/v1/me/second-factor",
    guards=[in_person],
    cache_control=NO_STORE,
    summary="Your second factor",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def show_second_factor(request: AnyRequest, accounts: NamedDependency[Accounts]) -> SecondFactorDocument:
    """Whether signing in needs a code of an app."""
    state = await accounts.second_factor.state(user_of(request).id)
    return SecondFactorDocument(state.on, iso(state.since), state.recovery_codes_left)


@post(
    "/api/v1/me/second-factor",
    status_code=HTTP_201_CREATED,
    summary="Begin a second factor",
    **_changing(**PROVEN, second_factor_is_on=409),
)
async def begin_second_factor(
    request: AnyRequest, data: JSONBody[Proof], accounts: NamedDependency[Accounts]
) -> SecretDocument:
    """Get a secret for an app that shows codes (RFC 6238). It counts once a code has confirmed it."""
    secret = await accounts.second_factor.begin(user_of(request), data.password, actor_of(request))
    return SecretDocument(secret.secret, secret.uri)


@post(
    "/api/v1/me/second-factor/confirm",
    status_code=HTTP_200_OK,
    summary="Switch the second factor on",
    **_changing(wrong_code=422, second_factor_is_on=409, second_factor_is_off=409, too_many_attempts=429),
)
async def confirm_second_factor(
    request: AnyRequest, data: JSONBody[Code], accounts: NamedDependency[Accounts]
) -> RecoveryCodes:
    """Show by a code that the app has the secret. From now on signing in needs one."""
    return RecoveryCodes(await accounts.second_factor.confirm(user_of(request), data.otp, actor_of(request)))


@post(
    "/api/v1/me/second-factor/off",
    status_code=HTTP_204_NO_CONTENT,
    summary="Switch the second factor off",
    **_changing(**PROVEN, wrong_code=422, second_factor_is_off=409),
)
async def switch_second_factor_off(
    request: AnyRequest, data: JSONBody[Proof], accounts: NamedDependency[Accounts]
) -> None:
    """Sign in by password alone again. It takes the password and a last code, or a recovery code."""
    await accounts.second_factor.switch_off(user_of(request), data.password, data.otp, actor_of(request))


@post(
    "/api/v1/me/second-factor/recovery-codes",
    status_code=HTTP_200_OK,
    summary="New recovery codes",
    **_changing(**PROVEN, second_factor_is_off=409),
)
async def new_recovery_codes(
    request: AnyRequest, data: JSONBody[Proof], accounts: NamedDependency[Accounts]
) -> RecoveryCodes:
    """Get new recovery codes; the old ones are dead."""
    return RecoveryCodes(await accounts.second_factor.new_codes(user_of(request), data.password, actor_of(request)))


@get(
    "/api/v1/me/tokens",
    guards=[in_person],
    cache_control=NO_STORE,
    summary="Your API tokens",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def list_tokens(request: AnyRequest, accounts: NamedDependency[Accounts]) -> TokenList:
    """The keys that your scripts have, without their texts."""
    return TokenList([_token(token) for token in await accounts.api_tokens.all(user_of(request).id)])


@post(
    "/api/v1/me/tokens",
    status_code=HTTP_201_CREATED,
    summary="Make an API token",
    **_changing(**PROVEN, too_many_tokens=409),
)
async def create_token(
    request: AnyRequest, data: JSONBody[TokenRequest], accounts: NamedDependency[Accounts]
) -> NewTokenDocument:
    """Make a key for a script. What it may do is yours to say; it never does more than you may."""
    made = await accounts.api_tokens.create(
        user_of(request), data.password, data.name, data.scopes, data.days, actor_of(request)
    )
    return NewTokenDocument(made.text, _token(made.token))


@delete("/api/v1/me/tokens/{token_id:str}", summary="Revoke an API token", **_changing(not_found=404))
async def revoke_token(request: AnyRequest, token_id: FromPath[str], accounts: NamedDependency[Accounts]) -> None:
    """End an API token at once; 404 for one that is not yours or has been revoked."""
    await accounts.api_tokens.revoke(user_of(request), TokenId(token_id), actor_of(request))


routes = [
    me,
    change_profile,
    change_password,
    change_email,
    delete_account,
    show_second_factor,
    begin_second_factor,
    confirm_second_factor,
    switch_second_factor_off,
    new_recovery_codes,
    list_tokens,
    create_token,
    revoke_token,
]
