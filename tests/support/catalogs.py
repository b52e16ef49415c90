"""Catalogs in which nothing is yet, made once and copied: a migration takes a process of its own each time."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from streamhost.db import migrate
from streamhost.host_basis import CATALOG_FILE
from streamhost.instance import Instance, open_instance


@cache
def _blank() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / CATALOG_FILE
        migrate.migrate(path)
        return path.read_bytes()


def blank(folder: Path) -> Path:
    """Put a catalog into a folder; where it lies."""
    path = folder / CATALOG_FILE
    path.touch(0o600)
    path.write_bytes(_blank())
    return path


def instance_at(data: Path) -> Instance:
    """The instance in a data directory, with a catalog."""
    instance = open_instance(data)
    if not (data / CATALOG_FILE).exists():
        blank(data)
    return instance
