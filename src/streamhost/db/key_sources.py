"""Rows of `key_sources`: by which key source the keys of a package were made. They go with the package."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.model.ids import PackageId


async def get(conn: Connection, package_id: PackageId) -> str | None:
    """The name of the source; None if nothing is noted."""
    row = await conn.fetch_one("SELECT name FROM key_sources WHERE package_id = :id", {"id": package_id})
    return row["name"] if row else None


async def note(conn: Connection, package_id: PackageId, name: str) -> None:
    """Note the source, for good; nothing is noted of a package that is gone."""
    await conn.execute(
        "INSERT INTO key_sources (package_id, name) SELECT id, :name FROM packages WHERE id = :id "
        "ON CONFLICT (package_id) DO NOTHING",
        {"id": package_id, "name": name},
    )
