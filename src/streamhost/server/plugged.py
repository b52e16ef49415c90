"""Routes of plugins, below `/-/<plugin>/`: kept apart, and denied by default like all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Router
from litestar.middleware import ASGIMiddleware
from litestar.openapi.spec import Tag
from litestar.types import ASGIApp, Receive, Scope, Send

from streamhost.plugins import PluginBroken
from streamhost.plugins.calling import Watched, held_up
from streamhost.server.auth import declared, handlers_of

ROOT = "/-/"
"""Below this address each plugin has a place of its own; nothing of the house is there."""


class Contained(ASGIMiddleware):
    """Around the routes of one plugin: its attempt to exit is an error of the request, and the log names it where it
    holds up everybody else."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer one request."""
        await Watched(next_app(scope, receive, send), partial(held_up, self._plugin, scope["path"]))


def routers(routes: Mapping[str, Sequence[Any]]) -> list[Router]:
    """A router for each plugin. Raises `PluginBroken` for a route that cannot be had, or does not say for whom."""
    return [_router(plugin, handlers) for plugin, handlers in routes.items() if handlers]


def tags(routes: Mapping[str, Sequence[Any]]) -> list[Tag]:
    """What groups the routes of each plugin in the API's description."""
    return [Tag(f"plugin {plugin}", f"What the plugin {plugin} adds.") for plugin, found in routes.items() if found]


def _router(plugin: str, handlers: Sequence[Any]) -> Router:
    try:
        router = Router(
            f"{ROOT}{plugin}",
            route_handlers=list(handlers),
            middleware=[Contained(plugin)],
            tags=[f"plugin {plugin}"],
        )
        every = [handler for route in router.routes for handler in handlers_of(route)]
        undeclared = [str(handler) for handler in every if len(declared(handler)) != 1]
    except Exception as error:  # whatever a plugin hands over that is no route
        raise PluginBroken.of(plugin, f"register_routes: {type(error).__name__}: {error}") from error
    if undeclared:
        words = "each route needs one of the guards of streamhost.server.auth, such as `signed_in`"
        raise PluginBroken.of(plugin, f"register_routes: {', '.join(undeclared)}: {words}.")
    return router
