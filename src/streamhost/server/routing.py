"""All routes of the house, handed to Litestar at once.

By itself Litestar makes a path anew for each method that is registered on it, copies routers with everything in them,
and adds an answer to OPTIONS to every path: nearly as many as all others, in memory and in what a start takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from litestar import HttpMethod, Request, Response, Router, route
from litestar.config.app import AppConfig
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import HTTPRouteHandler
from litestar.plugins import InitPlugin
from litestar.routes import BaseRoute
from litestar.status_codes import HTTP_204_NO_CONTENT
from litestar.types import ControllerRouterHandler
from litestar.types.internal_types import RouteHandlerMapItem


@route("/", http_method=[HttpMethod.OPTIONS], status_code=HTTP_204_NO_CONTENT, include_in_schema=False)
async def which_methods(request: Request[Any, Any, Any]) -> Response[None]:
    """Tell anybody which methods the path has."""
    template = request.scope["path_template"]
    methods = next(found.methods for found in request.app.routes if found.path_format == template)
    return Response(None, headers={"Allow": ", ".join(sorted(methods))})


class Together(Router):
    """Handlers, and other routers, whose paths come into the application at once, each with all of its methods. It is
    made for one application."""

    def __init__(self, handlers: Sequence[ControllerRouterHandler], **more: Any) -> None:
        """`more`: what holds for all of them, as for any router."""
        self._by_path: dict[str, RouteHandlerMapItem] = {}
        super().__init__("/", route_handlers=handlers, **more)

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Take a handler or a router; the routes are made by the application."""
        # Handlers are written once for all applications; they must not keep one of them alive.
        own = self._validate_registration_value(value if isinstance(value, Router) else copy(value))
        for path, by_method in self.get_route_handler_map(own).items():
            known = self._by_path.setdefault(path, {})
            if twice := known.keys() & by_method.keys():
                raise ImproperlyConfiguredException(f"{path} has two handlers for {', '.join(sorted(twice))}.")
            known.update(by_method)
        return []

    def answer_options(self) -> None:
        """Have one handler answer OPTIONS on every path that has none of its own."""
        [answer] = self.get_route_handler_map(self._validate_registration_value(copy(which_methods))).values()
        for by_method in self._by_path.values():
            if all(isinstance(handler, HTTPRouteHandler) for handler in by_method.values()):
                by_method.setdefault("OPTIONS", answer["OPTIONS"])

    @property
    def route_handler_method_map(self) -> dict[str, RouteHandlerMapItem]:
        """What the application asks a router for."""
        return self._by_path

    def __deepcopy__(self, memo: dict[int, Any]) -> Together:
        """Routers are copied where they are registered; this one need not be."""
        return self


class AllTogether(InitPlugin):
    """Put last among the plugins: brings what all of them have added into the application at once."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Gather every handler."""
        every = Together(app_config.route_handlers)
        every.answer_options()
        app_config.route_handlers = [every]
        return app_config
