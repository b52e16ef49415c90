"""Rows of `storage_places`: in which storages objects may lie, and which one is being emptied."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A storage in which objects may lie; the one with the latest `since` takes what is new. `moving_to` names the one
    that it is emptied into."""

    name: str
    since: Timestamp
    moving_to: str | None = None
    moving_since: Timestamp | None = None
    moved_objects: int = 0
    moved_bytes: int = 0


async def all_of(conn: Connection) -> list[PlaceRow]:
    """Every place, by name."""
    return [PlaceRow(**dict(row)) for row in await conn.fetch_all("SELECT * FROM storage_places ORDER BY name")]


async def add(conn: Connection, name: str, now: Timestamp) -> None:
    """Note that objects may lie in a storage; nothing changes if that is known."""
    sql = "INSERT INTO storage_places (name, since) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING"
    await conn.execute(sql, {"name": name, "now": now})


async def takes_new(conn: Connection, name: str, now: Timestamp) -> None:
    """Note that a storage, and no other one, takes what is new from now on: its `since` is the latest."""
    await add(conn, name, now)
    await conn.execute("UPDATE storage_places SET since = :now WHERE name = :name", {"name": name, "now": now})


async def moving(conn: Connection, name: str, to: str, now: Timestamp) -> None:
    """Note that a place is being emptied; one that was begun for the same target goes on counting."""
    await conn.execute(
        "UPDATE storage_places SET moved_objects = CASE WHEN moving_to = :to THEN moved_objects ELSE 0 END, "
        "moved_bytes = CASE WHEN moving_to = :to THEN moved_bytes ELSE 0 END, "
        "moving_since = CASE WHEN moving_to = :to THEN moving_since ELSE :now END, moving_to = :to "
        "WHERE name = :name",
        {"name": name, "to": to, "now": now},
    )


async def moved(conn: Connection, name: str, objects: int, size: int) -> None:
    """Count objects that have left a place, and their bytes."""
    sql = "UPDATE storage_places SET moved_objects = moved_objects + :objects, moved_bytes = moved_bytes + :size "
    await conn.execute(sql + "WHERE name = :name", {"name": name, "objects": objects, "size": size})


async def emptied(conn: Connection, name: str) -> None:
    """Forget a place: nothing is there any more."""
    await conn.execute("DELETE FROM storage_places WHERE name = :name", {"name": name})
