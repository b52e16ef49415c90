"""kill -9 of working processes: every job is done, and counts exactly once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streamhost.db.core import Database
from streamhost.jobs.queue import Queue
from streamhost.model.clock import system_clock
from tests.support.catalogs import blank
from tests.support.tree import rows
from tests.unit.jobs import counting_worker

CHAINS = 40


@pytest.fixture
async def catalog(tmp_path: Path) -> Path:
    """A catalog with the beginnings of some chains of jobs."""
    path = blank(tmp_path)
    db = await Database.open(path)
    queue = Queue(system_clock)
    async with db.write() as conn:
        await conn.execute("CREATE TABLE results (chain INTEGER, link INTEGER)")
        for chain in range(CHAINS):
            assert await queue.add(conn, counting_worker.Link(chain, 0))
    await db.close()
    return path


def begin(catalog: Path, *how: str) -> subprocess.Popen[bytes]:
    """Start a process that works, and wait until it does."""
    command = [sys.executable, counting_worker.__file__, str(catalog), *how]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout and process.stdout.readline() == b"started\n"
    return process


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end; its status."""
    with process:
        return process.wait(timeout=240)


def done(catalog: Path) -> int:
    """How many results there are so far."""
    return len(rows(catalog.parent, "SELECT chain FROM results"))


def check(catalog: Path) -> None:
    """Every link of every chain has exactly one result, and its job is done."""
    conn = sqlite3.connect(catalog)
    results = sorted(conn.execute("SELECT chain, link FROM results").fetchall())
    assert results == [(chain, link) for chain in range(CHAINS) for link in range(counting_worker.CHAIN)]
    assert conn.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall() == [("done", len(results))]
    assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    conn.close()


async def test_killed_and_restarted(catalog: Path) -> None:
    """A worker that is killed over and over, anywhere in its work, and started again, ends with every job done once."""
    for _ in range(6):
        # Counted before it begins: it stops by itself at so many of its own, which a busy machine may see done at once.
        enough = done(catalog) + random.randrange(counting_worker.LAST)
        process = begin(catalog, "doomed")
        while done(catalog) < enough:
            assert process.poll() is None
            time.sleep(random.uniform(0.0, 0.005))
        process.kill()
        assert end(process) == -signal.SIGKILL
    assert end(begin(catalog)) == 0
    check(catalog)


async def test_one_of_several_killed(catalog: Path) -> None:
    """When one of three working processes is killed, the others take over its jobs after the lease, each once."""
    processes = [begin(catalog, "together", *how) for how in (["doomed"], [], [])]
    catalog.with_suffix(".go").touch()
    time.sleep(0.2)
    processes[0].kill()
    assert [end(process) for process in processes] == [-signal.SIGKILL, 0, 0]
    check(catalog)
