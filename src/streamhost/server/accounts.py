"""Accounts over HTTP: registering, signing in and out, sessions, and who I am."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from streamhost.features.accounts import Accounts, SignIn
from streamhost.model.accounts import Session, User, Viewer
from streamhost.model.clock import iso
from streamhost.model.errors import Unauthenticated
from streamhost.model.ids import SessionId
from streamhost.server.auth import address_of, clear_cookie, device_of, public, signed_in, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.limits import RouteClass, limited

BODY_BYTES = 16 * 1024
"""Nothing that is sent to these routes is longer."""
NO_STORE = CacheControlHeader(no_store=True)
"""Tokens and personal data stay out of every cache (RFC 6749, 5.1)."""
SCHEME = "Bearer"
TAGS = ["accounts"]
BROKEN_BODY = {"malformed_request": 400, "request_too_large": 413, "invalid_input": 422}
SIGNED_IN = {"unauthenticated": 401, "invalid_token": 401}
FORGED = {"cross_site": 403, "csrf_mismatch": 403}


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new account needs."""

    email: str
    password: str
    name: str


@dataclass(frozen=True, slots=True)
class RegistrationReceived:
    """The same answer whether or not the address had an account."""

    detail: str = "If this address had no account, it has one now."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who somebody is."""

    email: str
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


@dataclass(frozen=True, slots=True)
class Me:
    """The account of the one who asks."""

    id: str
    email: str
    name: str
    role: str
    email_verified: bool
    created_at: str | None


def _tokens(sign_in: SignIn) -> Tokens:
    return Tokens(sign_in.access_token, SCHEME, sign_in.expires_in, sign_in.refresh_token)


def _user(viewer: Viewer) -> User:
    if viewer.user is None:
        raise Unauthenticated
    return viewer.user


def _session(session: Session, current: SessionId | None) -> SessionDocument:
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
    responses=problems(**BROKEN_BODY, cross_site=403, registration_closed=403, too_many_attempts=429),
)
async def register(
    request: Request[Any, Any, Any], data: JSONBody[Registration], accounts: NamedDependency[Accounts]
) -> RegistrationReceived:
    """Make an account, where this site lets strangers do so. The answer does not tell whether the address was taken."""
    await accounts.register(data.email, data.password, data.name, address=address_of(request))
    return RegistrationReceived()


@post(
    "/api/v1/auth/login",
    guards=[public],
    opt=limited(RouteClass.LOGIN),
    status_code=HTTP_200_OK,
    request_max_body_size=BODY_BYTES,
    cache_control=NO_STORE,
    summary="Sign in",
    tags=TAGS,
    responses=problems(**BROKEN_BODY, bad_credentials=401, cross_site=403, too_many_attempts=429),
)
async def login(
    request: Request[Any, Any, Any], data: JSONBody[Credentials], accounts: NamedDependency[Accounts]
) -> Tokens:
    """Open a session and get its first tokens."""
    sign_in = await accounts.login(data.email, data.password, device=device_of(request), address=address_of(request))
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
    guards=[signed_in],
    status_code=HTTP_204_NO_CONTENT,
    request_max_body_size=BODY_BYTES,
    summary="Sign out",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **FORGED),
)
async def logout(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> Response[None]:
    """End this session; its tokens and its cookie are dead at once."""
    if session_id := viewer_of(request).session_id:
        await accounts.logout(session_id)
    response: Response[None] = Response(None, status_code=HTTP_204_NO_CONTENT)
    clear_cookie(request, response)
    return response


@get(
    "/api/v1/auth/sessions",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="Your sessions",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN),
)
async def list_sessions(request: Request[Any, Any, Any], accounts: NamedDependency[Accounts]) -> SessionList:
    """Where you are signed in."""
    viewer = viewer_of(request)
    sessions = await accounts.sessions(_user(viewer).id)
    return SessionList([_session(session, viewer.session_id) for session in sessions])


@delete(
    "/api/v1/auth/sessions/{session_id:str}",
    guards=[signed_in],
    summary="End a session",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN, **FORGED, not_found=404),
)
async def revoke_session(
    request: Request[Any, Any, Any], session_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> None:
    """Sign out one of your devices; 404 for a session that is not yours or has ended."""
    await accounts.revoke(_user(viewer_of(request)).id, SessionId(session_id))


@get(
    "/api/v1/me",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="Who am I",
    tags=TAGS,
    security=BEARER,
    responses=problems(**SIGNED_IN),
)
async def me(request: Request[Any, Any, Any]) -> Me:
    """Your account."""
    user = _user(viewer_of(request))
    return Me(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role.value,
        email_verified=user.email_verified_at is not None,
        created_at=iso(user.created_at),
    )


routes = [register, login, refresh, logout, list_sessions, revoke_session, me]
