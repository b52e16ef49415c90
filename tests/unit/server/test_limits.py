"""Which class every route belongs to, and what is told of limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from streamhost.buckets import Count, Policy
from streamhost.config import load
from streamhost.host import assemble
from streamhost.server.app import create_app
from streamhost.server.auth import declared, handlers_of
from streamhost.server.csrf import SAFE_METHODS
from streamhost.server.limits import RouteClass, class_of, fields
from tests.support.catalogs import instance_at

IN_PIECES = {
    "PATCH /api/v1/uploads/{upload_id}",
    "POST /api/v1/uploads/{upload_id}",
    "HEAD /api/v1/uploads/{upload_id}",
}
"""Where many small requests are one upload."""
SENDS_MAIL = {
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/verify/resend",
    "POST /api/v1/auth/password/forgot",
    "POST /api/v1/admin/mail/test",
    "POST /register",
}
PROVES = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/verify",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/me/password",
    "POST /api/v1/me/second-factor/confirm",
    "POST /login",
    "POST /setup",
}
BEGINS = {"POST /api/v1/uploads", "POST /api/v1/upload"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Litestar]:
    """The whole application."""
    settings = load(tmp_path, {})
    host = await assemble(settings, instance_at(settings.data))
    yield create_app(host)
    await host.close()


def classes(app: Litestar) -> Iterator[tuple[str, RouteClass]]:
    """Every route with its class."""
    for route in app.routes:
        for handler in handlers_of(route):
            [access] = declared(handler)
            if isinstance(handler, HTTPRouteHandler):
                for method in handler.http_methods:
                    path = route.path_format
                    yield f"{method} {path}", class_of(handler, looks=access.looks)


async def test_every_route_that_changes_something_is_counted(app: Litestar) -> None:
    """No request that writes, proves or sends escapes the limits; pieces of an upload are the one exception."""
    free = {
        name
        for name, kind in classes(app)
        if kind is RouteClass.UNCOUNTED and name.split()[0] not in SAFE_METHODS and name not in IN_PIECES
    }
    assert free == set()


async def test_classes(app: Litestar) -> None:
    """What causes mail, what proves something, and what begins an upload have limits of their own."""
    found = dict(classes(app))
    for names, kind in ((SENDS_MAIL, RouteClass.MAIL), (PROVES, RouteClass.LOGIN), (BEGINS, RouteClass.UPLOADS)):
        assert {name: found.get(name) for name in sorted(names)} == dict.fromkeys(sorted(names), kind)
    assert {found[name] for name in IN_PIECES} == {RouteClass.UNCOUNTED}


def test_fields_are_structured() -> None:
    """The fields are lists of a quoted name with whole numbers, as the draft and RFC 9651 want them."""
    count = Count(Policy("login", 60, 60.0), 12, 47.2)
    assert fields(count) == {"RateLimit-Policy": '"login";q=60;w=60', "RateLimit": '"login";r=12;t=48'}
