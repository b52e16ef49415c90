"""Coming and going over HTTP: registering, verifying, signing in and out, sessions, forgotten passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from streamhost.features.accounts import Accounts, SignIn
from streamhost.model.accounts import Session
from streamhost.model.clock import iso
from streamhost.model.ids import SessionId
from streamhost.server.auth import (
    actor_of,
    address_of,
    clear_cookie,
    device_of,
    in_person,
    public,
    user_of,
    viewer_of,
)
from streamhost.server.documented import BEARER, bodiless, problems
from streamhost.server.limits import RouteClass, limited

BODY_BYTES = 16 * 1024
"""Nothing that is sent to these routes is longer."""
NO_STORE = CacheControlHeader(no_store=True)
"""Tokens and personal data stay out of every cache (RFC 6749, 5.1)."""
SCHEME = "Bearer"
TAGS = ["accounts"]
BROKEN_BODY = {"malformed_request": 400, "request_too_large": 413, "invalid_input": 422}
SIGNED_IN = {"unauthenticated": 401, "invalid_token": 401}
NOT_IN_PERSON = {"insufficient_scope": 403}
HASHED = {"too_many_attempts": 429, "hashing_unavailable": 503}
"""What a route that hashes a password may be refused for: too many wait, or the machine cannot."""
FORGED = {"cross_site": 403, "csrf_mismatch": 403}


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new account needs."""

    email: str
    password: str
    name: str
    invitation: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """The same answer whether or not the address has an account; what is to be known is in the mail."""

    detail: str = "Look into the mailbox of this address for what comes next."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who somebody is. `otp`: a code of the second factor, or a recovery code, where there is one."""

    email: str
    password: str
    otp: str = ""


@dataclass(frozen=True, slots=True)
class LinkToken:
    """The token in a link that came by mail."""

    token: str


@dataclass(frozen=True, slots=True)
class Address:
    """The e-mail address of an account."""

    email: str


@dataclass(frozen=True, slots=True)
class NewPassword:
    """The token in the link that came by mail, and the password to be."""

    token: str
    password: str


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A refresh token, to be exchanged."""

    refresh_token: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """`access_token` goes into `Authorization: Bearer …` and lives `expires_in` seconds; `refresh_token` works once."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SessionDocument:
    """Where somebody is signed in. `current` marks the session that asks."""

    id: str
    device: str
    address: str
    created_at: str | None
    last_used_at: str | None
    expires_at: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class SessionList:
    """Every session that can still be used, the latest used first."""

    items: Sequence[SessionDocument]
    next_cursor: str | None = None


def _tokens(sign_in: SignIn) -> Tokens:
    return Tokens(sign_in.access_token, SCHEME, sign_in.expires_in, sign_in.refresh_token)


def session_document(session: Session, current: SessionId | None) -> SessionDocument:
    """The public form of a session."""
    return SessionDocument(
        id=session.id,
        device=session.device,
        address=session.address,
        created_at=iso(session.created_at),
        last_used_at=iso(session.last_used_at),
        expires_at=iso(session.expires_at),
        current=session.id == current,
    )


@post(
    "/api/v1/auth/register",
    guards=[public],
    opt=limited(RouteClass.MAIL),
    status_code=HTTP_202_ACCEPTED,
    request_max_body_size=BODY_BYTES,
    cache_control=NO_STORE,
    summary="Register",
    tags=TAGS,
    responses=problems(**BROKEN_BODY, **HASHED, cross_site=403, registration_closed=403, invitation_invalid=403),
)
async def register(
    request: Request[Any, Any, Any], data: JSONBody[Registration], accounts: NamedDependency[Accounts]
) -> Received:
    """Make an account, where this site lets strangers do so. The answer does not tell whether the address was taken."""
    await accounts.registration.register(
        data.email, data.password, data.name, invitation=data.invitation, address=address_of(request)
    )
    return Received()


@post(
    "/api/v1/auth/login",
    guards=[public],
    opt=limited(RouteClass.LOGIN),
    status_code=HTTP_200_OK,
    request_max_body_size=BODY_BYTES,
    cache_control=NO_STORE,
    summary="Sign in",
    tags=TAGS,
    responses=problems(
        **BROKEN_BODY,
        bad_credentials=401,
        otp_required=401,
        otp_invalid=401,
        email_unverified=403,
        cross_site=403,
        **HASHED,
    ),
)
async def login(
    request: Request[Any, Any, Any], data: JSONBody[Credentials], accounts: NamedDependency[Accounts]
) -> Tokens:
    """Open a session and get its first tokens."""
    sign_in = await accounts.login(
        data.email, data.password, data.otp, device=device_of(request), address=address_of(request)
    )
    return _tokens(sign_in)


@post(
    "/api/v1/auth/refresh",
    guards=[public],
    opt=limited(RouteClass.LOGIN),
    status_code=HTTP_200_OK,
    request_max_body_size=BODY_BYTES,
    cache_control=NO_STORE,
    summary="Refresh tokens",
    tags=TAGS,
    responses=problems(**BROKEN_BODY, invalid_token=401, token_reused=401, refresh_in_progress=401, cross_site=403),
)
async def refresh(data: JSONBody[RefreshRequest], accounts: NamedDependency[Accounts]) -> Tokens:
    """Exchange a refresh token for new tokens. Each works once: a second use ends the session."""
    return _tokens(await accounts.refresh(data.refresh_token))


@post(
    "/api/v1/auth/logout",
    guards=[in_person],
    status_code=HTTP_204_NO_CONTENT,
    request_max_body_size=BODY_BYTES,
    summary="Sign out",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED) | bodiless(HTTP_204_NO_CONTENT),
)
async def logout(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> Response[None]:
    """End this session; its tokens and its cookie are dead at once."""
    if session_id := viewer_of(request).session_id:
        await accounts.logout(session_id, address=address_of(request))
    response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
    clear_cookie(request, response)
    return response


@delete(
    "/api/v1/auth/sessions",
    guards=[in_person],
    summary="Sign out everywhere",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED) | bodiless(HTTP_204_NO_CONTENT),
)
async def log_out_everywhere(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> Response[None]:
    """End every session of yours, this one too. API tokens stay."""
    await accounts.people.end_sessions(user_of(request).id, by=actor_of(request))
    response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
    clear_cookie(request, response)
    return response


@get(
    "/api/v1/auth/sessions",
    guards=[in_person],
    cache_control=NO_STORE,
    summary="Your sessions",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def list_sessions(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> SessionList:
    """Where you are signed in."""
    viewer = viewer_of(request)
    sessions = await accounts.sessions(user_of(request).id)
    return SessionList([session_document(session, viewer.session_id) for session in sessions])


@delete(
    "/api/v1/auth/sessions/{session_id:str}",
    guards=[in_person],
    summary="End a session",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON, **FORGED, not_found=404),
)
async def revoke_session(
    request: Request[Any, Any, Any], session_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> None:
    """Sign out one of your devices; 404 for a session that is not yours or has ended."""
    await accounts.revoke(user_of(request).id, SessionId(session_id), by=actor_of(request))


MAIL: dict[str, Any] = {
    "guards": [public],
    "opt": limited(RouteClass.MAIL),
    "status_code": HTTP_202_ACCEPTED,
    "request_max_body_size": BODY_BYTES,
    "cache_control": NO_STORE,
    "tags": TAGS,
    "responses": problems(**BROKEN_BODY, cross_site=403, too_many_attempts=429),
}
"""A route that makes the server send a mail, perhaps, and does not tell."""
LINK: dict[str, Any] = {
    "guards": [public],
    "opt": limited(RouteClass.LOGIN),
    "status_code": HTTP_204_NO_CONTENT,
    "request_max_body_size": BODY_BYTES,
    "tags": TAGS,
    "responses": problems(**BROKEN_BODY, **HASHED, invalid_link=400, link_expired=410, link_used=410, cross_site=403),
}
"""A route that takes the token of a link in a mail."""


@post("/api/v1/auth/verify", summary="Verify an address", **LINK)
async def verify(
    request: Request[Any, Any, Any], data: JSONBody[LinkToken], accounts: NamedDependency[Accounts]
) -> None:
    """Take the address as verified to which the link was sent. It works once."""
    await accounts.registration.verify(data.token, address=address_of(request))


@post("/api/v1/auth/verify/resend", summary="Send the verification again", **MAIL)
async def resend_verification(
    request: Request[Any, Any, Any], data: JSONBody[Address], accounts: NamedDependency[Accounts]
) -> Received:
    """Send another link, if this address waits for one. The answer does not tell."""
    await accounts.registration.resend(data.email, address=address_of(request))
    return Received()


@post("/api/v1/auth/password/forgot", summary="Forgot the password", **MAIL)
async def forgot_password(
    request: Request[Any, Any, Any], data: JSONBody[Address], accounts: NamedDependency[Accounts]
) -> Received:
    """Send a link for a new password, if this address has an account. The answer does not tell."""
    await accounts.recovery.forgot(data.email, address=address_of(request))
    return Received()


@post("/api/v1/auth/password/reset", summary="Set a new password", **LINK)
async def reset_password(
    request: Request[Any, Any, Any], data: JSONBody[NewPassword], accounts: NamedDependency[Accounts]
) -> None:
    """Set a new password by the link that was sent. Every session and API token of the account ends."""
    await accounts.recovery.reset(data.token, data.password, address=address_of(request))


@post("/api/v1/auth/email/confirm", summary="Confirm a new address", **LINK)
async def confirm_email(
    request: Request[Any, Any, Any], data: JSONBody[LinkToken], accounts: NamedDependency[Accounts]
) -> None:
    """Give the account the address to which the link was sent. It works once."""
    await accounts.profile.confirm_email(data.token, address=address_of(request))


routes = [
    register,
    verify,
    resend_verification,
    login,
    refresh,
    logout,
    list_sessions,
    revoke_session,
    log_out_everywhere,
    forgot_password,
    reset_password,
    confirm_email,
]
