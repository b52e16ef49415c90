"""What can go wrong with the catalog, in words; drivers' own exceptions never leave this package."""

from __future__ import annotations

import sqlite3

from streamhost.model.errors import StreamhostError


class CatalogUnavailable(StreamhostError):
    """The catalog did not do what it was asked to."""

    code = "catalog_unavailable"
    hint = "Look at free space, permissions and the health of the disk that holds the catalog."


class CatalogBusy(CatalogUnavailable):
    """Another program holds the catalog's write lock for too long."""

    code = "catalog_busy"
    hint = "Close other programs that have the catalog open, then try again."


class CatalogDamaged(CatalogUnavailable):
    """The catalog file is damaged."""

    code = "catalog_damaged"
    permanent = True
    hint = "Stop the server and restore the newest snapshot from the directory `snapshots` beside the catalog."


class CatalogTooNew(CatalogUnavailable):
    """The catalog was written by a newer version of streamhost, so this version leaves it alone."""

    code = "catalog_too_new"
    permanent = True
    hint = "Install the newer version again, or restore the snapshot that it took before it changed the catalog."


class ConstraintViolated(StreamhostError):
    """That would break a rule of the catalog, such as two rows with one name."""

    code = "constraint_violated"
    permanent = True


class Misused(StreamhostError):
    """The program used the catalog in a way that cannot work."""

    code = "catalog_misused"
    permanent = True


def translated(error: sqlite3.Error) -> StreamhostError:
    """The error of this package that stands for one of the driver's."""
    name = getattr(error, "sqlite_errorname", "") or ""
    detail = f"{error} ({name})" if name else str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintViolated(str(error))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CatalogBusy(detail)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return CatalogDamaged(detail)
    if name.startswith(("SQLITE_ERROR", "SQLITE_READONLY", "SQLITE_MISUSE", "SQLITE_RANGE")) or not name:
        return Misused(detail)
    return CatalogUnavailable(detail)
