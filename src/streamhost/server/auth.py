"""Who is asking, and who may: bearer tokens for programs, a cookie for pages, one access declaration on every route.

    @get("/api/v1/videos", guards=[anyone])
    @patch("/api/v1/videos/{video_id:str}", guards=[signed_in])
    @post("/api/v1/uploads", guards=[at_least(Role.CREATOR, Scope.UPLOAD)])
    @post("/api/v1/me/password", guards=[in_person])

Routes deny by default: an app with a route that declares nothing does not start.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any, cast

from litestar import Request, Response
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.plugins import InitPlugin, ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import Message
from litestar.types import Scope as ConnectionScope

from streamhost.features.accounts import Accounts, InsufficientScope, SignIn
from streamhost.model.accounts import ANONYMOUS, Role, Scope, User, Viewer
from streamhost.model.audit import Actor
from streamhost.model.errors import Forbidden, StreamhostError, Unauthenticated
from streamhost.server import csrf
from streamhost.server.limits import RequestLimits, send_fields
from streamhost.server.routing import which_methods

SESSION_COOKIE = "streamhost_session"
VISIT_COOKIE = "streamhost_visit"
"""Ties the forms of somebody who is not signed in to their browser."""
PASS_COOKIE = "streamhost_pass_"  # noqa: S105  # the name of a cookie or header
"""With the video's id at its end: opens that video."""
PASS_HEADER = "streamhost-pass"  # noqa: S105  # the name of a cookie or header
HOST_PREFIX = "__Host-"
"""Such a cookie is only taken over https, for the whole of this host and no other (RFC 6265bis, 4.1.3.2)."""
COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers allow; when a session really ends is for the catalog to say."""
API = "/api/"
VISIT_BYTES = 16

_VISIT = re.compile(r"[A-Za-z0-9_-]{22}")
_STATE = "doorkeeper"
_NEW_VISIT = "streamhost.new_visit"
_BEARER = "bearer"

AnyConnection = ASGIConnection[Any, Any, Any, Any]
AnyRequest = Request[Any, Any, Any]


class UndeclaredAccess(StreamhostError):
    """A route does not say who may use it, or says so more than once."""

    code = "undeclared_access"
    hint = "Give it one of the guards in streamhost.server.auth."
    permanent = True


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route: a guard for Litestar that a test can read.

    `role` is the least that the one asking must be; None asks for nothing. With `looks` false nobody's credentials are
    even looked at: for files that are the same for all, and for routes that carry their own proof in the body. `scope`
    is what an API token must be good for; None: `read` to look, `manage` to change. With `tokens` false no API token
    opens the route, whatever its scopes. With `beacon` no token for forms is asked for: what a page sends while it is
    being left (`navigator.sendBeacon`) can carry none. That it comes from our own pages is looked at all the same.
    """

    access: str
    role: Role | None = None
    looks: bool = True
    scope: Scope | None = None
    tokens: bool = True
    beacon: bool = False

    async def __call__(self, connection: AnyConnection, handler: BaseRouteHandler) -> None:
        """Find out who is asking, count the request, refuse forged requests, and refuse whoever may not."""
        keeper = _keeper(connection)
        by_bearer = False
        try:
            if self.looks:
                by_bearer = await keeper.identify(connection)
        finally:
            # Whoever shows a bad token is counted too, by address.
            keeper.limits.count(connection, handler, viewer_of(connection), looks=self.looks)
        if connection.scope.get("method") not in csrf.SAFE_METHODS and not by_bearer:
            csrf.check_origin(connection, keeper.public_url)
            if self.looks and not self.beacon:
                await keeper.check_token(cast(AnyRequest, connection))
        viewer = viewer_of(connection)
        self._check_scope(connection, viewer)
        if self.role is None:
            return
        if viewer.user is None:
            raise Unauthenticated
        if not viewer.is_at_least(self.role):
            raise Forbidden(f"It needs the role {self.role.value}, yours is {viewer.user.role.value}.")

    def _check_scope(self, connection: AnyConnection, viewer: Viewer) -> None:
        """Raise `InsufficientScope` for an API token that is not meant for this."""
        if viewer.scopes is None:
            return
        if not self.tokens:
            raise InsufficientScope("It takes somebody who signs in.", hint="Sign in; no API token does this.")
        looks_only = connection.scope.get("method") in csrf.SAFE_METHODS
        needed = self.scope or (Scope.READ if looks_only else Scope.MANAGE)
        if not viewer.may(needed):
            raise InsufficientScope(f"It needs the scope {needed.value}.")


public = Access("public", looks=False)
"""The same for everybody; credentials are not looked at."""
anyone = Access("anyone")
"""Everybody, but it may matter who."""
beacon = Access("anyone, by a beacon", scope=Scope.READ, beacon=True)
"""Everybody, for small reports of no power that pages send while they are being left."""
signed_in = Access("signed in", Role.VIEWER)
"""Whoever has an account."""


in_person = Access("in person", Role.VIEWER, tokens=False)
"""Whoever has signed in; API tokens are refused: they cannot be used to take an account over."""


def at_least(role: Role, scope: Scope | None = None) -> Access:
    """Users whose role includes `role`; API tokens with `scope`, which for moderators and admins is `admin`."""
    if scope is None and not Role.CREATOR.includes(role):
        scope = Scope.ADMIN
    return Access(f"at least {role.value}", role, scope=scope)


class Doorkeeper(InitPlugin, ReceiveRoutePlugin):
    """The Litestar plugin behind the guards. `csrf_key` is 32 secret bytes, `public_url` the setting (may be empty)."""

    def __init__(self, accounts: Accounts, csrf_key: bytes, public_url: str = "", *, limits: RequestLimits) -> None:
        self.accounts = accounts
        self.limits = limits
        self.public_url = public_url.lower()
        self._csrf_key = csrf_key

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Take the place at the door."""
        app_config.state[_STATE] = self
        app_config.before_send.extend((_send_visit_cookie, send_fields))
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Refuse a route that does not declare its access exactly once."""
        for handler in handlers_of(route):
            if len(declared(handler)) != 1:
                raise UndeclaredAccess(f"{route.path} ({handler})")

    def secure(self, connection: AnyConnection) -> bool:
        """Whether people reach this site by https, as far as can be told."""
        if self.public_url:
            return self.public_url.startswith("https://")
        return connection.scope["scheme"] == "https"

    def cookie_name(self, connection: AnyConnection, name: str) -> str:
        """The name of a cookie here: with the prefix that other hosts cannot set wherever the site has https."""
        return HOST_PREFIX + name if self.secure(connection) else name

    async def identify(self, connection: AnyConnection) -> bool:
        """Put the viewer on the connection; True if a bearer token said so. Raises `InvalidToken` for a bad one."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        by_bearer = scheme.lower() == _BEARER
        viewer = ANONYMOUS
        if by_bearer:
            viewer = await self.accounts.viewer_of_bearer(token.strip())
        elif cookie := connection.cookies.get(self.cookie_name(connection, SESSION_COOKIE)):
            viewer = await self.accounts.viewer_of_cookie(cookie)
        passes = self._passes(connection)
        connection.scope["user"] = replace(viewer, passes=passes) if passes else viewer
        return by_bearer

    def _passes(self, connection: AnyConnection) -> tuple[str, ...]:
        """What was shown to open single videos: cookies that we have set, and a header for programs."""
        prefix = self.cookie_name(connection, PASS_COOKIE)
        shown = [value for name, value in connection.cookies.items() if name.startswith(prefix)]
        return tuple(filter(None, (connection.headers.get(PASS_HEADER, ""), *shown)))

    async def check_token(self, request: AnyRequest) -> None:
        """Raise `CsrfMismatch` unless the token fits. Programs without any cookie of ours need none below `/api/`."""
        if viewer_of(request).user is None and request.scope["path"].startswith(API):
            return
        binding = self._binding(request)
        token = await csrf.sent_token(request)
        if binding is None or not csrf.token_fits(self._csrf_key, binding, token):
            raise csrf.CsrfMismatch

    def csrf_token(self, request: AnyConnection) -> str:
        """A token for the forms of the page that answers this request; starts a visit if there is none."""
        binding = self._binding(request)
        if binding is None:
            visit = request.scope["state"].setdefault(_NEW_VISIT, secrets.token_urlsafe(VISIT_BYTES))
            binding = f"visit:{visit}"
        return csrf.make_token(self._csrf_key, binding)

    def visit_cookie(self, connection: AnyConnection, visit: str) -> Cookie:
        """The cookie that keeps a visit until the browser is closed."""
        return self._cookie(connection, VISIT_COOKIE, visit, None)

    def session_cookie(self, connection: AnyConnection, value: str, seconds: int) -> Cookie:
        """The cookie of a signed-in browser."""
        return self._cookie(connection, SESSION_COOKIE, value, seconds)

    def pass_cookie(self, connection: AnyConnection, name: str, value: str, seconds: int) -> Cookie:
        """The cookie of a browser to which one video was opened."""
        return self._cookie(connection, PASS_COOKIE + name, value, seconds)

    def _binding(self, connection: AnyConnection) -> str | None:
        """What tokens of this browser are made for: its session, else its visit."""
        if session_id := viewer_of(connection).session_id:
            return f"session:{session_id}"
        visit = self.visit(connection)
        return f"visit:{visit}" if visit else None

    def visit(self, connection: AnyConnection) -> str:
        """The visit that a browser is on by its cookie; empty if there is none."""
        visit = connection.cookies.get(self.cookie_name(connection, VISIT_COOKIE), "")
        return visit if _VISIT.fullmatch(visit) else ""

    def _cookie(self, connection: AnyConnection, name: str, value: str, seconds: int | None) -> Cookie:
        return Cookie(
            key=self.cookie_name(connection, name),
            value=value,
            max_age=seconds,
            path="/",
            secure=self.secure(connection),
            httponly=True,
            samesite="lax",
        )


def viewer_of(connection: AnyConnection) -> Viewer:
    """Who is asking, as the route's guard found out; `ANONYMOUS` where nobody looked."""
    viewer = connection.scope.get("user")
    return viewer if isinstance(viewer, Viewer) else ANONYMOUS


def visit_of(connection: AnyConnection) -> str:
    """The visit that the browser of the one asking is on; empty if there is none. It is a secret of that browser."""
    return _keeper(connection).visit(connection)


async def still_signed_in(connection: AnyConnection) -> bool:
    """Whether what the one asking came with still counts; for answers that take hours."""
    try:
        await _keeper(connection).identify(connection)
    except StreamhostError:
        return False
    return viewer_of(connection).user is not None


def csrf_token(request: AnyRequest) -> str:
    """The token that the page answering `request` puts in its forms and in `<meta name="csrf-token">`."""
    return _keeper(request).csrf_token(request)


def sign_in_cookie(request: AnyRequest, response: Response[Any], sign_in: SignIn) -> None:
    """Let the browser that sent `request` keep the session that has just been opened."""
    keeper = _keeper(request)
    value = keeper.accounts.cookie_of(sign_in.session.id)
    response.set_cookie(keeper.session_cookie(request, value, COOKIE_SECONDS))


def pass_cookie(request: AnyRequest, response: Response[Any], video_id: str, text: str, expires_at: float) -> None:
    """Let the browser that sent `request` keep a pass for one video."""
    keeper = _keeper(request)
    seconds = min(COOKIE_SECONDS, max(0, int(expires_at - keeper.accounts.clock())))
    response.set_cookie(keeper.pass_cookie(request, video_id, text, seconds))


def clear_cookie(request: AnyRequest, response: Response[Any]) -> None:
    """Let the browser forget its session."""
    response.set_cookie(_keeper(request).session_cookie(request, "", 0))


def address_of(connection: AnyConnection) -> str:
    """The network address of the one asking; empty on a Unix socket."""
    return connection.client.host if connection.client else ""


def actor_of(connection: AnyConnection) -> Actor:
    """The one asking, for the audit log."""
    viewer = viewer_of(connection)
    actor = Actor.of(viewer, address_of(connection))
    return actor if viewer.scopes is None else replace(actor, words=f"{actor.words}, API token {viewer.session_id}")


def user_of(connection: AnyConnection) -> User:
    """The user who asks. Raises `Unauthenticated` where nobody is signed in."""
    user = viewer_of(connection).user
    if user is None:
        raise Unauthenticated
    return user


def device_of(connection: AnyConnection) -> str:
    """What the browser or program calls itself."""
    return str(connection.headers.get("user-agent", ""))


def declared(handler: BaseRouteHandler) -> list[Access]:
    """The access declarations on a handler and the layers around it."""
    return [guard for guard in handler.resolve_guards() if isinstance(guard, Access)]


def handlers_of(route: BaseRoute) -> list[BaseRouteHandler]:
    """The handlers of a route that say who may use them: all but the answer to OPTIONS that is added to every path."""
    if isinstance(route, HTTPRoute):
        return [handler for handler in route.route_handlers if not _is_added(handler)]
    return [cast(Any, route).route_handler]


def _is_added(handler: HTTPRouteHandler) -> bool:
    # Litestar's own is on the paths of plugins. Plain functions that run in threads are wrapped, without a name.
    name = getattr(handler.fn, "__qualname__", "")
    return handler.fn is which_methods.fn or name.startswith("HTTPRoute.create_options_handler")


def _keeper(connection: AnyConnection) -> Doorkeeper:
    return cast(Doorkeeper, connection.app.state[_STATE])


async def _send_visit_cookie(message: Message, scope: ConnectionScope) -> None:
    """Add the cookie of a visit that began while the answer was made."""
    visit = scope["state"].get(_NEW_VISIT)
    if visit is None or message["type"] != "http.response.start":
        return
    connection: AnyConnection = ASGIConnection(scope)
    cookie = _keeper(connection).visit_cookie(connection, visit)
    MutableScopeHeaders.from_message(message).add("set-cookie", cookie.to_header(header=""))
