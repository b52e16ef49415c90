"""Plugins that are made in a test instead of being installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streamhost.config import load
from streamhost.hookspecs import hookimpl
from streamhost.plugins import Found, Plugins
from streamhost.storage.memory import MemoryStorage


def plugin(name: str, **hooks: Callable[..., Any]) -> Found:
    """A plugin with these functions as hooks."""
    thing = SimpleNamespace(**{hook: hookimpl(function) for hook, function in hooks.items()})
    return Found(name, f"streamhost-{name}", "1.0", "", lambda: thing)


def failing(error: BaseException) -> Callable[[], Any]:
    """A function that raises."""

    def fail() -> Any:
        raise error

    return fail


class Queued:
    """A queue that only remembers what was put into it."""

    def __init__(self) -> None:
        self.added: list[tuple[str, str, Mapping[str, Any], float, str | None]] = []

    async def __call__(
        self, plugin: str, work: str, payload: Mapping[str, Any], *, delay: float, key: str | None
    ) -> bool:
        """Remember it."""
        self.added.append((plugin, work, payload, delay, key))
        return True


def house(
    data: Path, *installed: Found, toml: str = "", env: Mapping[str, str] | None = None, **options: Any
) -> Plugins:
    """The plugins of a house whose settings are in `toml` and `env`."""
    data.mkdir(exist_ok=True)
    (data / "streamhost.toml").write_text(toml)
    # A plain function answers from a thread, which on a busy machine may take its time.
    return Plugins(load(data, env or {}, **{"plugins__before_seconds": 60.0, **options}), installed=installed)


def furnished(plugins: Plugins) -> Queued:
    """Have a house ask for everything that its plugins bring."""
    queued = Queued()
    plugins.register(MemoryStorage(), queued)
    return queued
