"""The application: every route in one list, the rules that hold for all of them, and the door in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from streamhost import __version__
from streamhost.host import Host
from streamhost.instance import Purpose
from streamhost.server import (
    accounts,
    analytics,
    brand,
    captions,
    cdn,
    docs,
    errors,
    events,
    feeds,
    files,
    health,
    imports,
    jobs,
    keeping,
    library,
    mail,
    me,
    metrics,
    moderation,
    notifications,
    overview,
    people,
    playback,
    plugged,
    posters,
    quotas,
    recommendations,
    reports,
    rescreens,
    search,
    settings,
    sharing,
    streams,
    trash,
    uploads,
    videos,
    webhooks,
    well_known,
)
from streamhost.server.assets import Assets, find_web_root
from streamhost.server.auth import Doorkeeper, public
from streamhost.server.deps import dependencies
from streamhost.server.limits import RequestLimits
from streamhost.server.pages import Pages
from streamhost.server.routing import AllTogether

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body unless its route says otherwise (uploads do)."""

TAGS: Sequence[Tag] = (
    Tag("accounts", "Registering, signing in, sessions."),
    Tag("your account", "Name, password, address, second factor, API tokens, and its end."),
    Tag("administration", "Users, invitations, quotas, mail, the audit log."),
    Tag("uploads", "Files on their way in: tus 1.0.0, or one request."),
    Tag("videos", "Finding, reading, editing and deleting videos, and watching one being made."),
    Tag("search", "Finding videos by their words, and suggestions while somebody types."),
    Tag("library", "What you like, keep for later and have watched."),
    Tag("playback", "Permission to play, and where the stream is."),
    Tag("moderation", "Reports by viewers, and what moderators decide."),
    Tag("figures", "What is watched, how much of it, and how well it plays."),
    Tag("recommendations", "What to watch next, and why."),
    Tag("notifications", "What has happened that concerns you, and what you want to be told of."),
    Tag("operations", "Probes for whoever runs the server."),
)


def create_app(host: Host) -> Litestar:
    """The Litestar application of `host`. Raises if a route does not declare who may use it."""
    given = host.settings
    return Litestar(
        [
            *health.routes,
            *metrics.routes,
            *accounts.routes,
            *me.routes,
            *overview.routes,
            *settings.routes,
            *brand.routes,
            *people.routes,
            *mail.routes,
            *notifications.routes,
            *webhooks.routes,
            *quotas.routes,
            *jobs.routes,
            *keeping.routes,
            *imports.routes,
            *files.routes,
            *videos.routes,
            *trash.routes,
            *search.routes,
            *library.routes,
            *captions.routes,
            *posters.routes,
            *cdn.routes,
            *uploads.routes,
            *playback.routes,
            *events.routes,
            *analytics.routes,
            *recommendations.routes,
            *sharing.routes,
            *reports.routes,
            *moderation.routes,
            *rescreens.routes,
            *streams.routes,
            *feeds.routes,
            *well_known.routes,
            *docs.routes,
            *plugged.routers(host.plugging.registered.routes),
        ],
        dependencies=dependencies(host),
        exception_handlers={Exception: errors.handle},
        plugins=[
            Doorkeeper(
                host.accounts,
                host.instance.keys.derive(Purpose.CSRF),
                given.server.public_url,
                limits=RequestLimits(given.limits, host.clock),
            ),
            Pages(given, host.branding.brand, Assets(find_web_root()), host.clock, host.notifications.bell.unread),
            AllTogether(),
        ],
        openapi_config=_openapi(host.branding.brand.name, plugged.tags(host.plugging.registered.routes)),
        request_max_body_size=BODY_LIMIT,
        logging_config=None,
        debug=False,
    )


def _openapi(site: str, more: Sequence[Tag]) -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
    return OpenAPIConfig(
        title=f"{site}: API",
        version=__version__,
        description="Errors are problem+json (RFC 9457) with a stable `code`; lists come in pages by cursor.",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(security_schemes={"bearer": bearer}),
        tags=[*TAGS, *more],
        use_handler_docstrings=True,
        openapi_router=_SchemaRouter(path="/api", route_handlers=[], guards=[public], include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )


class _SchemaRouter(Router):
    """Takes the route of the description, and leaves out Litestar's own 404 page for everything else below `/api`."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Add a handler unless it would answer for every path."""
        paths: set[str] = getattr(value, "paths", set())
        return [] if any("{" in path for path in paths) else super().register(value)


def route_list(app: Litestar) -> list[tuple[str, Any]]:
    """Every path with its route, for tests and generated pages."""
    return [(route.path, route) for route in app.routes]
