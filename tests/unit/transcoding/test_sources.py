"""Uploaded files of a remote storage on local disk: fetched once, shared, and gone when nobody needs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streamhost.features.transcoding import sources
from streamhost.features.transcoding.sources import Sources
from streamhost.ports import NotStored
from streamhost.storage.local import LocalStorage
from streamhost.storage.memory import MemoryStorage

KEY = "videos/a/source/film.mp4"


class Counted(MemoryStorage):
    """Counts how often it hands out a file, and takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched = 0
        self.go = asyncio.Event()
        self.go.set()

    async def fetch(self, key: str, directory: Path) -> Path:
        """A copy, once that is allowed."""
        self.fetched += 1
        await self.go.wait()
        return await super().fetch(key, directory)


async def test_one_copy_for_all(tmp_path: Path) -> None:
    """Several jobs at once, and one a little later, read the same copy; in the end it is gone."""
    storage = Counted()
    await storage.put_bytes(KEY, b"film")
    lender = Sources(storage, tmp_path)

    async def read() -> Path:
        async with lender.lent(KEY) as path:
            assert path.read_bytes() == b"film"
            await asyncio.sleep(0)
            return path

    paths = set(await asyncio.gather(read(), read(), read()))
    paths.add(await read())
    assert (len(paths), storage.fetched) == (1, 1)
    await lender.stop()
    assert not paths.pop().exists()


async def test_a_copy_goes_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nobody has read it for some time it makes room, and is fetched anew when it is wanted."""
    monkeypatch.setattr(sources, "KEPT_FOR", 0.01)
    storage = Counted()
    await storage.put_bytes(KEY, b"film")
    lender = Sources(storage, tmp_path)
    async with lender.lent(KEY) as path:
        assert path.exists()
    async with asyncio.timeout(150):
        while path.exists():  # noqa: ASYNC110  # a timer sets no event
            await asyncio.sleep(0.01)
    async with lender.lent(KEY) as again:
        assert again.read_bytes() == b"film"
    assert storage.fetched == 2
    await lender.stop()


async def test_who_leaves_does_not_spoil_it_for_others(tmp_path: Path) -> None:
    """A job that is stopped while it waits leaves the others waiting; when all are, the fetching ends too."""
    storage = Counted()
    await storage.put_bytes(KEY, b"film")
    storage.go.clear()
    lender = Sources(storage, tmp_path)

    async def read() -> bytes:
        async with lender.lent(KEY) as path:
            return path.read_bytes()

    one, other = asyncio.create_task(read()), asyncio.create_task(read())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    one.cancel()
    storage.go.set()
    assert await other == b"film"
    with pytest.raises(asyncio.CancelledError):
        await one
    with pytest.raises(NotStored):
        async with lender.lent("videos/gone/source/film.mp4"):
            pass
    await lender.stop()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_local_file_is_lent_where_it_is(tmp_path: Path) -> None:
    """Nothing is copied."""
    storage = LocalStorage(tmp_path / "media")
    await storage.put_bytes(KEY, b"film")
    async with Sources(storage, tmp_path / "work").lent(KEY) as path:
        assert path == storage.local_path(KEY)
    assert path.exists()
