"""At every start, before the catalog is opened: is it sound, is it ours, does its schema need new steps?

Before a catalog that holds something is changed, it is copied into a snapshot, so that an upgrade can be undone.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from streamhost import log
from streamhost.db.errors import CatalogDamaged, CatalogTooNew, CatalogUnavailable, translated
from streamhost.db.migrations import SET, STEPS, TABLE
from streamhost.model.clock import Clock, iso, system_clock

KEPT = 5
"""How many snapshots are kept, the newest ones."""
_ALWAYS_CHECKED = 64 * 1024**2
"""Up to this size (bytes) the file is read through at every start, about 0.1 s; a larger one only before a change."""

SQLITE_VERSION = sqlite3.sqlite_version
_logger = log.get("db")


_PRIVATE = 0o600


class MigrationFailed(CatalogUnavailable):
    """The catalog could not be brought to this version; it was left as it was."""

    code = "migration_failed"
    permanent = True
    hint = "Install the version that ran before, and report the lines of the log."


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done: the steps that were applied, and the snapshot of the catalog as it was before."""

    applied: tuple[str, ...] = ()
    snapshot: Path | None = None


def migrate(path: Path, snapshots: Path | None = None, clock: Clock = system_clock) -> Migrated:
    """Make the catalog at `path` (created if missing) ready for this version.

    `snapshots`: the folder for copies, by default `snapshots` beside the catalog. Blocks; call it before anything runs.
    Raises `CatalogTooNew`, `CatalogDamaged`, `MigrationFailed`, `CatalogUnavailable`.
    """
    try:
        if not _missing(path):
            if path.stat().st_size <= _ALWAYS_CHECKED:
                _check(path)
            return Migrated()
        with _alone(path):
            missing = _missing(path)
            if not missing:
                return Migrated()
            # It holds addresses and password hashes: for its owner only, also in a directory that others may read.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
            _check(path)
            snapshot = _snapshot(path, snapshots or path.parent / "snapshots", clock)
            _apply(path)
            if _missing(path):
                raise MigrationFailed(f"Still missing: {', '.join(_missing(path))}.")
    except sqlite3.Error as error:
        raise translated(error) from error
    except OSError as error:
        raise CatalogUnavailable(f"{path}: {error.strerror}") from error
    _logger.info("The catalog was brought to this version", action="migrated", steps=missing, snapshot=str(snapshot))
    return Migrated(missing, snapshot)


def pending(path: Path) -> tuple[str, ...]:
    """The steps that a start would apply to the catalog at `path`. Raises `CatalogTooNew`, `CatalogUnavailable`."""
    try:
        return _missing(path)
    except sqlite3.Error as error:
        raise translated(error) from error


def restore(snapshot: Path, path: Path) -> None:
    """Put a snapshot in the place of the catalog. Only while nothing has the catalog open."""
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
    copy(snapshot, path)


def whole(path: Path) -> str:
    """Read a catalog that nothing else has open through and through; the newest step of its schema, empty if it has
    none. Raises `CatalogDamaged`, `CatalogTooNew`, `CatalogUnavailable`."""
    try:
        _missing(path)
        with closing(_open(path)) as conn:
            problems = [row[0] for row in conn.execute("PRAGMA integrity_check(3)")]
            broken = conn.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise translated(error) from error
    if problems != ["ok"]:
        raise CatalogDamaged("; ".join(problems))
    if broken is not None:
        raise CatalogDamaged(f"A row of {broken[0]} names one of {broken[2]} that is not there.")
    return _applied(path)[-1] if _applied(path) else ""


def _applied(path: Path) -> tuple[str, ...]:
    if not path.exists():
        return ()
    with closing(_open(path)) as conn:
        known = conn.execute("SELECT 1 FROM sqlite_master WHERE name = :name", {"name": TABLE}).fetchone()
        if not known:
            return ()
        rows = conn.execute(f"SELECT name FROM {TABLE} WHERE migration_set = :set ORDER BY id", {"set": SET})
        return tuple(row[0] for row in rows)


def _missing(path: Path) -> tuple[str, ...]:
    applied = _applied(path)
    if unknown := [name for name in applied if name not in STEPS]:
        raise CatalogTooNew(f"Unknown here: {', '.join(unknown)}.")
    return tuple(name for name in STEPS if name not in applied)


def _check(path: Path) -> None:
    if not path.exists():
        return
    with closing(_open(path)) as conn:
        problems = [row[0] for row in conn.execute("PRAGMA quick_check(3)")]
    if problems != ["ok"]:
        raise CatalogDamaged("; ".join(problems))


def _snapshot(path: Path, folder: Path, clock: Clock) -> Path | None:
    """A copy of the catalog as it is, on disk for good; None when it holds nothing yet."""
    applied = _applied(path)
    if not applied:
        return None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    moment = str(iso(clock())).replace("-", "").replace(":", "").replace(".", "")
    target = folder / f"{path.stem}-{applied[-1]}-{moment}{path.suffix}"
    copy(path, target)
    # Times of files are as coarse as the system's ticks; of two in one tick the later step is the newer.
    kept = sorted(folder.glob(f"{path.stem}-*{path.suffix}"), key=lambda p: (p.stat().st_mtime_ns, p.name))
    for old in kept[:-KEPT]:
        old.unlink()
    return target


def copy(source: Path, target: Path) -> None:
    """Copy a catalog, with what is still in its log, so that `target` appears whole and on disk.

    One state of it, however much is written meanwhile; nobody waits. Blocks."""
    temporary = target.with_name(f".{target.name}.part")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(_open(source)) as old, closing(sqlite3.connect(temporary)) as new:
        old.backup(new)
    _sync(temporary)
    temporary.replace(target)
    _sync(target.parent)


def _apply(path: Path) -> None:
    """Run the steps in a process of their own, which takes sqlite-utils and its memory away with it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "streamhost.db.migrations", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        _logger.error("A migration failed", action="migration_failed", output=done.stderr)
        raise MigrationFailed((done.stderr.strip() or f"status {done.returncode}").splitlines()[-1])


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=10)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process looks and migrates at a time: a command may be started beside a server that starts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(f".{path.name}.migrating"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    try:
        os.fchmod(lock, _PRIVATE)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
