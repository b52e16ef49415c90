"""The pages that people see: HTML made here, so that everything but playing and uploading works without script."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.params import FromPath
from litestar.plugins import InitPlugin

from streamhost.config import Settings
from streamhost.model.branding import Brand
from streamhost.model.clock import Clock
from streamhost.model.errors import NotFound, Unauthenticated
from streamhost.model.ids import UserId
from streamhost.server import assets as asset_routes
from streamhost.server.assets import Assets
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.csrf import SAFE_METHODS
from streamhost.server.errors import handle
from streamhost.server.pages import (
    account,
    admin_house,
    admin_imports,
    admin_models,
    admin_overview,
    admin_people,
    admin_settings,
    admin_storage,
    admin_trash,
    admin_webhooks,
    analytics,
    branding,
    browse,
    copies,
    entrance,
    joining,
    keys,
    library,
    making,
    moderating,
    notices,
    plugins,
    policy,
    poster,
    recommendations,
    recovering,
    reporting,
    rescreening,
    searching,
    setting_up,
    sharing,
    streams,
    studio,
    throwing,
    watching,
    wording,
)
from streamhost.server.pages.frame import UNREAD, Frame
from streamhost.server.routing import Together

COUNTER = "counts_unread"
"""Where the application's state has who counts."""
CountsUnread = Callable[[UserId], Awaitable[int]]


@get("/{anywhere:path}", guards=[anyone], include_in_schema=False)
async def nowhere(anywhere: FromPath[str]) -> None:
    """An address that no page has. As a route of its own, so that the page saying so knows who is signed in."""
    raise NotFound


def ask_to_sign_in(request: Request[Any, Any, Any], error: Unauthenticated) -> Response[Any]:
    """Somebody who only looks is sent to the sign-in page and back; anything else is answered as an error."""
    return entrance.to_sign_in(request) if request.method in SAFE_METHODS else handle(request, error)


async def count_unread(request: Request[Any, Any, Any]) -> None:
    """The bell on every page has a number."""
    viewer = viewer_of(request)
    if viewer.id is not None:
        request.scope["state"][UNREAD] = await request.app.state[COUNTER](viewer.id)


class Pages(InitPlugin):
    """Brings the pages, their files and the look of errors into the application."""

    def __init__(self, settings: Settings, brand: Brand, assets: Assets, clock: Clock, unread: CountsUnread) -> None:
        """`unread` tells how many notifications somebody has not read."""
        self._unread = unread
        self._assets = assets
        self._frame = Frame(assets, brand, settings.accounts.registration == "open", clock)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add routes, what they depend on, and the page for errors."""
        pages = Together(
            [
                *entrance.routes,
                *joining.routes,
                *recovering.routes,
                *account.routes,
                *keys.routes,
                *admin_overview.routes,
                *admin_settings.routes,
                *branding.routes,
                *admin_storage.routes,
                *admin_trash.routes,
                *admin_models.routes,
                *setting_up.routes,
                *admin_people.routes,
                *admin_house.routes,
                *admin_webhooks.routes,
                *notices.routes,
                *admin_imports.routes,
                *browse.routes,
                *library.routes,
                *watching.routes,
                *searching.routes,
                *copies.routes,
                *studio.routes,
                *throwing.routes,
                *poster.routes,
                *making.routes,
                *wording.routes,
                *sharing.routes,
                *reporting.routes,
                *moderating.routes,
                *rescreening.routes,
                *policy.routes,
                *streams.routes,
                *recommendations.routes,
                *analytics.routes,
                *plugins.routes,
            ],
            exception_handlers={Unauthenticated: ask_to_sign_in},
            before_request=count_unread,
        )
        app_config.route_handlers.extend([pages, *asset_routes.routes, nowhere])
        app_config.dependencies["frame"] = Provide(self._give_frame)
        app_config.dependencies["assets"] = Provide(self._give_assets)
        app_config.state[COUNTER] = self._unread
        app_config.state["render_error"] = self._frame.error_text
        return app_config

    async def _give_frame(self) -> Frame:
        return self._frame

    async def _give_assets(self) -> Assets:
        return self._assets
