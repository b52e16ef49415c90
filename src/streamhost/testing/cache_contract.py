"""What every shared cache must do: the contract of `streamhost.ports.SharedCache` as a suite of tests.

class TestMySharedCache(SharedCacheContract):
    @pytest.fixture
    async def store(self) -> SharedCache:
        return MySharedCache(...)
"""

from __future__ import annotations

import asyncio
import time

import pytest

from streamhost.ports import CacheUnavailable, SharedCache

NAMES = ("plain", "recommendations:0:u:7x", "a/../b", "ünïcode 🎬", "x" * 500, "*", "with\nlines")
PATIENCE = 60.0


class SharedCacheContract:
    """Inherit from it and provide `store`, empty, and `broken`: one whose backend fails."""

    async def test_it_gives_back_what_was_set(self, store: SharedCache) -> None:
        """Any bytes, under any name, and each name its own."""
        for number, name in enumerate(NAMES):
            await store.set(name, bytes((number, 0, 255)) * 100, 60)
        for number, name in enumerate(NAMES):
            assert await store.get(name) == bytes((number, 0, 255)) * 100
        assert await store.get("nothing") is None
        await store.set("empty", b"", 60)
        assert await store.get("empty") == b""

    async def test_the_last_one_counts(self, store: SharedCache) -> None:
        """Setting a name again replaces what was there."""
        await store.set("name", b"first", 60)
        await store.set("name", b"second", 60)
        assert await store.get("name") == b"second"

    async def test_deleted_is_gone_at_once(self, store: SharedCache) -> None:
        """What was deleted is not found; deleting what is not there is no error."""
        await store.set("name", b"value", 60)
        await store.set("names", b"another", 60)
        await store.delete("name")
        await store.delete("name")
        assert await store.get("name") is None
        assert await store.get("names") == b"another"

    async def test_it_forgets_in_time(self, store: SharedCache) -> None:
        """After its seconds a value is not found any more, and sweeping leaves what still counts."""
        await store.set("short", b"value", 1)
        await store.set("long", b"value", 600)
        end = time.monotonic() + PATIENCE
        while await store.get("short") is not None:
            assert time.monotonic() < end, "it was kept for too long"
            await asyncio.sleep(0.05)
        await store.sweep()
        assert await store.get("long") == b"value"

    async def test_many_at_once(self, store: SharedCache) -> None:
        """Those who ask at the same time get answers, each its own."""
        await asyncio.gather(*(store.set(f"n{i}", str(i).encode() * 50, 60) for i in range(50)))
        found = await asyncio.gather(*(store.get(f"n{i}") for i in range(50)))
        assert found == [str(i).encode() * 50 for i in range(50)]

    async def test_a_broken_backend_is_said_in_one_way(self, broken: SharedCache) -> None:
        """Whatever fails below, `CacheUnavailable` is what is raised, without the address in it."""
        for work in (broken.get("name"), broken.delete("name")):
            with pytest.raises(CacheUnavailable) as told:
                await work
            assert "://" not in str(told.value)
