"""Answers that are kept: never older than they may be, worked out once, bounded, and nothing fails for their sake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from streamhost.caching import cache as caching
from streamhost.caching.cache import Cache
from streamhost.caching.memory import Memory
from streamhost.caching.sealing import Seal
from streamhost.caching.shared import Shared
from streamhost.db.core import Database
from streamhost.model.cached import FAMILIES, METADATA, RECOMMENDATIONS, SESSIONS, Family
from streamhost.ports import CacheUnavailable
from tests.support.catalogs import blank
from tests.support.waiting import until

RING = {1: b"k" * 32}


class Dictionary:
    """A shared cache in a dictionary that can be told to fail, and to be slow."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.fails = False
        self.hangs = False
        self.asked = 0

    async def _maybe(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise CacheUnavailable("It is away.")

    async def get(self, name: str) -> bytes | None:
        """What is kept."""
        await self._maybe()
        return self.kept.get(name)

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """Keep it; nothing is ever over."""
        await self._maybe()
        self.kept[name] = value

    async def delete(self, name: str) -> None:
        """Forget it."""
        await self._maybe()
        self.kept.pop(name, None)

    async def sweep(self) -> None:
        """Nothing is ever over."""

    async def close(self) -> None:
        """Nothing to let go of."""


class Source:
    """What answers are made from; counts how often it is asked."""

    def __init__(self, value: str = "first") -> None:
        self.value = value
        self.asked = 0
        self.held: asyncio.Event | None = None

    async def make(self) -> str:
        """The value of the moment at which it is asked."""
        self.asked += 1
        value = self.value
        if self.held is not None:
            await self.held.wait()
        return value


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def shared_over(store: Dictionary, clock: Callable[[], float] | None = None, *, remote: bool = True) -> Shared:
    """A far level on `store`; nobody waits long for it."""
    if clock is None:
        return Shared(store, Seal(RING), remote=remote, patience=0.05)
    return Shared(store, Seal(RING), remote=remote, patience=0.05, clock=clock, now=clock)


async def ask(cache: Cache, source: Source, family: Family = METADATA) -> str:
    """The answer for one key."""
    return await cache.get(family, "key", source.make, str)


async def test_it_is_worked_out_once_for_all_who_wait() -> None:
    """A hundred who ask at the same moment cost one question; one of them going away spoils nothing."""
    cache, source = Cache(Memory(10, 100_000), now=Clock()), Source()
    source.held = asyncio.Event()
    asking = [asyncio.create_task(ask(cache, source)) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()
    source.held.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in found[:1]] == [asyncio.CancelledError]
    assert set(found[1:]) == {"first"}
    assert source.asked == 1
    assert await ask(cache, source) == "first"
    counts = cache.counts["metadata"]
    assert (counts.hits, counts.waited, counts.misses, source.asked) == (1, 99, 1, 1)


async def test_what_fails_is_not_kept() -> None:
    """An error reaches whoever asked, and the next one asks anew."""
    cache = Cache(Memory(10, 100_000))

    async def fails() -> str:
        raise CacheUnavailable("No.")

    with pytest.raises(CacheUnavailable):
        await cache.get(METADATA, "key", fails, str)
    assert await ask(cache, Source()) == "first"


async def test_a_drop_beats_what_is_on_its_way() -> None:
    """An answer that was begun before a change is given to those who had asked, and to nobody after."""
    cache, source = Cache(Memory(10, 100_000)), Source()
    source.held = asyncio.Event()
    early = asyncio.create_task(ask(cache, source, RECOMMENDATIONS))
    await until(lambda: source.asked == 1)
    source.value = "second"
    cache.drop(RECOMMENDATIONS, "key")
    late = asyncio.create_task(ask(cache, source, RECOMMENDATIONS))
    await asyncio.sleep(0)
    source.held.set()
    assert (await early, await late) == ("first", "second")
    assert await ask(cache, source, RECOMMENDATIONS) == "second"


async def test_it_is_bounded_in_number_bytes_and_time() -> None:
    """The longest unused goes first, a giant is not kept, and nothing outlives its time."""
    clock = Clock()
    memory = Memory(3, 100_000, clock)
    for name in "abc":
        memory.put(name, name, 10, 60)
    assert memory.get("a") == ("a",)
    memory.put("d", "d", 10, 60)
    assert [memory.get(name) for name in "abcd"] == [("a",), None, ("c",), ("d",)]
    memory.put("giant", "", 90_000, 60)
    assert memory.get("giant") is None
    for number in range(50):
        memory.put(f"n{number}", number, 12_000, 60)
    assert memory.used <= 100_000
    clock.now += 60
    assert memory.get("n49") is None
    for number in range(50):
        memory.drop(f"n{number}")
    assert (len(memory), memory.used) == (0, 0)


async def test_the_far_level_outlives_the_process_and_is_sealed() -> None:
    """What one process worked out the next one finds; nobody else can read it, or put something in its place."""
    store, source = Dictionary(), Source("a secret")
    first = Cache(Memory(10, 100_000), shared_over(store, remote=False))
    await first.start()
    assert await ask(first, source, RECOMMENDATIONS) == "a secret"
    await until(lambda: any("recommendations" in name and "stamp" not in name for name in store.kept))
    await first.close()
    assert not any(b"secret" in kept for kept in store.kept.values())
    second = Cache(Memory(10, 100_000), shared_over(store, remote=False))
    await second.start()
    assert await ask(second, source, RECOMMENDATIONS) == "a secret"
    assert (source.asked, second.counts["recommendations"].shared_hits) == (1, 1)
    await second.close()
    (name,) = [name for name in store.kept if name.startswith("recommendations")]
    for forged in (b"", store.kept[name][:-1], bytes((9,)) + store.kept[name][1:], Seal(RING).close("other", b"\xa1x")):
        store.kept[name] = forged
        third = Cache(Memory(10, 100_000), shared_over(store, remote=False))
        await third.start()
        assert await ask(third, source, RECOMMENDATIONS) == "a secret"
        assert third.counts["recommendations"].misses == 1
        await third.close()


async def test_a_store_cannot_give_out_what_is_over() -> None:
    """Until when an answer is good stands under the seal, whatever the store says."""
    clock, store = Clock(), Dictionary()
    shared = shared_over(store, clock)
    assert await shared.put("name", b"data", 10)
    assert await shared.get("name") == b"data"
    clock.now += 10
    assert await shared.get("name") is None


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_no_answer_waits_or_fails_for_the_store(trouble: str) -> None:
    """A store that fails or hangs costs one short wait, then it is left alone for a while, then tried again."""
    store, source, clock = Dictionary(), Source(), Clock()
    shared = shared_over(store, clock)
    cache = Cache(None, shared, now=clock)
    setattr(store, trouble, True)
    for _ in range(20):
        assert await cache.get(RECOMMENDATIONS, "key", source.make, str) == "first"
    assert store.asked == 1
    assert cache.errors == 1
    setattr(store, trouble, False)
    clock.now += 60
    assert await shared.put("name", b"data", 10)
    await cache.close()


async def test_what_could_not_be_deleted_does_not_come_back() -> None:
    """An answer that was dropped while the store was away is not found there when it is back, by any process."""
    store, source, clock = Dictionary(), Source(), Clock()
    cache = Cache(Memory(10, 100_000), shared_over(store, clock), now=clock)
    neighbour = Cache(Memory(10, 100_000), shared_over(store, clock), now=clock)
    await ask(cache, source, RECOMMENDATIONS)
    await until(lambda: any(name.startswith("recommendations") for name in store.kept))
    store.fails, source.value = True, "second"
    cache.drop(RECOMMENDATIONS, "key")
    await until(lambda: cache.errors == 1)
    store.fails = False
    clock.now += 60
    assert await ask(cache, source, RECOMMENDATIONS) == "second"
    await until(lambda: "stamp:recommendations" in store.kept)
    assert await ask(neighbour, source, RECOMMENDATIONS) in ("first", "second")
    clock.now += 60

    async def agrees() -> bool:
        clock.now += 2
        return await ask(neighbour, source, RECOMMENDATIONS) == "second"

    await until(agrees)
    await cache.close()
    await neighbour.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog with its tables."""
    return blank(tmp_path)


async def test_a_transaction_makes_stale_what_was_made_from_its_tables(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next question after a commit is answered from the new state, by this process at once, without anybody having
    thought of it; a transaction that was undone changes nothing."""
    monkeypatch.setattr(caching, "LOOK_PATIENCE", 150.0)
    db = await Database.open(catalog)
    await db.changed_elsewhere()  # from now on; what is kept before anybody has looked is made anew once
    cache = Cache(Memory(10, 100_000, Clock()), None, db.changed_elsewhere)
    db.on_write(cache.wrote)
    source = Source()
    assert await ask(cache, source) == "first"
    source.value = "second"
    with pytest.raises(ZeroDivisionError):
        async with db.write() as conn:
            await conn.execute("UPDATE videos SET title = 'x'")
            _ = 1 / 0
    async with db.write() as conn:
        await conn.execute("DELETE FROM notices")
    assert await ask(cache, source) == "first"
    for sql in ("UPDATE OR IGNORE videos SET title = 'x'", "WITH a AS (SELECT 1) DELETE\nFROM users WHERE 0"):
        before = source.asked
        async with db.write() as conn:
            await conn.execute(sql)
        assert await ask(cache, source) == "second"
        assert source.asked == before + 1
    await cache.close()
    await db.close()


async def test_what_another_process_writes_is_seen(catalog: Path) -> None:
    """Commands beside the server change the catalog too; its caches follow within a moment."""
    db, beside = await Database.open(catalog), await Database.open(catalog)
    cache = Cache(Memory(10, 100_000), None, db.changed_elsewhere)
    db.on_write(cache.wrote)
    source = Source()
    await ask(cache, source, SESSIONS)
    source.value = "second"
    async with beside.write() as conn:
        await conn.execute("DELETE FROM notices")

    async def seen() -> bool:
        return await ask(cache, source, SESSIONS) == "second"

    await until(seen)
    await cache.close()
    await db.close()
    assert await ask(Cache(Memory(1, 1), None, db.changed_elsewhere), source) == "second", (
        "a closed catalog is no error"
    )
    await beside.close()


async def test_the_tables_of_families_are_there(catalog: Path) -> None:
    """A family that waited for a table by another name would never be forgotten."""
    db = await Database.open(catalog)
    async with db.read() as conn:
        known = {row["name"] for row in await conn.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    await db.close()
    assert {table for family in FAMILIES.values() for table in family.tables} <= known


async def test_two_processes_on_one_server_learn_of_each_other() -> None:
    """What one process changes in the catalog, another that shares the server no longer takes from there."""
    store, source, clock = Dictionary(), Source(), Clock()
    far = shared_over(store, clock)
    one = Cache(Memory(10, 100_000), far, now=clock)
    two = Cache(Memory(10, 100_000), shared_over(store, clock), now=clock)
    for cache in (one, two):
        await cache.start()
    await until(lambda: "stamp:metadata" in store.kept)

    turns = iter(range(1000))

    async def shares() -> bool:
        clock.now += 2
        key = f"turn {next(turns)}"
        await one.get(METADATA, key, source.make, str)
        await far.settled()
        await two.get(METADATA, key, source.make, str)
        return two.counts["metadata"].shared_hits > 0

    await until(shares)
    assert await ask(two, source) == "first"
    source.value = "second"
    one.wrote(frozenset({"videos"}))
    assert await ask(one, source) == "second"

    async def follows() -> bool:
        clock.now += 2
        return await ask(two, source) == "second"

    await until(follows)
    for cache in (one, two):
        await cache.close()
