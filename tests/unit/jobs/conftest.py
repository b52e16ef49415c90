"""A queue on a real catalog, a clock that tests move, and workers that are in a hurry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db.core import Database
from tests.support.catalogs import blank
from tests.unit.jobs.kit import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A queue and what is needed to work on it; every worker is stopped afterwards."""
    db = await Database.open(blank(tmp_path))
    bench = Bench(db)
    yield bench
    for worker in bench.workers:
        await worker.stop(grace=1.0)
    await db.close()
