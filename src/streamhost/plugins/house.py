"""All plugins of one server."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import pluggy

from streamhost.config import InvalidSettings, Settings
from streamhost.hookspecs import Work
from streamhost.model.clock import HOUR, MINUTE, Clock, system_clock
from streamhost.model.errors import StreamhostError
from streamhost.model.events import Event
from streamhost.plugins.asking import Asking, Trouble
from streamhost.plugins.calling import Caller
from streamhost.plugins.finding import Found, Plugin, load
from streamhost.plugins.gates import Gates
from streamhost.plugins.hosts import Enqueue, ProvidedHost
from streamhost.plugins.registering import Registered, Registering
from streamhost.plugins.shapes import Shapes
from streamhost.ports import Storage

EVENT_SECONDS = MINUTE
"""How long a plugin may take for one event."""
WORK_SECONDS = 6 * HOUR
"""How long it may take for work of its own."""


class UnknownWork(StreamhostError):
    """The plugin does not know this work."""

    code = "unknown_work"
    permanent = True
    hint = "It was put into the queue by another version of the plugin."


class Plugins:
    """Found, checked, with their settings; then furnished with the house they work for."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock = system_clock,
        builtin: Mapping[str, object] | None = None,
        installed: Iterable[Found] | None = None,
    ) -> None:
        """`installed`: instead of those that are. Raises `PluginBroken`, `InvalidSettings`."""
        loaded = load(settings, builtin or {}, installed)
        self.all: tuple[Plugin, ...] = loaded.plugins
        """Every plugin, by name, without the parts of the house itself."""
        self.disabled: tuple[str, ...] = settings.plugins.disabled
        self._hosts = {plugin.name: ProvidedHost(plugin.name, plugin.settings) for plugin in loaded.plugins}
        self._hosts |= {name: ProvidedHost(name, None) for name in builtin or {}}
        self._asking = Asking(loaded, self._hosts, clock, trace=settings.for_plugins.trace)
        self._works: Mapping[str, Mapping[str, Work]] = {}
        self._doers = {name: Caller(name, trace=settings.for_plugins.trace) for name in self._hosts}
        self._registering = Registering(self._asking)
        unknown = set(settings.plugins.lenient) - {plugin.name for plugin in self.all} - set(settings.plugins.disabled)
        if unknown:
            raise InvalidSettings(f"plugins.lenient: no such plugin is installed: {', '.join(sorted(unknown))}")
        self.gates = Gates(self._asking, settings.plugins.before_seconds, settings.plugins.lenient)
        self.shapes = Shapes(self._asking, settings.plugins.before_seconds)

    def storages(self) -> Mapping[str, Storage]:
        """The places for media that plugins bring; asked for first, because the house is furnished with one of them."""
        return self._registering.things("storages")

    def register(self, storage: Storage, enqueue: Enqueue) -> Registered:
        """Furnish the house and ask for everything that plugins bring."""
        for host in self._hosts.values():
            host.furnish(storage, enqueue, self._knows)
        registered = self._registering.everything()
        self._works = registered.works
        return registered

    def commands(self) -> Mapping[str, Sequence[Any]]:
        """The commands of each plugin."""
        return self._registering.commands()

    def host(self, name: str) -> ProvidedHost:
        """The host of one plugin."""
        return self._hosts[name]

    def brings(self, name: str) -> Sequence[str]:
        """What a plugin has registered, in words."""
        return tuple(self._registering.brought.get(name, ()))

    def troubles(self, name: str | None = None) -> list[Trouble]:
        """What went wrong lately, newest first; of one plugin, or of all."""
        return [one for one in self._asking.troubles if name in (None, one.plugin)]

    def subscribers(self) -> dict[str, Callable[[Event], Coroutine[Any, Any, None]]]:
        """Who wants to hear of events, by the name of the plugin."""
        return {impl.plugin_name: self._ear(impl) for impl in self._asking.who("on_event")}

    def _knows(self, plugin: str, work: str) -> bool:
        return work in self._works.get(plugin, {})

    async def do(self, plugin: str, work: str, payload: Mapping[str, Any]) -> None:
        """Do what a plugin has put into the queue. Raises `UnknownWork`, `PluginFailed`, and what the plugin raises."""
        known = self._works.get(plugin, {}).get(work)
        if known is None:
            raise UnknownWork(f"{plugin}, {work}")
        hook, given = f"work {work}", {"payload": payload, "host": self._hosts[plugin]}
        try:
            await self._doers[plugin].call(hook, _by_place(known.do), given, WORK_SECONDS)
        except StreamhostError as error:
            self._asking.note(hook, plugin, error)
            raise

    def _ear(self, impl: pluggy.HookImpl) -> Callable[[Event], Coroutine[Any, Any, None]]:
        async def hear(event: Event) -> None:
            try:
                await self._asking.ask("on_event", impl, EVENT_SECONDS, event=event)
            except StreamhostError as error:
                self._asking.note("on_event", impl.plugin_name, error)
                raise

        return hear


def _by_place(do: Callable[[Mapping[str, Any], Any], Any]) -> Callable[..., Any]:
    """A handler whose arguments may have any names, as a function that takes ours. It stays async if it is."""
    if inspect.iscoroutinefunction(do):

        async def wait(payload: Mapping[str, Any], host: Any) -> None:
            await do(payload, host)

        return wait

    return lambda payload, host: do(payload, host)
