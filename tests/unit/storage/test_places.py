"""Several storages as one, and objects on their way between them: found at every moment, never torn, never revived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from streamhost.ports import NotStored, StorageUnavailable, StoredObject
from streamhost.storage.local import LocalStorage
from streamhost.storage.memory import MemoryStorage
from streamhost.storage.moving import NOTES, move
from streamhost.storage.places import PlacesStorage
from streamhost.testing.storage_contract import content, keys

KEY = "videos/a/p/0.m4s"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder for copies on their way."""
    place = tmp_path / "room"
    place.mkdir()
    return place


@pytest.fixture(params=["memory", "local"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> PlacesStorage:
    """From disk to memory, and from memory to disk."""
    disk, memory = LocalStorage(tmp_path / "media"), MemoryStorage()
    return PlacesStorage(memory, [disk]) if request.param == "memory" else PlacesStorage(disk, [memory])


async def test_what_lies_in_either_is_found(pair: PlacesStorage, tmp_path: Path) -> None:
    """Old objects are read where they are, new ones go to the first, and a newer one of the same name counts."""
    old = pair.others[0]
    for key in ("a/1", "a/3", "b"):
        await old.put_bytes(key, b"old")
    for key in ("a/2", "b"):
        await pair.put_bytes(key, b"newer")
    assert await keys(pair) == ["a/1", "a/2", "a/3", "b"]
    assert (await content(pair, "a/1"), await content(pair, "b")) == (b"old", b"newer")
    assert [stored.size async for stored in pair.list()] == [3, 5, 3, 5]
    path = await pair.fetch("a/1", tmp_path)
    assert path.parent == tmp_path and path.read_bytes() == b"old"
    await old.delete("a/1")
    assert path.read_bytes() == b"old", "a lent file outlives the move of its object"
    await pair.delete("b")
    assert await keys(old) == ["a/3"]
    await pair.delete_prefix("a/")
    assert (await keys(old), await keys(pair)) == ([], [])


async def test_moving(pair: PlacesStorage, room: Path) -> None:
    """An object is in the new place and gone from the old one, and no copy lies about."""
    old, new = pair.others[0], pair.first
    await old.put_bytes(KEY, b"content")
    assert await move(old, new, KEY, room) == 7
    assert (await keys(old), await content(new, KEY)) == ([], b"content")
    assert await move(old, new, KEY, room) is None
    assert list(room.iterdir()) == []


async def test_a_newer_one_stays(pair: PlacesStorage, room: Path) -> None:
    """What was written anew meanwhile is not overwritten by the old one, which goes."""
    old, new = pair.others[0], pair.first
    await old.put_bytes(KEY, b"old")
    await pair.put_bytes(KEY, b"newer")
    assert await move(old, new, KEY, room) == 3
    assert (await keys(old), await content(pair, KEY)) == ([], b"newer")


class Meddled(MemoryStorage):
    """Does something right after an object was put."""

    def __init__(self, then: str, old: MemoryStorage) -> None:
        super().__init__()
        self.then = then
        self.old = old

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Put it; then the original is deleted by somebody, or this copy turns out bad."""
        stored = await super().put_file(key, source)
        if self.then.startswith("deleted"):
            await self.old.delete(key)
        if self.then == "deleted in both":
            await self.delete(key)
        if self.then == "spoiled":
            await super().put_bytes(key, b"c0ntent")
        return stored


@pytest.mark.parametrize("then", ["deleted", "deleted in both"])
async def test_what_is_deleted_meanwhile_does_not_come_back(then: str, room: Path) -> None:
    """An object that somebody deletes while it is copied, or before the copy is compared, is in neither place."""
    old = MemoryStorage()
    new = Meddled(then, old)
    await old.put_bytes(KEY, b"content")
    assert await move(old, new, KEY, room) is None
    assert (await keys(old), await keys(new)) == ([], [])


async def test_a_bad_copy_is_no_copy(room: Path) -> None:
    """Where the copy is not the same, byte by byte, the original stays and the copy goes."""
    old = MemoryStorage()
    new = Meddled("spoiled", old)
    await old.put_bytes(KEY, b"content")
    with pytest.raises(StorageUnavailable, match="not the same"):
        await move(old, new, KEY, room)
    assert (await content(old, KEY), await keys(new)) == (b"content", [])
    assert list(room.iterdir()) == []


class Rewritten(MemoryStorage):
    """Somebody writes an object anew just before it is read."""

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Write it anew, and read that."""
        await self.put_bytes(key, b"newer")
        async for piece in super().read(key, start, end):
            yield piece


async def test_what_is_written_anew_meanwhile_is_no_bad_copy(room: Path) -> None:
    """A manifest that the server writes while its copy is compared stays, and the older one goes."""
    old, new = MemoryStorage(), Rewritten()
    await old.put_bytes(KEY, b"content")
    assert await move(old, new, KEY, room) == 7
    assert (await keys(old), await content(new, KEY)) == ([], b"newer")


class Killed(Exception):
    """The end of the process, as far as this test can have it."""


class KilledThere(MemoryStorage):
    """The process that moves ends when it reads its copy, which was spoiled on the way or not."""

    spoiled = False
    ends = True

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """End."""
        if self.ends:
            raise Killed
        async for piece in super().read(key, start, end):
            yield piece

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Take it as it is, or not quite."""
        stored = await super().put_file(key, source)
        return await super().put_bytes(key, b"c0ntent") if self.spoiled else stored


@pytest.mark.parametrize("meanwhile", ["nothing", "spoiled", "written anew"])
async def test_a_run_that_was_killed_before_it_compared(meanwhile: str, room: Path) -> None:
    """The next run compares the copy of a segment that the one before had no time to compare. A good one stays, a bad
    one goes and is made anew, and what the server has written there since is newer."""
    old, new = MemoryStorage(), KilledThere()
    new.spoiled = meanwhile == "spoiled"
    await old.put_bytes(KEY, b"content")
    with pytest.raises(Killed):
        await move(old, new, KEY, room)
    assert (await keys(old), await keys(new), len(list(room.iterdir()))) == ([KEY], [KEY], 1)
    new.ends = new.spoiled = False
    if meanwhile == "spoiled":
        with pytest.raises(StorageUnavailable, match="not the same"):
            await move(old, new, KEY, room)
        assert (await keys(old), await keys(new)) == ([KEY], [])
    elif meanwhile == "written anew":
        await new.put_bytes(KEY, b"newer")
    assert await move(old, new, KEY, room) == 7
    assert (await keys(old), await content(new, KEY)) == ([], b"newer" if meanwhile == "written anew" else b"content")
    assert list(room.iterdir()) == []


async def test_killed_while_it_was_put(room: Path) -> None:
    """Where nobody knows whose copy it is that differs, both stay, and the move says so."""
    old, new = MemoryStorage(), MemoryStorage()
    await old.put_bytes(KEY, b"content")
    await new.put_bytes(KEY, b"c0ntent")
    (room / f"{sha256(KEY.encode()).hexdigest()}{NOTES}").touch()
    with pytest.raises(StorageUnavailable, match="not the same"):
        await move(old, new, KEY, room)
    assert (await content(old, KEY), await content(new, KEY)) == (b"content", b"c0ntent")


async def test_a_bad_copy_of_a_run_that_was_killed(room: Path) -> None:
    """A source that lies in both places and is not the same stays in both: nobody has compared it before."""
    old, new = MemoryStorage(), MemoryStorage()
    source = "videos/a/source/source.mp4"
    await old.put_bytes(source, b"content")
    await new.put_bytes(source, b"c0ntent")
    with pytest.raises(StorageUnavailable, match="not the same"):
        await move(old, new, source, room)
    assert (await content(old, source), await content(new, source)) == (b"content", b"c0ntent")
    await new.put_bytes(source, b"content")
    assert await move(old, new, source, room) == 7
    assert (await keys(old), await keys(new)) == ([], [source])


class Slow(MemoryStorage):
    """An object is moved away from here just before it is asked for."""

    def __init__(self, to: MemoryStorage) -> None:
        super().__init__()
        self.to = to

    async def stat(self, key: str) -> StoredObject:
        """Too late."""
        await self._leave(key)
        return await super().stat(key)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Too late."""
        await self._leave(key)
        async for piece in super().read(key, start, end):
            yield piece

    async def _leave(self, key: str) -> None:
        if key in self._objects:
            await self.to.put_bytes(key, self._objects.pop(key)[1])


async def test_an_object_that_changes_places_while_it_is_looked_for(tmp_path: Path) -> None:
    """Asked for first where it is not yet, then where it is no longer, it is found all the same."""
    first = MemoryStorage()
    places = PlacesStorage(first, [Slow(first)])
    for ask in (places.stat, lambda key: content(places, key)):
        await first.delete(KEY)
        await places.others[0].put_bytes(KEY, b"content")
        assert await ask(KEY)
    with pytest.raises(NotStored):
        await places.stat("nowhere")
