"""Applies the steps to a catalog with sqlite-utils, each in a transaction together with the record that it was applied.

Imported only by the process that migrates: sqlite-utils costs 20 MB that a running server has no use for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from streamhost.db.migrations import SET, STEPS


def apply(path: Path, stop_before: str | None = None) -> None:
    """Apply every step that is still missing, in order, perhaps only those before `stop_before`."""
    migrations = Migrations(SET)
    for name in STEPS:
        migrations(name=name)(_step(import_module(f"{__package__}.{name}").SCRIPTS))
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        migrations.apply(Database(conn), stop_before=stop_before)


def _step(scripts: tuple[str, ...]) -> Callable[[Database], None]:
    def run(db: Database) -> None:
        for script in scripts:
            for statement in statements(script):
                db.conn.execute(statement)

    return run


def statements(script: str) -> Iterator[str]:
    """The statements of a script one by one, triggers whole (`executescript` would commit between them)."""
    statement = ""
    *parts, rest = script.split(";")
    for part in parts:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement or rest.strip():
        raise ValueError(f"unfinished statement: {(statement + rest).strip()}")
