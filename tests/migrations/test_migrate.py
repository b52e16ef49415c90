"""Bringing a catalog to this version: snapshots first, all or nothing, never backwards."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from streamhost.db import migrate as migrating
from streamhost.db.errors import CatalogDamaged, CatalogTooNew, CatalogUnavailable
from streamhost.db.migrate import MigrationFailed, copy, migrate, restore
from streamhost.db.migrations import STEPS, m0001_first, steps
from streamhost.model.clock import iso
from streamhost.model.errors import StreamhostError

ALICE = ("a", "alice@example.org", "alice@example.org", "Alice", "creator", "x", 1.0)
INSERT = "INSERT INTO users (id, email, email_key, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A catalog of this version with one user."""
    path = tmp_path / "data" / "catalog.sqlite3"
    assert migrate(path).applied == STEPS
    query(path, INSERT, ALICE)
    return path


def query(path: Path, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """One statement on a file, committed."""
    with closing(sqlite3.connect(path)) as conn, conn:
        return conn.execute(sql, values).fetchall()


def step(name: str, *scripts: str) -> ModuleType:
    """A made-up step."""
    module = ModuleType(f"streamhost.db.migrations.{name}")
    module.SCRIPTS = scripts  # type: ignore[attr-defined]
    return module


@pytest.fixture
def later_version(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make this process a later version that has these steps too; they run here, so that they can be made up."""

    def become(*modules: ModuleType) -> None:
        names = (*STEPS, *(module.__name__.rsplit(".", 1)[-1] for module in modules))
        for module in modules:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(migrating, "STEPS", names)
        monkeypatch.setattr(steps, "STEPS", names)
        monkeypatch.setattr(migrating, "_apply", steps.apply)

    return become


def test_new_catalog(tmp_path: Path) -> None:
    """A missing catalog is made, with its folder; there is nothing to take a snapshot of; a second run does nothing."""
    path = tmp_path / "new" / "catalog.sqlite3"
    first, second = migrate(path), migrate(path)
    assert (first.applied, first.snapshot) == (STEPS, None)
    assert (second.applied, second.snapshot) == ((), None)
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert not (path.parent / "snapshots").exists()
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_steps_are_in_order() -> None:
    """Every step is a module, numbered without a gap, the first is the first, and has its scripts."""
    assert STEPS[0] == "m0001_first"
    numbers = [int(name[1:5]) for name in STEPS]
    assert numbers == list(range(1, len(STEPS) + 1))
    assert m0001_first.SCRIPTS


def test_what_models_found_moves_to_its_package(tmp_path: Path) -> None:
    """What was found of a video before belongs to the set that it was found in; what belongs to none is gone."""
    path = tmp_path / "catalog.sqlite3"
    steps.apply(path, "m0020_new_files")
    query(path, INSERT, ALICE)
    for video in ("v", "w"):
        made = ("owner_id", "title", "visibility", "protection", "state", "created_at", "updated_at")
        values = ("a", "Film", "public", "none", "ready", 1.0, 1.0)
        query(path, f"INSERT INTO videos (id, {', '.join(made)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (video, *values))
        found = (video, f"package-{video}", "mark", "models", "nudity", "{}", 1.0)
        query(path, "INSERT INTO screenings VALUES (?, ?, ?, ?, ?, ?, ?)", found)
    query(path, "INSERT INTO packages (id, video_id, stage, recipe, created_at) VALUES ('package-v', 'v', '', '', 1)")
    assert migrate(path).applied[0] == "m0020_new_files"
    assert query(path, "SELECT package_id, video_id, mark FROM screenings") == [("package-v", "v", "mark")]


def test_snapshot_before_a_step(catalog: Path, later_version: Callable[..., None]) -> None:
    """Before a catalog with content is changed it is copied, whole, including what is only in its log."""
    held_open = sqlite3.connect(catalog)
    held_open.execute("PRAGMA wal_autocheckpoint = 0")
    held_open.execute("UPDATE users SET name = 'Alice in the log'")
    held_open.commit()
    later_version(step("m0002_second", "ALTER TABLE users ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"))
    done = migrate(catalog, clock=lambda: 1_700_000_000.5)
    held_open.close()
    assert done.applied == ("m0002_second",)
    assert done.snapshot == catalog.parent / "snapshots" / f"catalog-{STEPS[-1]}-20231114T221320500Z.sqlite3"
    assert query(done.snapshot, "SELECT name FROM users") == [("Alice in the log",)]
    assert "colour" not in {row[1] for row in query(done.snapshot, "PRAGMA table_info(users)")}
    assert query(catalog, "SELECT name, colour FROM users") == [("Alice in the log", "red")]
    for written in (done.snapshot, catalog.with_name(f".{catalog.name}.migrating")):
        assert written.stat().st_mode & 0o077 == 0
    assert [path.name for path in done.snapshot.parent.iterdir()] == [done.snapshot.name]


def test_old_snapshots_go(catalog: Path, later_version: Callable[..., None]) -> None:
    """The newest five snapshots are kept."""
    modules: list[ModuleType] = []
    for number in range(2, 10):
        modules.append(step(f"m{number:04}_more", f"CREATE TABLE more{number} (id TEXT);"))
        later_version(*modules)
        migrate(catalog, clock=lambda number=number: 1_700_000_000.0 + number)  # type: ignore[misc]
    names = sorted(path.name for path in (catalog.parent / "snapshots").iterdir())
    assert [name.split("-")[1] for name in names] == [f"m{number:04}_more" for number in range(4, 9)]


def test_of_snapshots_in_one_tick_the_later_stay(
    catalog: Path, later_version: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times of files are coarse: among those of one time a later step is newer, and of one step, on which upgrades
    failed again and again, what was written at a later moment, full second or not."""

    def copy_at_once(source: Path, target: Path) -> None:
        copy(source, target)
        os.utime(target, (0, 0))

    def kept() -> list[str]:
        return sorted(path.stem.partition("-")[2] for path in (catalog.parent / "snapshots").iterdir())

    monkeypatch.setattr(migrating, "copy", copy_at_once)
    modules: list[ModuleType] = []
    for number in range(995, 1003):
        modules.append(step(f"m{number:04}_more", f"CREATE TABLE more{number} (id TEXT);"))
        later_version(*modules)
        migrate(catalog, clock=lambda: 1_700_000_000.0)
    assert [name.split("-")[0] for name in kept()] == [f"m{number:04}_more" for number in range(997, 1002)]
    later_version(*modules, step("m1003_wrong", "INSERT INTO nowhere VALUES (1);"))
    moments = [float(1_700_000_038 + quarter / 4) for quarter in range(11)]
    for moment in moments:
        with pytest.raises(StreamhostError, match="nowhere"):
            migrate(catalog, clock=lambda moment=moment: moment)  # type: ignore[misc]
    last = [str(iso(moment)).translate(str.maketrans("", "", "-:.")) for moment in moments[-migrating.KEPT :]]
    assert kept() == [f"m1002_more-{moment}" for moment in last]


def test_failing_step(catalog: Path, later_version: Callable[..., None]) -> None:
    """A step that fails half-way changes nothing: its transaction is undone, and the snapshot is there."""
    later_version(
        step("m0002_second", "CREATE TABLE extra (id TEXT); DELETE FROM users; INSERT INTO nowhere VALUES (1);")
    )
    with pytest.raises(StreamhostError, match="nowhere"):
        migrate(catalog)
    assert query(catalog, "SELECT name FROM users") == [("Alice",)]
    assert query(catalog, "SELECT count(*) FROM sqlite_master WHERE name = 'extra'") == [(0,)]
    assert len(list((catalog.parent / "snapshots").iterdir())) == 1


def test_failing_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the process that migrates fails, its last words are in the error."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MigrationFailed, match="status 1"):
        migrate(tmp_path / "catalog.sqlite3")


def test_restoring(catalog: Path, later_version: Callable[..., None]) -> None:
    """An upgrade can be undone: the snapshot in the place of the catalog is the catalog as it was."""
    later_version(step("m0002_second", "DROP TABLE jobs; UPDATE users SET name = 'changed';"))
    snapshot = migrate(catalog).snapshot
    assert snapshot is not None
    restore(snapshot, catalog)
    assert query(catalog, "SELECT name FROM users") == [("Alice",)]
    assert query(catalog, "SELECT count(*) FROM jobs") == [(0,)]
    assert snapshot.exists()


def test_newer_catalog(catalog: Path) -> None:
    """A catalog with a step that this version does not know is left alone, with a clear error."""
    query(
        catalog,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('streamhost', 'm9999_future', '')",
    )
    before = catalog.read_bytes()
    with pytest.raises(CatalogTooNew, match="m9999_future") as refusal:
        migrate(catalog)
    assert "newer version" in (refusal.value.hint or "")
    assert catalog.read_bytes() == before


def test_damaged_catalog(catalog: Path) -> None:
    """A damaged file is found at the start, not in the middle of the night."""
    query(catalog, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(catalog.read_bytes())
    data[8192:20480] = bytes(12288)
    catalog.write_bytes(data)
    with pytest.raises(CatalogDamaged) as refusal:
        migrate(catalog)
    assert "snapshot" in (refusal.value.hint or "")


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(100)])
def test_something_else(tmp_path: Path, content: bytes) -> None:
    """A file that is no catalog is refused and left as it is."""
    path = tmp_path / "catalog.sqlite3"
    path.write_bytes(content)
    with pytest.raises(CatalogUnavailable):
        migrate(path)
    assert path.read_bytes() == content


def test_several_at_once(tmp_path: Path) -> None:
    """A server and commands that start at the same moment migrate once, and all of them find the catalog ready."""
    path = tmp_path / "catalog.sqlite3"
    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(lambda _: migrate(path).applied, range(5)))
    assert sorted(results) == [(), (), (), (), STEPS]


def test_statements() -> None:
    """A script is taken apart into statements, triggers whole; an unfinished one is an error."""
    script = (
        "CREATE TABLE a (x TEXT DEFAULT ';');\n CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;\n"
    )
    assert [text.split()[1] for text in steps.statements(script)] == ["TABLE", "TRIGGER"]
    assert list(steps.statements(" \n")) == []
    with pytest.raises(ValueError, match="unfinished"):
        list(steps.statements("CREATE TABLE a (x TEXT"))


def test_server_stays_lean(catalog: Path) -> None:
    """Looking whether a migration is needed, and even doing it, loads no sqlite-utils and no numpy into the process."""
    code = (
        "import sys; from pathlib import Path; from streamhost.db.migrate import migrate; "
        "migrate(Path(sys.argv[1])); migrate(Path(sys.argv[2])); "
        "print(sorted({'sqlite_utils', 'numpy', 'click'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(catalog), str(catalog.parent / "new.sqlite3")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == "[]"
