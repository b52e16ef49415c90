"""The contract of the watch graph, run on every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db.core import Database
from streamhost.features.recommendations import CatalogWatchGraph, ChosenWatchGraph, MemoryWatchGraph
from streamhost.ports_recommending import WatchGraph
from streamhost.testing.graph_contract import WatchGraphContract
from tests.support.catalogs import blank


class TestCatalogWatchGraph(WatchGraphContract):
    """`CatalogWatchGraph`, as the settings choose it."""

    @pytest.fixture
    async def graph(self, tmp_path: Path) -> AsyncIterator[WatchGraph]:
        """On a fresh catalog."""
        db = await Database.open(blank(tmp_path))
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
