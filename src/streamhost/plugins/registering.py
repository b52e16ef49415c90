"""The `register_*` hooks: what plugins bring, asked for once and looked at before anything relies on it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamhost.hookspecs import Work
from streamhost.model.notices import AddressAsked
from streamhost.plugins.asking import Asking
from streamhost.plugins.finding import NAME, RESERVED, PluginBroken, blaming
from streamhost.plugins.guarding import Guarded
from streamhost.ports import Cdn, Classifier, KeySource, LicenceProxy, Notifier, Storage
from streamhost.ports_recommending import Recommender, WatchGraph

KEY_SECONDS = 30.0
"""A player, or a job that holds a processor, waits for a key or a licence."""
CDN_SECONDS = 1800.0
"""A handful of large segments for each of several videos, through a slow line at home."""
PORTS: Mapping[str, tuple[type, str, float | None]] = {
    "storages": (Storage, "storage", None),
    "cdns": (Cdn, "CDN", CDN_SECONDS),
    "notifiers": (Notifier, "notifier", None),
    "classifiers": (Classifier, "classifier", None),
    "recommenders": (Recommender, "recommender", None),
    "watch_graphs": (WatchGraph, "watch graph", None),
    "key_sources": (KeySource, "key source", KEY_SECONDS),
    "licence_proxies": (LicenceProxy, "licence provider", KEY_SECONDS),
}
"""What each `register_*` returns things of, what people call one, and after how many seconds a call of it has failed
(None: whoever calls it sees to that)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """Everything that the house and its plugins bring, by name. Routes and works: by plugin."""

    cdns: Mapping[str, Cdn] = field(default_factory=dict)
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    classifiers: Mapping[str, Classifier] = field(default_factory=dict)
    recommenders: Mapping[str, Recommender] = field(default_factory=dict)
    watch_graphs: Mapping[str, WatchGraph] = field(default_factory=dict)
    key_sources: Mapping[str, KeySource] = field(default_factory=dict)
    licence_proxies: Mapping[str, LicenceProxy] = field(default_factory=dict)
    routes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    works: Mapping[str, Mapping[str, Work]] = field(default_factory=dict)


class Registering:
    """Asks for what is registered. Every method raises `PluginBroken` that names the plugin, and why."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.brought: dict[str, list[str]] = {}
        """What each plugin has registered, in words, such as `notifier ntfy`."""

    def everything(self) -> Registered:
        """What may be asked for once the house is furnished."""
        kinds = {kind: self.things(kind) for kind in PORTS if kind != "storages"}
        return Registered(**kinds, routes=self.routes(), works=self.works())

    def things(self, kind: str) -> dict[str, Any]:
        """Everything that fits one port, by name."""
        hook, (port, word, patience) = f"register_{kind}", PORTS[kind]
        found: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for plugin, answer in self._answers(hook, Mapping):
            for name, thing in answer.items():
                if not (isinstance(name, str) and NAME.fullmatch(name)):
                    raise PluginBroken.of(plugin, f"{hook}: {name!r} is not a name of lower-case letters and digits.")
                if name in found:
                    raise PluginBroken.of(plugin, f"{hook}: {name} is registered by {owners[name]} already.")
                if lack := lacks(port, thing):
                    raise PluginBroken.of(plugin, f"{hook}: {name} is no {port.__name__}: {lack}.")
                called = f"{word} {name}"
                found[name] = thing if plugin in RESERVED else Guarded(plugin, called, thing, patience)
                owners[name] = plugin
                self._brings(plugin, called)
        return found

    def routes(self) -> dict[str, Sequence[Any]]:
        """Route handlers by plugin."""
        found = {}
        for plugin, answer in self._answers("register_routes", Sequence):
            found[plugin] = answer
            self._brings(plugin, f"{len(answer)} routes below /-/{plugin}/")
        return found

    def works(self) -> dict[str, Mapping[str, Work]]:
        """Background work by plugin."""
        found = {}
        for plugin, answer in self._answers("register_jobs", Mapping):
            for name, work in answer.items():
                if not (isinstance(name, str) and isinstance(work, Work) and callable(work.do)):
                    raise PluginBroken.of(plugin, f"register_jobs: {name!r} is not a name with a Work.")
                if work.attempts < 1 or (work.every is not None and not work.every >= 1):
                    raise PluginBroken.of(plugin, f"register_jobs: {name}: attempts and every must be at least 1.")
                self._brings(plugin, f"work {name}")
            found[plugin] = answer
        return found

    def commands(self) -> dict[str, Sequence[Any]]:
        """Commands by plugin."""
        found = {}
        for plugin, answer in self._answers("register_commands", Sequence):
            found[plugin] = answer
            for command in answer:
                self._brings(plugin, f"command {getattr(command, 'name', '?')}")
        return found

    def _answers(self, hook: str, kind: Any) -> list[tuple[str, Any]]:
        """What each plugin returned, which is of a kind."""
        found = []
        for impl in self._asking.who(hook):
            with blaming(impl.plugin_name, hook):
                answer = self._asking.now(hook, impl)
            if not isinstance(answer, kind) or isinstance(answer, str):
                words = f"{hook} returned {repr(answer)[:100]}, which is no {kind.__name__}."
                raise PluginBroken.of(impl.plugin_name, words)
            found.append((impl.plugin_name, answer))
        return found

    def _brings(self, plugin: str, what: str) -> None:
        known = self.brought.setdefault(plugin, [])
        if what not in known:
            known.append(what)


def lacks(port: type, thing: object) -> str:
    """What keeps a thing from being one of a port's, in words; empty if nothing does."""
    for name, wanted in vars(port).items():
        if name.startswith("_"):
            continue
        if not hasattr(thing, name):
            return f"it has no {name}"
        if port is Notifier and name == "asks" and not _can_be_asked(getattr(thing, name)):
            return "its asks is neither None nor an AddressAsked with a regular expression"
        if inspect.isfunction(wanted) and (wrong := _misfit(wanted, getattr(thing, name))):
            return f"its {name} {wrong}"
    return ""


def _can_be_asked(asks: object) -> bool:
    """Whether people can be asked for what a notifier must know of them."""
    try:
        return asks is None or (isinstance(asks, AddressAsked) and bool(re.compile(asks.pattern)))
    except (re.error, TypeError):
        return False


def _misfit(wanted: Callable[..., Any], given: Any) -> str:
    """Why a method cannot be called as the port says."""
    if not callable(given):
        return "is no method"
    places = len(inspect.signature(wanted).parameters) - 1
    try:
        inspect.signature(given).bind(*range(places))
    except TypeError:
        return f"does not take {places} arguments"
    except ValueError:
        return ""
    plain = inspect.ismethod(given) and not hasattr(given, "__wrapped__")
    if inspect.iscoroutinefunction(wanted) and plain and not inspect.iscoroutinefunction(given):
        return "is not async"
    return ""
