"""Things that plugins bring are called in the house's own loop, and do not end the house."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from streamhost.cdn.origin import OriginCdn
from streamhost.features.protection import ClearKeyLicenceProxy, DerivedKeySource
from streamhost.model.errors import NotFound
from streamhost.model.notices import AddressAsked
from streamhost.model.tickets import Tickets
from streamhost.plugins import PluginBroken
from streamhost.plugins.calling import PluginTooSlow
from streamhost.plugins.guarding import Guarded
from streamhost.storage.memory import MemoryStorage
from tests.support.logs import logged
from tests.unit.plugins.kit import Queued, furnished, house, plugin


class Leaving:
    """Has every kind of method that ports have; each of them ends the program."""

    label = "a label"

    @property
    def asks(self) -> str:
        """A property."""
        raise SystemExit(1)

    def plain(self, word: str = "") -> str:
        """A plain method, which answers if it is told what."""
        if word:
            return word
        raise SystemExit(2)

    async def waits(self, word: str = "") -> str:
        """A coroutine, likewise."""
        await asyncio.sleep(0)
        return self.plain(word)

    def hands(self, word: str = "") -> Any:
        """A plain method that returns a coroutine."""
        return self.waits(word)

    async def steps(self, *words: str) -> AsyncIterator[str]:
        """What yields words, and then leaves."""
        for word in words:
            yield word
        self.plain()


async def test_no_method_ends_the_program() -> None:
    """Whatever kind it is of: its exit is an error of the call, and what it answers is what it answers."""
    thing = Guarded("bell", "notifier bell", Leaving())
    assert (thing.label, thing.plain("a"), await thing.waits("b"), await thing.hands(word="c")) == (
        "a label", "a", "b", "c",
    )  # fmt: skip
    heard = []
    with pytest.raises(RuntimeError, match="SystemExit: 2"):
        async for word in thing.steps("d", "e"):
            heard.append(word)
    assert heard == ["d", "e"]
    for leave in (lambda: thing.asks, thing.plain):
        with pytest.raises(RuntimeError, match="SystemExit"):
            leave()
    for wait in (thing.waits, thing.hands):
        with pytest.raises(RuntimeError, match="SystemExit: 2"):
            await asyncio.create_task(wait())
    assert not hasattr(thing, "sign_get")


async def test_who_waits_is_let_go() -> None:
    """A call that never ends has failed after a while, also one that will not be cancelled; errors stay what they
    are."""
    release = asyncio.Event()

    class Hanging:
        async def waits(self) -> None:
            while not release.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await release.wait()

        def hands(self) -> Any:
            return self.waits()

        async def refuses(self) -> None:
            raise NotFound

    thing = Guarded("bell", "key source bell", Hanging(), 0.05)
    for wait in (thing.waits, thing.hands):
        with pytest.raises(PluginTooSlow, match=r"bell, key source bell: more than 0\.05 seconds"):
            await wait()
    with pytest.raises(NotFound):
        await thing.refuses()
    release.set()


@pytest.mark.parametrize("kind", ["cdns", "key_sources", "licence_proxies"])
def test_nobody_waits_for_ever(kind: str, tmp_path: Path) -> None:
    """Jobs and players that ask a plugin's CDN, key source or licence provider are given a time."""
    thing = {"cdns": OriginCdn, "key_sources": DerivedKeySource, "licence_proxies": ClearKeyLicenceProxy}[kind]
    given: Any = [*([Tickets(bytes(32), time.time)] * (kind == "cdns")), *([bytes(32)] * (kind == "key_sources"))]
    hook = {f"register_{kind}": lambda: {"bell": thing(*given)}}
    plugins = house(tmp_path, plugin("bell", **hook))
    brought = getattr(plugins.register(MemoryStorage(), Queued()), kind)["bell"]
    assert 0 < brought._patience <= 1800


async def test_what_holds_up_the_server_is_named() -> None:
    """A notifier that blocks is found by its name in the log, also in what is no coroutine."""

    class Slow:
        async def send(self) -> None:
            time.sleep(0.3)

        def url(self) -> None:
            time.sleep(0.3)

    thing = Guarded("bell", "notifier bell", Slow())
    with logged() as said:
        await thing.send()
        thing.url()
    assert [(line["plugin"], line["hook"]) for line in said] == [("bell", "notifier bell")] * 2


@pytest.mark.parametrize("asks", ["Topic", AddressAsked("Topic", "Where.", "(")])
def test_a_notifier_asks_for_what_people_can_answer(asks: Any, tmp_path: Path) -> None:
    """What nobody could ever type in stops the start, not the page on which it is asked for."""

    class Notifier:
        def __init__(self) -> None:
            self.asks = asks

        async def send(self, notice: Any) -> None:
            """Take it."""

    def register_notifiers() -> Mapping[str, Any]:
        return {"bell": Notifier()}

    with pytest.raises(PluginBroken, match="bell is no Notifier: its asks is neither None nor an AddressAsked"):
        furnished(house(tmp_path, plugin("bell", register_notifiers=register_notifiers)))
