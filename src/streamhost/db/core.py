"""Access to the catalog: one writer, a pool of readers, SQLite in WAL mode.

    async with db.read() as conn:
        row = await conn.fetch_one("SELECT * FROM videos WHERE id = :id", {"id": video_id})
    async with db.write() as conn:
        await conn.execute("UPDATE videos SET title = :title WHERE id = :id", {"title": title, "id": video_id})

Writers stand in one fair queue, so none ever meets "database is locked"; readers never wait for writers. Every
statement is one hop to a thread and back. A transaction that has been left without an exception is on disk: it survives
power loss.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import aiosqlite

from streamhost import log
from streamhost.db.changes import tables_of
from streamhost.db.errors import CatalogUnavailable, Misused, translated

T = TypeVar("T")
P = TypeVar("P")
Row = Mapping[str, Any]
Params = Mapping[str, Any]
Synchronous = Literal["FULL", "NORMAL"]

_NONE: Params = {}
_READERS = 4
_BUSY_MS = 30_000
"""How long the writer waits for another *process* (a command beside the server) to finish its transaction. A disk that
is worn or shared stalls for seconds at times, and a commit with it."""
_CACHE_KIB = 4096
"""Page cache of one connection; five of them stay below 20 MiB."""
_MMAP_BYTES = 64 * 1024**2
_JOURNAL_BYTES = 32 * 1024**2
"""To how much the write-ahead log is cut after a checkpoint."""
_SLOW_SECONDS = 1.0
"""A transaction that holds the writer for longer is named in the log: something else was awaited inside it."""

_logger = log.get("db")


class Connection(Protocol):
    """What row functions may do with a connection. Parameters are named, `:name` in the text.

    Raises `ConstraintViolated` for a broken rule, `CatalogUnavailable` (or one of its kinds) when the database fails,
    and `Misused` for a wrong statement or a write on a reading connection.
    """

    @property
    def writes(self) -> bool:
        """Whether this is the writing transaction, or a connection that only reads."""
        ...

    async def execute(self, sql: str, params: Params = ...) -> int:
        """Run a statement; how many rows it changed."""
        ...

    async def execute_many(self, sql: str, rows: Sequence[Params]) -> None:
        """Run a statement once for each of `rows`, in one hop."""
        ...

    async def fetch_one(self, sql: str, params: Params = ...) -> Row | None:
        """The first row by column name, or None. All rows are computed: limit the query where there can be many."""
        ...

    async def fetch_all(self, sql: str, params: Params = ...) -> list[Row]:
        """Every row by column name. For statements with RETURNING too."""
        ...

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, when and only when this transaction is on disk; it must return at once."""
        ...


class _Thread(aiosqlite.Connection):
    """An aiosqlite connection that runs a function of ours in its thread: several driver calls in one hop."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # a program that ends in a hurry does not wait for it; SQLite rolls back by itself

    def join(self) -> None:
        """Wait for the end of the thread, which was told to stop; else it might speak to a loop that is gone."""
        self._thread.join()

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            result: T = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]  # aiosqlite's hook
        except sqlite3.Error as error:
            raise translated(error) from error
        except ValueError as error:
            raise CatalogUnavailable("It has been closed.") from error
        return result


def _count(conn: sqlite3.Connection, sql: str, params: Params) -> int:
    cursor = conn.execute(sql, params)
    try:
        return cursor.rowcount
    finally:
        cursor.close()


def _each(conn: sqlite3.Connection, sql: str, rows: Sequence[Params]) -> None:
    conn.executemany(sql, rows).close()


def _rows(conn: sqlite3.Connection, sql: str, params: Params) -> list[Row]:
    cursor = conn.execute(sql, params)
    try:
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        cursor.close()


class _Statements:
    """The statements of `Connection`, on one thread: of one transaction where it writes, else each on its own."""

    def __init__(self, thread: _Thread, *, writes: bool) -> None:
        self._thread = thread
        self.writes = writes
        self._begun = False
        self._over = False
        self.callbacks: list[Callable[[], None]] = []
        self.tables: set[str] = set()
        """What the transaction has written to."""

    async def execute(self, sql: str, params: Params = _NONE) -> int:
        return await self._run(_count, sql, params)

    async def execute_many(self, sql: str, rows: Sequence[Params]) -> None:
        if rows:
            await self._run(_each, sql, rows)

    async def fetch_one(self, sql: str, params: Params = _NONE) -> Row | None:
        rows = await self._run(_rows, sql, params)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, params: Params = _NONE) -> list[Row]:
        return await self._run(_rows, sql, params)

    def after_commit(self, callback: Callable[[], None]) -> None:
        if not self.writes:
            raise Misused("Only a transaction of db.write() is ever committed.")
        self.callbacks.append(callback)

    async def _run(self, function: Callable[[sqlite3.Connection, str, P], T], sql: str, params: P) -> T:
        if self._over:
            raise Misused("This connection was used after its `async with` block.")
        if self.writes:
            self.tables |= tables_of(sql)

        def step(conn: sqlite3.Connection) -> T:
            if self.writes and not conn.in_transaction:
                if self._begun:
                    raise CatalogUnavailable("The transaction was rolled back by an earlier failure inside it.")
                conn.execute("BEGIN IMMEDIATE").close()
                self._begun = True
            return function(conn, sql, params)

        return await self._thread.run(step)

    async def end(self, how: Literal["COMMIT", "ROLLBACK"]) -> None:
        """Finish the transaction, whatever becomes of the asking task. Committing one that was lost raises."""
        self._over = True

        def step(conn: sqlite3.Connection) -> None:
            if conn.in_transaction:
                conn.execute(how).close()
            elif self._begun and how == "COMMIT":
                raise CatalogUnavailable("The transaction was rolled back by an earlier failure inside it.")

        await _surely(self._thread.run(step))

    def release(self) -> None:
        """Forbid further use; reading leaves nothing to be ended."""
        self._over = True


async def _surely(work: Awaitable[T]) -> T:
    """Wait until `work` is done even if this task is cancelled meanwhile; the cancellation is raised afterwards."""
    future = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            if future.cancelled():
                raise
            cancelled = error
        except Exception:
            break
    result = future.result()
    if cancelled is not None:
        raise _CancelledAfter(result) from cancelled
    return result


class _CancelledAfter(asyncio.CancelledError):
    """The task was cancelled while something that must not be torn was finished: it has been."""


class Database:
    """The catalog, opened. Made by `open`, ended by `close`; the schema is the business of `streamhost.db.migrate`."""

    def __init__(self, path: Path, writer: _Thread, readers: list[_Thread]) -> None:
        self.path = path
        self._writer = writer
        self._writing: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._readers = readers
        self._idle: asyncio.LifoQueue[_Thread] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)
        self._on_write: list[Callable[[frozenset[str]], None]] = []
        self._version: int | None = None

    @classmethod
    async def open(cls, path: Path, *, readers: int = _READERS, synchronous: Synchronous = "FULL") -> Database:
        """Open the catalog at `path` (made if missing). `synchronous` FULL: what is committed survives power loss.

        Raises `CatalogUnavailable` or one of its kinds."""
        opened: list[_Thread] = []
        try:
            for number in range(1 + readers):
                thread = await _connect(path)
                opened.append(thread)
                await thread.run(_pragmas(reads_only=number > 0, synchronous=synchronous))
        except sqlite3.Error as error:
            await _close(opened)
            raise translated(error) from error
        except BaseException:
            await _close(opened)
            raise
        return cls(path, opened[0], opened[1:])

    def on_write(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Have `listener` called after each commit with the tables that were written to; it must return at once."""
        self._on_write.append(listener)

    async def changed_elsewhere(self) -> bool:
        """Whether another connection than our writer has committed anything since this was last asked."""

        def version(conn: sqlite3.Connection) -> int:
            return int(conn.execute("PRAGMA data_version").fetchone()[0])

        before, self._version = self._version, await self._writer.run(version)
        return before != self._version

    async def close(self) -> None:
        """Wait for the transaction that runs, then close every connection. What waits behind it raises."""
        async with self._turn:
            await _close([*self._readers, self._writer])

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection that reads; each statement sees the newest committed state."""
        thread = await self._idle.get()
        conn = _Statements(thread, writes=False)
        try:
            yield conn
        finally:
            conn.release()
            self._idle.put_nowait(thread)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """The one writing transaction, in turn. Committed on leaving, rolled back on any exception and cancellation.

        Await nothing but the database inside: everybody else who writes is waiting. Raises `Misused` when the task
        already holds the writer (it would wait for itself)."""
        task = asyncio.current_task()
        if task is not None and self._writing is task:
            raise Misused("db.write() inside db.write(): pass the connection on instead.")
        async with self._turn:
            self._writing = task
            started = time.monotonic()
            conn = _Statements(self._writer, writes=True)
            try:
                yield conn
            except BaseException:
                self._writing = None
                await conn.end("ROLLBACK")
                raise
            try:
                await conn.end("COMMIT")
            except _CancelledAfter:
                self._committed(conn)
                raise
            except BaseException:
                await conn.end("ROLLBACK")
                raise
            finally:
                self._writing = None
                if (held := time.monotonic() - started) > _SLOW_SECONDS:
                    _logger.warning("A transaction held the catalog's writer for long", seconds=round(held, 3))
        self._committed(conn)

    def _committed(self, conn: _Statements) -> None:
        """Tell what was written before those are called who may look at it again."""
        tables = frozenset(conn.tables)
        _call([partial(listener, tables) for listener in self._on_write if tables])
        _call(conn.callbacks)


def _call(callbacks: Sequence[Callable[[], None]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            _logger.exception("A callback after a commit failed")


async def _connect(path: Path) -> _Thread:
    def connector() -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)

    thread = _Thread(connector)
    try:
        await thread
    except BaseException:
        await asyncio.to_thread(thread.join)
        raise
    return thread


def _pragmas(*, reads_only: bool, synchronous: Synchronous) -> Callable[[sqlite3.Connection], None]:
    def apply(conn: sqlite3.Connection) -> None:
        conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        if not reads_only:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute(f"PRAGMA synchronous = {synchronous}")
            conn.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        conn.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
        conn.execute("PRAGMA temp_store = MEMORY")
        if reads_only:
            conn.execute("PRAGMA query_only = ON")

    return apply


async def _close(threads: list[_Thread]) -> None:
    for thread in threads:
        with contextlib.suppress(sqlite3.Error, ValueError):
            await thread.close()
