"""Jobs that begin no sooner than a test wants, however long the test itself is held up."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from streamhost.host_basis import CATALOG_FILE

HOLD = """
CREATE TRIGGER held_back BEFORE UPDATE OF state ON jobs
WHEN NEW.state = 'running' AND json_extract(NEW.payload, '$.part') LIKE '{part}%' BEGIN SELECT RAISE(IGNORE); END
"""
"""In the catalog: whoever claims such a job gets none, and looks again later."""


@contextlib.contextmanager
def held_back(data: Path, part: str) -> Iterator[None]:
    """No part of a video whose name begins so is begun meanwhile, by the server on that data directory."""
    with contextlib.closing(sqlite3.connect(data / CATALOG_FILE, timeout=150, isolation_level=None)) as conn:
        conn.execute(HOLD.format(part=part))
        try:
            yield
        finally:
            conn.execute("DROP TRIGGER held_back")
