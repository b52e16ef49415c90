"""The administration: what plugins are there, what they bring, what is set for them, and what went wrong lately."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from streamhost.features.mail import Mail
from streamhost.features.plugging import Plugging, PluginState
from streamhost.plugins.finding import Shown
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, moment

AnyRequest = Request[Any, Any, Any]
PLUGINS = "/admin/plugins"


@dataclass(frozen=True, slots=True)
class TroubleView:
    """Something that went wrong, for a template."""

    hook: str
    words: str
    at: Moment


@dataclass(frozen=True, slots=True)
class PluginView:
    """A plugin for a template."""

    name: str
    version: str
    package: str
    summary: str
    hooks: str
    brings: str
    settings: tuple[Shown, ...]
    troubles: tuple[TroubleView, ...]


def _view(state: PluginState) -> PluginView:
    found = state.plugin.found
    return PluginView(
        found.name,
        found.version,
        found.package,
        found.summary,
        ", ".join(state.plugin.hooks),
        ", ".join(state.brings),
        tuple(state.plugin.shown()),
        tuple(TroubleView(one.hook, one.words, moment(one.at)) for one in state.troubles),
    )


@get(PLUGINS, guards=GUARDS, include_in_schema=False)
async def show_plugins(
    request: AnyRequest,
    plugging: NamedDependency[Plugging],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Every plugin that is at work here."""
    found = [_view(state) for state in await plugging.states()]
    return await admin_page(request, frame, mail, "admin_plugins.html", plugins=found, disabled=plugging.disabled)


routes = [show_plugins]
