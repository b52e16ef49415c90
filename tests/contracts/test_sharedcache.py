"""The contract of the port for shared caches, run on every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streamhost.config import load
from streamhost.instance import open_instance
from streamhost.ports import SharedCache
from streamhost.server.stores import FileSharedCache, shared_cache
from streamhost.server.valkey_store import ValkeySharedCache
from streamhost.testing.cache_contract import SharedCacheContract
from tests.support.valkey import ValkeyServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One server for all of them."""
    running = ValkeyServer(tmp_path_factory.mktemp("valkey")).start()
    yield running
    running.stop()


class TestFileSharedCache(SharedCacheContract):
    """`FileSharedCache`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> SharedCache:
        """One in a folder of its own, as the settings make it."""
        made = shared_cache(load(tmp_path, {}), open_instance(tmp_path))
        assert isinstance(made, FileSharedCache)
        return made

    @pytest.fixture
    def broken(self, tmp_path: Path) -> SharedCache:
        """One whose folder is no folder."""
        (tmp_path / "file").write_text("no folder")
        return FileSharedCache(tmp_path / "file")

    async def test_a_damaged_file_is_a_miss(self, store: SharedCache, tmp_path: Path) -> None:
        """What cannot be read is removed, and a sweep does not stumble over it for ever."""
        await store.set("name", b"value", 60)
        for file in (tmp_path / "cache").iterdir():
            file.write_bytes(b"\xc1")
        assert await store.get("name") is None
        assert list((tmp_path / "cache").iterdir()) == []
        (tmp_path / "cache" / "left.tmp").write_bytes(b"\xc1")
        await store.sweep()
        assert list((tmp_path / "cache").iterdir()) == []


class TestValkeySharedCache(SharedCacheContract):
    """`ValkeySharedCache`, on a real server."""

    @pytest.fixture
    async def store(self, server: ValkeyServer, tmp_path: Path) -> AsyncIterator[SharedCache]:
        """One as the settings make it; another instance's prefix keeps tests apart."""
        settings = load(tmp_path, {}, cache__store="valkey", cache__url=server.url, cache__timeout_ms=10_000)
        made = shared_cache(settings, open_instance(tmp_path))
        assert isinstance(made, ValkeySharedCache)
        yield made
        await made.close()

    @pytest.fixture
    async def broken(self, tmp_path: Path) -> AsyncIterator[SharedCache]:
        """One with nobody behind it."""
        url = f"unix://{tmp_path}/nobody.sock"
        made = shared_cache(load(tmp_path, {}, cache__store="valkey", cache__url=url), open_instance(tmp_path))
        assert made is not None
        yield made
        await made.close()

    async def test_instances_do_not_meet(self, store: SharedCache, server: ValkeyServer, tmp_path: Path) -> None:
        """Two instances on one server have nothing of each other."""
        other = tmp_path / "other"
        settings = load(other, {}, cache__store="valkey", cache__url=server.url, cache__timeout_ms=10_000)
        neighbour = shared_cache(settings, open_instance(other))
        assert neighbour is not None
        await store.set("name", b"ours", 60)
        assert await neighbour.get("name") is None
        await neighbour.close()
