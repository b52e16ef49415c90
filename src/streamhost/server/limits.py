"""How many requests one account or address may make, by class of route.

    @post("/api/v1/auth/login", guards=[public], opt=limited(RouteClass.LOGIN))

A route that says nothing belongs to the class `api` if it looks who is asking, and is not counted if it does not. The
answer carries the fields of draft-ietf-httpapi-ratelimit-headers-10, and `Retry-After` (RFC 9110, 10.2.3) on a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from streamhost.buckets import Buckets, Count, Policy
from streamhost.config import LimitSettings
from streamhost.features.accounts.limits import network_of
from streamhost.model.accounts import Viewer
from streamhost.model.clock import HOUR, MINUTE, Clock
from streamhost.model.errors import StreamhostError

_OPTION = "limited_as"
_COUNTED = "streamhost.counted"


class RouteClass(StrEnum):
    """What kind of route is asked, and so how often."""

    API = "api"
    LOGIN = "login"
    MAIL = "mail"
    UPLOADS = "uploads"
    FEEDS = "feeds"
    EVENTS = "events"
    UNCOUNTED = "uncounted"


class TooManyRequests(StreamhostError):
    """Too many requests in a short time."""

    code = "too_many_requests"

    def __init__(self, count: Count) -> None:
        policy = count.policy
        super().__init__(
            f"Of the class `{policy.name}`, {policy.quota} are allowed in {policy.window:g} seconds.",
            hint=f"Try again in {math.ceil(count.wait)} seconds.",
        )
        self.retry_after = count.wait
        """Seconds until the next has a chance; the door says so in `Retry-After`."""


def limited(kind: RouteClass) -> dict[str, Any]:
    """`opt` of a route that belongs to a class of its own."""
    return {_OPTION: kind}


CROWD = 100
"""How many visitors an address may stand for that says nothing about them."""


class RequestLimits:
    """Counts requests: of somebody who is signed in by account, of everybody else by address.

    Loopback, or no address at all, has `CROWD` times the limit of an address: unless the proxy there is trusted, it
    stands for all visitors at once."""

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        self._enabled = settings.enabled
        self._buckets = Buckets(clock)
        self._policies: Mapping[RouteClass, Policy] = {
            kind: Policy(kind.value, quota, window)
            for kind, quota, window in (
                (RouteClass.API, settings.api_per_minute, MINUTE),
                (RouteClass.LOGIN, settings.login_per_minute, MINUTE),
                (RouteClass.MAIL, settings.mail_per_hour, HOUR),
                (RouteClass.UPLOADS, settings.uploads_per_minute, MINUTE),
                (RouteClass.FEEDS, settings.feeds_per_minute, MINUTE),
                (RouteClass.EVENTS, settings.events_per_minute, MINUTE),
            )
        }
        self._of_crowds = {kind: replace(one, quota=one.quota * CROWD) for kind, one in self._policies.items()}

    def count(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, viewer: Viewer, *, looks: bool
    ) -> None:
        """Count this request; raises `TooManyRequests`. `looks`: the route looks who is asking."""
        kind = class_of(handler, looks=looks)
        address = connection.client.host if connection.client else ""
        network = network_of(address)
        if not self._enabled or kind is RouteClass.UNCOUNTED:
            return
        if viewer.id:
            count = self._buckets.take(self._policies[kind], f"account {viewer.id}")
        elif network:
            count = self._buckets.take(self._policies[kind], network)
        else:
            count = self._buckets.take(self._of_crowds[kind], "crowd")
        connection.scope["state"][_COUNTED] = count
        if not count.granted:
            raise TooManyRequests(count)


def class_of(handler: BaseRouteHandler, *, looks: bool) -> RouteClass:
    """The class of a route: its own, or what it is by default."""
    return RouteClass(handler.opt.get(_OPTION, RouteClass.API if looks else RouteClass.UNCOUNTED))


def fields(count: Count) -> dict[str, str]:
    """The `RateLimit` and `RateLimit-Policy` fields of an answer, lists of structured fields (RFC 9651)."""
    name = f'"{count.policy.name}"'
    return {
        "RateLimit-Policy": f"{name};q={count.policy.quota};w={math.ceil(count.policy.window)}",
        "RateLimit": f"{name};r={count.left};t={math.ceil(count.full_in)}",
    }


async def send_fields(message: Message, scope: Scope) -> None:
    """A hook before sending: tell whoever asks how many requests are left, on refusals and all other answers."""
    count = scope.get("state", {}).get(_COUNTED)
    if message["type"] == "http.response.start" and isinstance(count, Count):
        headers = MutableScopeHeaders.from_message(message)
        for name, value in fields(count).items():
            headers[name] = value
