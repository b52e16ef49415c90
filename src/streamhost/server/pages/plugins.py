"""The administration: what plugins are there, what they bring, what is set for them, and what went wrong lately."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from streamhost.features.mail import Mail
from streamhost.features.plugging import Plugging, PluginState
from streamhost.plugins.asking import Trouble
from streamhost.plugins.finding import Shown
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, moment

AnyRequest = Request[Any, Any, Any]
PLUGINS = "/admin/plugins"


@dataclass(frozen=True, slots=True)
class TroubleView:
    """Something that went wrong, for a template: when last, and how often in the same words."""

    hook: str
    words: str
    at: Moment
    times: int


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
        _folded(state.troubles),
    )


def _folded(troubles: Sequence[Trouble]) -> tuple[TroubleView, ...]:
    """Troubles, newest first; those that say the same as one."""
    times = Counter((one.hook, one.words) for one in troubles)
    last = {(one.hook, one.words): one for one in reversed(troubles)}
    newest = sorted(last.values(), key=lambda one: -one.at)
    return tuple(TroubleView(one.hook, one.words, moment(one.at), times[one.hook, one.words]) for one in newest)


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
