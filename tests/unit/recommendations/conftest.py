"""A small site with two tastes: cooks and climbers watch different videos, and a few watch both."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamhost.config import load
from streamhost.db.core import Database
from streamhost.host import Host, assemble
from streamhost.ml.recommending import serving
from streamhost.model.accounts import User, Viewer
from streamhost.model.clock import Clock
from streamhost.model.ids import VideoId
from streamhost.plugins import Found
from tests.support.catalogs import instance_at
from tests.support.watching import NOW, add_people, add_videos, watch_all


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is not a model that is lost."""
    monkeypatch.setattr(serving, "START_SECONDS", 150.0)
    monkeypatch.setattr(serving, "ANSWER_SECONDS", 150.0)


@dataclass(frozen=True, slots=True)
class Site:
    """Alice's cooking videos, Carol's climbing ones, and viewers `u:cook<n>` and `u:climb<n>` without accounts."""

    host: Host
    alice: User
    carol: User
    cooking: list[VideoId]
    climbing: list[VideoId]

    @property
    def db(self) -> Database:
        """The catalog."""
        return self.host.db

    @property
    def viewer(self) -> Callable[[User], Viewer]:
        """Somebody, as who is asking."""
        return lambda user: Viewer(user)

    async def settled(self) -> None:
        """Bring the watch graph up to date."""
        assert not await self.host.recommending.keeping.catch_up(1000, lambda _share, _step: None)


COOKS, CLIMBERS = 6, 6
WORDS, SIDES = ("leeks", "beans", "carrots", "rice"), ("north", "east", "south", "west")


@contextlib.asynccontextmanager
async def a_site(data: Path, *installed: Found, clock: Clock = lambda: NOW, **options: Any) -> AsyncIterator[Site]:
    """Everybody has watched most of what is theirs; nothing is trained yet. `installed`: plugins."""
    wanted = {"limits__enabled": False, "recommendations__patience": 10.0, "recommendations__chance": 0.0}
    host = await assemble(load(data, {}, **(wanted | options)), instance_at(data), clock, installed)
    alice, carol = await add_people(host.db, "alice", "carol")
    cooking = await add_videos(host.db, alice.id, [f"Soup with {one}" for one in WORDS])
    climbing = await add_videos(host.db, carol.id, [f"Climbing the {one}" for one in SIDES])
    for number in range(COOKS):
        await watch_all(host.db, f"u:cook{number}", [one for n, one in enumerate(cooking) if n != number % 4])
    for number in range(CLIMBERS):
        await watch_all(host.db, f"u:climb{number}", [one for n, one in enumerate(climbing) if n != number % 4])
    yield Site(host, alice, carol, cooking, climbing)
    await host.recommending.close()
    await host.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """One of them, as it is without further settings."""
    async with a_site(tmp_path) as made:
        yield made
