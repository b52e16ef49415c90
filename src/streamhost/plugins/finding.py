"""Finds plugins by their entry points, and looks at them before anything of them is called.

Whatever is wrong with one stops the start and names it: a plugin that only half works is found out by nobody.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from streamhost import hookspecs
from streamhost.config import Field, Resolved, Section, Settings, fields_of, hidden, perhaps, plugged
from streamhost.hookspecs import GROUP
from streamhost.model.errors import StreamhostError

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""Names of plugins, and of what they register: they stand in addresses, variables and keys of storage."""
PREFIXES = ("register_", "before_", "on_", "shape_")
"""How the names of hooks begin."""
RESERVED = frozenset({"streamhost", "builtin"})


class PluginBroken(StreamhostError):
    """A plugin cannot be used, so nothing was started."""

    code = "plugin_broken"
    permanent = True

    @classmethod
    def of(cls, name: str, what: str) -> PluginBroken:
        """The error of one plugin."""
        hint = f"Correct it, remove it, or leave it alone: STREAMHOST_PLUGINS_DISABLED={name}."
        return cls(f"{name}: {what}", hint=hint)


@contextlib.contextmanager
def blaming(name: str, what: str) -> Iterator[None]:
    """Whatever a plugin raises in this block is its fault: one that exits must not end the server without a word.

    Raises `PluginBroken`."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        words = str(error) if isinstance(error, StreamhostError) else f"{type(error).__name__}: {error}"
        raise PluginBroken.of(name, f"{what}: {words}") from error


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point, before anything of its plugin was loaded."""

    name: str
    package: str
    version: str
    summary: str
    load: Callable[[], Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting with its value, of JSON's own types, where that comes from, and what it may be. No secret."""

    key: str
    value: Any
    origin: str
    help: str
    allowed: str
    variable: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin, loaded and checked. `hooks` are those that it implements, in the order of the specification."""

    found: Found
    thing: object = field(repr=False, compare=False)
    hooks: tuple[str, ...]
    resolved: Resolved | None = None

    @property
    def name(self) -> str:
        """Its own name."""
        return self.found.name

    @property
    def settings(self) -> Section | None:
        """What is set for it, None if it has no settings."""
        return self.resolved.section if self.resolved else None

    def shown(self) -> Iterator[Shown]:
        """Its settings as people may see them."""
        if (resolved := self.resolved) is not None:
            for item in resolved.fields:
                value = hidden(item, resolved.value_of(item))
                yield Shown(item.key, value, resolved.origins[item.key], item.help, item.allowed, item.variable)


def find(disabled: Iterable[str] = ()) -> list[Found]:
    """Every installed plugin that is not disabled, by name; nothing of them is loaded. Raises `PluginBroken`."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    found: dict[str, Found] = {}
    for point in points:
        one = _found(point)
        if point.name in disabled:
            continue
        if not NAME.fullmatch(point.name) or point.name in RESERVED:
            raise PluginBroken.of(point.name, "its name is not of lower-case letters, digits and hyphens, or is taken.")
        if (other := found.get(point.name)) and other.package != one.package:
            raise PluginBroken.of(point.name, f"two packages bring it, {other.package} and {one.package}.")
        found[point.name] = one
    return list(found.values())


def _found(point: EntryPoint) -> Found:
    metadata: Any = point.dist.metadata if point.dist else {}
    return Found(
        point.name, metadata.get("Name") or "", metadata.get("Version") or "", metadata.get("Summary") or "", point.load
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """Plugins that were loaded and checked, and the hooks of all of them together."""

    plugins: tuple[Plugin, ...]
    manager: pluggy.PluginManager = field(repr=False)

    def implementations(self, hook: str) -> Iterator[pluggy.HookImpl]:
        """Who implements a hook, in the order of calls: by name, unless they ask to be first or last."""
        yield from reversed(getattr(self.manager.hook, hook).get_hookimpls())


def load(settings: Settings, builtin: Mapping[str, object], installed: Iterable[Found] | None = None) -> Loaded:
    """Load every plugin that is not disabled, check it, and read its settings. Raises `PluginBroken`,
    `InvalidSettings`. `builtin` are parts of the house that come in by the same door."""
    disabled = settings.plugins.disabled
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    # The last one registered is called first, so the order is turned round: by name, the house itself before all.
    known = find(disabled) if installed is None else [one for one in installed if one.name not in disabled]
    known.sort(key=lambda one: one.name)
    hooks: dict[str, tuple[str, ...]] = {}
    things: dict[str, object] = {}
    for one in reversed(known):
        things[one.name] = _load(one)
        hooks[one.name] = _register(manager, one.name, things[one.name])
    for name, thing in reversed(list(builtin.items())):
        _register(manager, name, thing)
    kinds = {one.name: _settings_of(manager, one.name) for one in known}
    resolved = plugged(settings.for_plugins, kinds, disabled)
    plugins = tuple(Plugin(one, things[one.name], hooks[one.name], resolved.get(one.name)) for one in known)
    return Loaded(plugins, manager)


def _load(found: Found) -> object:
    """The module or object behind an entry point."""
    with blaming(found.name, "it cannot be loaded"):
        thing = found.load()
        return thing() if inspect.isclass(thing) else thing


def _register(manager: pluggy.PluginManager, name: str, thing: object) -> tuple[str, ...]:
    """Let pluggy look at names and arguments; the hooks that the plugin implements."""
    specified = specifications()
    _check_marks(name, thing, specified)
    try:
        manager.register(thing, name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginBroken.of(name, " ".join(str(error).split())) from error
    hooks = [caller.name for caller in manager.get_hookcallers(thing) or []]
    if not hooks:
        raise PluginBroken.of(name, "it implements no hook; are its functions marked by @hookimpl?")
    for hook in hooks:
        if hook not in specified:
            raise PluginBroken.of(name, f"there is no hook {hook}{perhaps(hook, specified) or '.'}")
        for impl in _impls(manager, hook):
            if impl.plugin is thing:
                _check_kind(name, hook, impl)
    return tuple(hook for hook in specified if hook in hooks)


def _impls(manager: pluggy.PluginManager, hook: str) -> list[pluggy.HookImpl]:
    found: list[pluggy.HookImpl] = getattr(manager.hook, hook).get_hookimpls()
    return found


def _check_marks(name: str, thing: object, specified: Iterable[str]) -> None:
    """Raise for a function that has the name of a hook and is not marked: it would never be called."""
    for attribute in specified:
        function = inspect.getattr_static(thing, attribute, None)
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and not hasattr(function, f"{GROUP}_impl"):
            raise PluginBroken.of(name, f"its {attribute} is not marked by @hookimpl.")


def _check_kind(name: str, hook: str, impl: pluggy.HookImpl) -> None:
    """Raise for what pluggy would allow and this house cannot use."""
    if impl.wrapper or impl.hookwrapper:
        raise PluginBroken.of(name, f"its {hook} wraps the hooks of others, which is not possible here.")
    if hook.startswith("register_") and inspect.iscoroutinefunction(impl.function):
        raise PluginBroken.of(name, f"its {hook} must be a plain function, not async.")


def _settings_of(manager: pluggy.PluginManager, name: str) -> type[Section] | None:
    """The section that a plugin's `register_settings` returns."""
    thing = manager.get_plugin(name)
    for impl in _impls(manager, "register_settings"):
        if impl.plugin is thing:
            with blaming(name, "register_settings"):
                kind = impl.function()
            if not (inspect.isclass(kind) and issubclass(kind, Section)):
                raise PluginBroken.of(name, f"register_settings returned {kind!r}, which is no kind of Section.")
            _check_section(name, kind)
            return kind
    return None


def _check_section(name: str, kind: type[Section]) -> None:
    """Raise for settings that cannot be explained to people."""
    fields: Iterable[Field] = fields_of(f"plugins.{name}", kind)
    for one in fields:
        try:
            explained = bool(one.help and one.allowed)
        except TypeError as error:
            raise PluginBroken.of(name, f"its setting {one.name} has a type that settings cannot have.") from error
        if not explained:
            raise PluginBroken.of(name, f"its setting {one.name} has no help: give it a Meta(description=...).")


def specifications() -> dict[str, Callable[..., Any]]:
    """Every hook that there is, by name, in the order of the specification."""
    return {
        name: function
        for name, function in vars(hookspecs).items()
        if name.startswith(PREFIXES) and hasattr(function, f"{GROUP}_spec") and not isinstance(function, ModuleType)
    }
