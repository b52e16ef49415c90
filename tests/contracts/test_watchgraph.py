"""The contract of the watch graph, run on every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db import migrate
from streamhost.db.core import Database
from streamhost.features.recommendations import CatalogWatchGraph, ChosenWatchGraph, MemoryWatchGraph
from streamhost.ports_recommending import WatchGraph
from streamhost.testing.graph_contract import WatchGraphContract


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty catalog's file."""
    path = tmp_path_factory.mktemp("empty") / "catalog.sqlite3"
    migrate.migrate(path)
    return path.read_bytes()


class TestCatalogWatchGraph(WatchGraphContract):
    """`CatalogWatchGraph`, as the settings choose it."""

    @pytest.fixture
    async def graph(self, tmp_path: Path, migrated: bytes) -> AsyncIterator[WatchGraph]:
        """On a fresh catalog."""
        path = tmp_path / "catalog.sqlite3"
        path.write_bytes(migrated)
        db = await Database.open(path)
        chosen = ChosenWatchGraph()
        chosen.choose(CatalogWatchGraph(db))
        yield chosen
        await db.close()


class TestMemoryWatchGraph(WatchGraphContract):
    """`MemoryWatchGraph`."""

    @pytest.fixture
    def graph(self) -> WatchGraph:
        """An empty one."""
        return MemoryWatchGraph()
