"""The catalog under many hands: nothing is lost, nothing is locked, nothing is half done."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from streamhost.db.core import Connection, Database
from streamhost.db.errors import (
    CatalogBusy,
    CatalogDamaged,
    CatalogUnavailable,
    ConstraintViolated,
    Misused,
)

SECONDS = 60.0
"""How long the crowd works."""


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A catalog with one table."""
    database = await Database.open(tmp_path / "catalog.sqlite3")
    async with database.write() as conn:
        await conn.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, who TEXT NOT NULL, text TEXT UNIQUE)")
    yield database
    await database.close()


async def add(conn: Connection, who: str, text: str | None = None) -> int:
    """Add a note."""
    return await conn.execute("INSERT INTO notes (who, text) VALUES (:who, :text)", {"who": who, "text": text})


async def count(db: Database) -> int:
    """How many notes others can see."""
    async with db.read() as conn:
        row = await conn.fetch_one("SELECT count(*) AS number FROM notes")
    assert row is not None
    return int(row["number"])


async def test_rows_by_name(db: Database) -> None:
    """Rows are mappings by column name; counts are the rows that changed; RETURNING gives rows."""
    async with db.write() as conn:
        assert await add(conn, "alice") == 1
        rows = await conn.fetch_all("INSERT INTO notes (who) VALUES ('bob'), ('mod') RETURNING id, who")
        assert rows == [{"id": 2, "who": "bob"}, {"id": 3, "who": "mod"}]
        assert await conn.execute("UPDATE notes SET text = NULL WHERE id > :id", {"id": 1}) == 2
    async with db.read() as conn:
        assert await conn.fetch_one("SELECT who FROM notes WHERE id = :id", {"id": 3}) == {"who": "mod"}
        assert await conn.fetch_one("SELECT who FROM notes WHERE id = :id", {"id": 9}) is None


@pytest.mark.slow
async def test_crowd(db: Database) -> None:
    """50 writers and 50 readers for a minute: no error, no lost write, and every writer gets its turn before another
    has two more."""
    deadline = time.monotonic() + SECONDS
    written = [0] * 50
    reads = [0] * 50

    async def write(number: int) -> None:
        while time.monotonic() < deadline:
            async with db.write() as conn:
                row = await conn.fetch_one("SELECT count(*) AS mine FROM notes WHERE who = :who", {"who": str(number)})
                assert row is not None and row["mine"] == written[number]
                await add(conn, str(number))
            written[number] += 1
            assert written[number] <= min(written) + 2, "the queue of writers is not fair"

    async def read(number: int) -> None:
        while time.monotonic() < deadline or reads[number] < 2:
            await count(db)
            reads[number] += 1

    async with db.write() as conn:
        await conn.execute("CREATE INDEX notes_by_who ON notes(who)")
    async with asyncio.TaskGroup() as crowd:
        for number in range(50):
            crowd.create_task(write(number))
            crowd.create_task(read(number))
    assert await count(db) == sum(written) > 50


async def test_rolled_back_on_error(db: Database) -> None:
    """An exception undoes the whole transaction, and the next one begins afresh."""
    with pytest.raises(ZeroDivisionError):
        async with db.write() as conn:
            await add(conn, "alice")
            1 / 0  # noqa: B018
    assert await count(db) == 0
    async with db.write() as conn:
        await add(conn, "bob")
    assert await count(db) == 1


@pytest.mark.parametrize("pause", [0.0, 0.0005, 0.002])
async def test_rolled_back_when_cancelled(db: Database, pause: float) -> None:
    """A task that is cancelled inside its transaction leaves nothing behind, wherever it was."""
    reached = asyncio.Event()

    async def work() -> None:
        async with db.write() as conn:
            for _ in range(1000):
                await add(conn, "alice")
                reached.set()

    for _ in range(20):
        reached.clear()
        task = asyncio.create_task(work())
        await reached.wait()
        await asyncio.sleep(pause)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await count(db) == 0
    async with db.write() as conn:
        await add(conn, "bob")
    assert await count(db) == 1


async def test_cancelled_while_committing(db: Database) -> None:
    """A commit that has begun is finished: the row and the callback come together, or neither."""
    for number in range(200):
        called: list[int] = []

        async def work(number: int, called: list[int]) -> None:
            async with db.write() as conn:
                await add(conn, str(number))
                conn.after_commit(lambda: called.append(number))

        task = asyncio.create_task(work(number, called))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        if number % 3 == 0:
            await asyncio.sleep(0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with db.read() as conn:
            row = await conn.fetch_one("SELECT 1 AS found FROM notes WHERE who = :who", {"who": str(number)})
        assert (row is not None) == bool(called)


async def test_waiting_writer_cancelled(db: Database) -> None:
    """A writer that is cancelled in the queue does not stop those behind it."""
    order: list[str] = []

    async def work(name: str) -> None:
        async with db.write() as conn:
            await add(conn, name)
            order.append(name)

    async with db.write() as conn:
        await add(conn, "first")
        tasks = [asyncio.create_task(work(name)) for name in ("second", "third", "fourth")]
        await asyncio.sleep(0.01)
        tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["second", "fourth"]


async def test_nested_write(db: Database) -> None:
    """A write inside a write of the same task is an error, not a standstill; reading inside is fine."""
    async with db.write() as conn:
        await add(conn, "alice")
        with pytest.raises(Misused, match="inside"):
            async with db.write():
                pass
        assert await count(db) == 0
    assert await count(db) == 1


async def test_readers_do_not_write(db: Database) -> None:
    """A reading connection refuses to write, and has no commit to wait for."""
    async with db.read() as conn:
        with pytest.raises(Misused, match="readonly"):
            await add(conn, "alice")
        with pytest.raises(Misused):
            conn.after_commit(lambda: None)


async def test_each_statement_of_a_read_sees_the_newest_state(db: Database) -> None:
    """What is committed meanwhile is seen, also after a reader was cancelled in the middle of a statement."""
    async with db.read() as conn:
        for number in range(50):
            task = asyncio.create_task(count(db))
            await asyncio.sleep(0 if number % 2 else 0.0001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with db.write() as writing:
                await add(writing, str(number))
            assert len(await conn.fetch_all("SELECT * FROM notes")) == number + 1
            assert await count(db) == number + 1


async def test_after_commit(db: Database) -> None:
    """Callbacks run once after a commit, never after a rollback; one that fails stops nobody."""
    called: list[str] = []
    async with db.write() as conn:
        await add(conn, "alice")
        conn.after_commit(lambda: called.append("first"))
        conn.after_commit(lambda: 1 / 0)  # type: ignore[arg-type]
        conn.after_commit(lambda: called.append("second"))
        assert called == []
    assert called == ["first", "second"]
    with pytest.raises(ValueError, match="no"):
        async with db.write() as conn:
            conn.after_commit(lambda: called.append("never"))
            raise ValueError("no")
    assert called == ["first", "second"]


async def test_broken_rule(db: Database) -> None:
    """A broken rule is an error of its own; the transaction goes on if the caller wants it to."""
    async with db.write() as conn:
        await add(conn, "alice", "one")
        with pytest.raises(ConstraintViolated, match=r"notes\.text"):
            await add(conn, "bob", "one")
        await add(conn, "bob", "two")
    assert await count(db) == 2


async def test_wrong_statement(db: Database) -> None:
    """A statement that cannot be understood is the program's mistake, and no driver's exception."""
    async with db.read() as conn:
        with pytest.raises(Misused, match="syntax"):
            await conn.fetch_all("SELEKT 1")
        with pytest.raises(Misused):
            await conn.fetch_all("SELECT :missing", {})


async def test_used_after_its_block(db: Database) -> None:
    """A connection is good inside its block only."""
    async with db.read() as reader:
        pass
    async with db.write() as writer:
        pass
    with pytest.raises(Misused, match="after"):
        await writer.execute("DELETE FROM notes")
    with pytest.raises(Misused, match="after"):
        await reader.fetch_one("SELECT 1")


async def test_lost_transaction_is_not_half_committed(db: Database) -> None:
    """When SQLite itself gave the transaction up, later statements and the commit fail: no half of it is kept."""
    with pytest.raises(CatalogUnavailable, match="rolled back"):
        async with db.write() as conn:
            await add(conn, "alice")
            await conn.execute("ROLLBACK")
            await add(conn, "bob")
    with pytest.raises(CatalogUnavailable, match="rolled back"):
        async with db.write() as conn:
            await add(conn, "alice")
            await conn.execute("ROLLBACK")
    assert await count(db) == 0


async def test_no_room(db: Database) -> None:
    """A full disk is an error that names it; the transaction is undone and the catalog goes on."""
    async with db.write() as conn:
        row = await conn.fetch_one("PRAGMA page_count")
        assert row is not None
        await conn.fetch_all(f"PRAGMA max_page_count = {row['page_count'] + 2}")
    with pytest.raises(CatalogUnavailable, match="full"):
        async with db.write() as conn:
            for number in range(100):
                await add(conn, "alice", "x" * 1000 + str(number))
    assert await count(db) == 0
    async with db.write() as conn:
        await add(conn, "bob", "short")
    assert await count(db) == 1


async def test_another_process_holds_the_lock(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that holds the catalog is waited for; too long is an error that says so."""
    async with db.write() as conn:
        await conn.fetch_all("PRAGMA busy_timeout = 200")
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogBusy):
        async with db.write() as conn:
            await add(conn, "alice")
    other.execute("ROLLBACK")
    async with db.write() as conn:
        await conn.fetch_all("PRAGMA busy_timeout = 60000")
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(_add_one(db))
    await asyncio.sleep(0.05)
    other.execute("ROLLBACK")
    other.close()
    await waiting
    assert await count(db) == 1


async def _add_one(db: Database) -> None:
    async with db.write() as conn:
        await add(conn, "alice")


async def test_settings_of_the_file(db: Database) -> None:
    """What is committed survives power loss (WAL with full sync), and references between tables are kept."""
    async with db.write() as conn:
        values = {
            name: next(iter((await conn.fetch_all(f"PRAGMA {name}"))[0].values()))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_no_catalog(tmp_path: Path) -> None:
    """A file that is no catalog, or cannot be opened, is an error with a hint, and no thread is left behind."""
    (tmp_path / "text").write_text("this is not a database, and long enough to be looked at as one " * 20)
    with pytest.raises(CatalogDamaged):
        await Database.open(tmp_path / "text")
    with pytest.raises(CatalogUnavailable):
        await Database.open(tmp_path / "no" / "such" / "folder")


async def test_closing(tmp_path: Path) -> None:
    """Closing waits for the transaction that runs; whoever comes later gets an error, nobody hangs."""
    db = await Database.open(tmp_path / "catalog.sqlite3")
    async with db.write() as conn:
        await conn.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, who TEXT, text TEXT)")
    inside = asyncio.Event()

    async def write() -> None:
        async with db.write() as conn:
            inside.set()
            await asyncio.sleep(0.05)
            await add(conn, "alice")

    task = asyncio.create_task(write())
    await inside.wait()
    await db.close()
    await task
    with pytest.raises(CatalogUnavailable, match="closed"):
        await _add_one(db)
    with pytest.raises(CatalogUnavailable, match="closed"):
        await count(db)
    with closing(sqlite3.connect(db.path)) as other:
        assert other.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    await db.close()
