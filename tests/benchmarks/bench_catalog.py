"""50 writers and 50 readers on the catalog for a minute, against the usual way: a connection for each request.

Both ways run the same work on the same file layout (WAL, full sync, 5 or 10 s of patience with locks): a writer reads a
counter and writes it back one higher, in one transaction; a reader reads a row. A write counts when it was
acknowledged; it is lost when the counter does not show it. `python tests/benchmarks/bench_catalog.py [seconds]`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosqlite

from streamhost.db.core import Database

CROWD = 50
OURS_SECONDS = 60.0
PEER_SHARE = 0.5
"""The peer runs for half as long; figures are rates."""
PATIENCE = 5.0
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE counter (id INTEGER PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0);
CREATE TABLE notes (id INTEGER PRIMARY KEY, who INTEGER NOT NULL, text TEXT NOT NULL);
"""


@dataclass
class Score:
    """What a crowd got done."""

    seconds: float = 0.0
    reads: int = 0
    writes: list[int] = field(default_factory=lambda: [0] * CROWD)
    errors: dict[str, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def written(self) -> int:
        return sum(self.writes)

    @property
    def slowest(self) -> float:
        """The 99th percentile of the time that a write took, in milliseconds."""
        return 1000 * sorted(self.waits)[int(len(self.waits) * 0.99)] if self.waits else 0.0


async def crowd(
    path: Path,
    seconds: float,
    write: Callable[[int], Awaitable[None]],
    read: Callable[[], Awaitable[None]] | None,
) -> Score:
    """Let everybody work until the time is over, then count what is there."""
    score = Score()
    begin = time.perf_counter()

    def failed(error: Exception) -> None:
        name = str(error).split(" (")[0][:60]
        score.errors[name] = score.errors.get(name, 0) + 1

    async def writer(number: int) -> None:
        while time.perf_counter() - begin < seconds:
            started = time.perf_counter()
            try:
                await write(number)
            except Exception as error:
                failed(error)
            else:
                score.writes[number] += 1
                score.waits.append(time.perf_counter() - started)

    async def reader(read: Callable[[], Awaitable[None]]) -> None:
        while time.perf_counter() - begin < seconds:
            try:
                await read()
                score.reads += 1
            except Exception as error:
                failed(error)

    async with asyncio.TaskGroup() as everybody:
        for number in range(CROWD):
            everybody.create_task(writer(number))
            if read is not None:
                everybody.create_task(reader(read))
    score.seconds = time.perf_counter() - begin
    with sqlite3.connect(path) as conn:
        ((counter,),) = conn.execute("SELECT value FROM counter").fetchall()
        ((notes,),) = conn.execute("SELECT count(*) FROM notes").fetchall()
    conn.close()
    score.lost = max(score.written - counter, score.written - notes)
    return score


def fresh(folder: str, name: str) -> Path:
    """An empty catalog."""
    path = Path(folder) / name
    conn = sqlite3.connect(path)
    conn.executescript(SCHEMA)
    conn.close()
    return path


async def ours(path: Path, seconds: float, synchronous: Any = "FULL", *, alone: bool = False) -> Score:
    """Through `Database`; `alone`: without readers."""
    db = await Database.open(path, synchronous=synchronous)

    async def write(number: int) -> None:
        async with db.write() as conn:
            row = await conn.fetch_one("SELECT value FROM counter WHERE id = 1")
            assert row is not None
            await conn.execute("UPDATE counter SET value = :value WHERE id = 1", {"value": row["value"] + 1})
            await conn.execute("INSERT INTO notes (who, text) VALUES (:who, 'hello')", {"who": number})

    async def read() -> None:
        async with db.read() as conn:
            await conn.fetch_one("SELECT value FROM counter WHERE id = :id", {"id": 1})

    score = await crowd(path, seconds, write, None if alone else read)
    await db.close()
    return score


async def naive(path: Path, seconds: float) -> Score:
    """Through a new connection for each request, which waits for locks for a while."""

    async def write(number: int) -> None:
        async with aiosqlite.connect(path, timeout=PATIENCE) as conn:
            await conn.execute("BEGIN")
            async with conn.execute("SELECT value FROM counter WHERE id = 1") as cursor:
                row = await cursor.fetchone()
            assert row is not None
            await conn.execute("UPDATE counter SET value = ? WHERE id = 1", (row[0] + 1,))
            await conn.execute("INSERT INTO notes (who, text) VALUES (?, 'hello')", (number,))
            await conn.commit()

    async def read() -> None:
        async with (
            aiosqlite.connect(path, timeout=PATIENCE) as conn,
            conn.execute("SELECT value FROM counter WHERE id = ?", (1,)) as cursor,
        ):
            await cursor.fetchone()

    return await crowd(path, seconds, write, read)


def figure(name: str, ours: float, peer: float | None, unit: str, aim: str | None = None) -> None:
    """One line for the collection."""
    ratio = ours / peer if peer else None
    line = {"name": name, "ours": round(ours, 1), "peer": None if peer is None else round(peer, 1)}
    print(json.dumps({**line, "ratio": ratio and round(ratio, 2), "unit": unit, "aim": aim}), flush=True)


def say(name: str, score: Score) -> None:
    """One line for people."""
    print(
        f"{name}: {score.written} writes ({min(score.writes)} to {max(score.writes)} a writer, 99 % within "
        f"{score.slowest:.0f} ms), {score.reads} reads in {score.seconds:.1f} s; errors {score.errors or 'none'}; "
        f"lost {score.lost}",
        flush=True,
    )


def main() -> None:
    """Run both, print the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else OURS_SECONDS
    with tempfile.TemporaryDirectory() as folder:
        us = asyncio.run(ours(fresh(folder, "ours.db"), seconds))
        say("one writer in turn", us)
        them = asyncio.run(naive(fresh(folder, "naive.db"), seconds * PEER_SHARE))
        say("a connection for each request", them)
        full = asyncio.run(ours(fresh(folder, "full.db"), seconds / 10, "FULL", alone=True))
        say("writers alone, each commit on disk", full)
        normal = asyncio.run(ours(fresh(folder, "normal.db"), seconds / 10, "NORMAL", alone=True))
        say("writers alone, commits that power loss may undo", normal)
    per_second = us.written / us.seconds
    figure("catalog: writes of 50 writers beside 50 readers", per_second, them.written / them.seconds, "writes/s")
    figure(
        "catalog: reads of 50 readers beside 50 writers", us.reads / us.seconds, them.reads / them.seconds, "reads/s"
    )
    figure("catalog: time within which 99 % of writes end", us.slowest, them.slowest, "ms")
    figure("catalog: failed requests", sum(us.errors.values()), sum(them.errors.values()), "errors", "<= 0")
    figure("catalog: acknowledged writes that were lost", us.lost, them.lost, "writes", "<= 0")
    synced, unsynced = full.written / full.seconds, normal.written / normal.seconds
    figure("catalog: writes that survive power loss, against ones that may not", synced, unsynced, "writes/s")


if __name__ == "__main__":
    main()
