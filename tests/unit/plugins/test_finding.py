"""Whatever is wrong with a plugin stops the start, and names the plugin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streamhost.cdn.origin import OriginCdn
from streamhost.hookspecs import PluginHost, hookimpl
from streamhost.model.tickets import Tickets
from streamhost.plugins import Found, PluginBroken
from streamhost.plugins.finding import specifications
from tests.unit.plugins.kit import failing, furnished, house, plugin


def nothing() -> None:
    """Does nothing."""


def two() -> object:
    """A plugin with a function that is not marked."""
    return SimpleNamespace(register_commands=hookimpl(nothing), on_event=lambda event: None)


class Half:
    """A storage that cannot do much."""

    async def put_bytes(self, _key: str, _data: bytes) -> None:
        """Keep nothing."""


class Wrong:
    """A key source whose methods are not as they should be."""

    def make(self, _package_id: str, _count: int) -> None:
        """Not async."""

    async def of(self) -> None:
        """Too few arguments."""


BAD: Mapping[str, tuple[Found, str]] = {
    "a misspelt hook": (plugin("bad", on_events=lambda event: None), "there is no hook on_events; is on_event meant?"),
    "a wrong argument": (plugin("bad", on_event=lambda happening: None), "happening"),
    "an unmarked hook": (Found("bad", "streamhost-bad", "1", "", two), "on_event is not marked"),
    "no hook": (Found("bad", "streamhost-bad", "1", "", SimpleNamespace), "no hook"),
    "an import that fails": (Found("bad", "p", "1", "", failing(ImportError("no module nowhere"))), "nowhere"),
    "an import that ends the program": (Found("bad", "p", "1", "", failing(SystemExit(3))), "SystemExit"),
    "settings that are none": (plugin("bad", register_settings=lambda: dict), "no kind of Section"),
    "settings that fail": (plugin("bad", register_settings=failing(ValueError("oh dear"))), "oh dear"),
    "registering that fails": (plugin("bad", register_notifiers=failing(OSError("no network"))), "no network"),
    "registering that ends the program": (plugin("bad", register_routes=failing(SystemExit(3))), "SystemExit"),
    "registering that lies": (plugin("bad", register_notifiers=lambda: ["a", "b"]), "no Mapping"),
    "routes that are a word": (plugin("bad", register_routes=lambda: "routes"), "no Sequence"),
    "a name of odd letters": (plugin("bad", register_notifiers=lambda: {"Two words": 1}), "'Two words'"),
    "half a key source": (plugin("bad", register_key_sources=lambda: {"half": Half()}), "it has no make"),
    "a key source that waits": (plugin("bad", register_key_sources=lambda: {"wrong": Wrong()}), "make is not async"),
    "work that is none": (plugin("bad", register_jobs=lambda: {"work": print}), "not a name with a Work"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_stops_the_start(what: str, tmp_path: Path) -> None:
    """The error names the plugin and what is wrong, and says how to start without it."""
    found, words = BAD[what]
    with pytest.raises(PluginBroken) as stopped:
        furnished(house(tmp_path, plugin("good", on_event=lambda event: None), found))
    assert stopped.value.detail.startswith("bad: ")
    assert words in stopped.value.detail
    assert "STREAMHOST_PLUGINS_DISABLED=bad" in (stopped.value.hint or "")
    furnished(house(tmp_path, found, plugins__disabled=("bad",)))


async def test_an_async_register_is_refused(tmp_path: Path) -> None:
    """What is registered is there when the server starts: nothing is waited for."""

    async def register() -> dict[str, object]:
        return {}

    with pytest.raises(PluginBroken, match="must be a plain function"):
        house(tmp_path, plugin("bad", register_notifiers=register))


def test_two_cannot_have_one_name(tmp_path: Path) -> None:
    """Of two plugins that register the same name neither wins silently."""
    both = [
        plugin(name, register_cdns=lambda: {"bell": OriginCdn(Tickets(bytes(32), time.time))}) for name in ("a", "b")
    ]
    with pytest.raises(PluginBroken, match=r"b: register_cdns: bell is registered by a already"):
        furnished(house(tmp_path, *both))


def test_a_storage_is_looked_at_first(tmp_path: Path) -> None:
    """A plugin's storage that lacks a method is found out before anything is stored in it."""
    with pytest.raises(PluginBroken, match="half is no Storage: it has no"):
        house(tmp_path, plugin("bad", register_storages=lambda: {"half": Half()})).storages()


def test_arguments_may_be_left_out(tmp_path: Path) -> None:
    """A hook takes as much of what it is given as it wants."""
    taken: list[object] = []

    def modest() -> dict[str, object]:
        taken.append("nothing")
        return {}

    def curious(host: PluginHost[Any]) -> dict[str, object]:
        taken.append(host.name)
        return {}

    furnished(house(tmp_path, plugin("p0", register_notifiers=modest), plugin("p1", register_notifiers=curious)))
    assert taken == ["nothing", "p1"]


def test_every_hook_says_what_it_is_for() -> None:
    """A hook without a docstring has no contract."""
    assert len(specifications()) >= 17
    assert [name for name, hook in specifications().items() if not (hook.__doc__ or "").strip().endswith(".")] == []
