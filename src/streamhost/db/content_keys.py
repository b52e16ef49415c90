"""Rows of `content_keys`: the keys of packages, wrapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. `place` is its place among the keys of its package, `wrapping_key` the id of the key that wraps it."""

    kid: str
    package_id: PackageId
    place: int
    wrapping_key: int
    wrapped: str
    created_at: Timestamp


def _row(row: Mapping[str, Any]) -> KeyRow:
    return KeyRow(**{name: row[name] for name in KeyRow.__dataclass_fields__})


async def insert(conn: Connection, key: KeyRow) -> None:
    """Add a key."""
    await conn.execute(
        "INSERT INTO content_keys (kid, package_id, place, wrapping_key, wrapped, created_at) "
        "VALUES (:kid, :package_id, :place, :wrapping_key, :wrapped, :created_at)",
        {name: getattr(key, name) for name in KeyRow.__dataclass_fields__},
    )


async def of_package(conn: Connection, package_id: PackageId) -> list[KeyRow]:
    """The keys of a package, by place."""
    sql = "SELECT * FROM content_keys WHERE package_id = :id ORDER BY place"
    return [_row(row) for row in await conn.fetch_all(sql, {"id": package_id})]


async def all_of(conn: Connection) -> list[KeyRow]:
    """Every key."""
    return [_row(row) for row in await conn.fetch_all("SELECT * FROM content_keys ORDER BY kid")]


async def wrapped_otherwise(conn: Connection, wrapping_key: int) -> list[KeyRow]:
    """Every key that is wrapped by another key than this."""
    sql = "SELECT * FROM content_keys WHERE wrapping_key <> :id ORDER BY kid"
    return [_row(row) for row in await conn.fetch_all(sql, {"id": wrapping_key})]


async def rewrap(conn: Connection, kid: str, wrapping_key: int, wrapped: str) -> None:
    """Replace how a key is wrapped."""
    await conn.execute(
        "UPDATE content_keys SET wrapping_key = :id, wrapped = :wrapped WHERE kid = :kid",
        {"id": wrapping_key, "wrapped": wrapped, "kid": kid},
    )


async def counts(conn: Connection) -> Sequence[tuple[int, int, int]]:
    """For each wrapping key: its id, how many keys it wraps, and of how many packages."""
    sql = (
        "SELECT wrapping_key, COUNT(*) AS keys, COUNT(DISTINCT package_id) AS packages "
        "FROM content_keys GROUP BY wrapping_key ORDER BY wrapping_key"
    )
    return [(row["wrapping_key"], row["keys"], row["packages"]) for row in await conn.fetch_all(sql, {})]
