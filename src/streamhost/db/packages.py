"""Rows of `packages` and `package_parts`: how far the making of a stored set has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.videos import Protection


@dataclass(frozen=True, slots=True)
class PackageRow:
    """One stored set in the making, or made. `recipe` is the JSON text of its maker.

    A package that `replaces` another one is made from that one's segments."""

    id: PackageId
    video_id: VideoId
    stage: str
    recipe: str
    created_at: Timestamp
    finished_at: Timestamp | None
    protection: Protection = Protection.NONE
    replaces: PackageId | None = None


@dataclass(frozen=True, slots=True)
class PartRow:
    """One piece of work for a package. `facts`: the JSON text of what came out; `weight`: its share of the whole."""

    name: str
    stage: str
    weight: float
    progress: float = 0.0
    facts: str | None = None
    done_at: Timestamp | None = None


def _package(row: Mapping[str, Any]) -> PackageRow:
    values = {name: row[name] for name in PackageRow.__dataclass_fields__}
    return PackageRow(**{**values, "protection": Protection(row["protection"])})


async def insert(conn: Connection, package: PackageRow) -> None:
    """Add a package."""
    await conn.execute(
        "INSERT INTO packages (id, video_id, stage, recipe, created_at, finished_at, protection, replaces) "
        "VALUES (:id, :video_id, :stage, :recipe, :created_at, :finished_at, :protection, :replaces)",
        {name: getattr(package, name) for name in PackageRow.__dataclass_fields__}
        | {"protection": package.protection.value},
    )


async def get(conn: Connection, package_id: PackageId) -> PackageRow | None:
    """One package, None if it is gone (its video was deleted)."""
    row = await conn.fetch_one("SELECT * FROM packages WHERE id = :id", {"id": package_id})
    return _package(row) if row else None


async def of_video(conn: Connection, video_id: VideoId) -> list[PackageRow]:
    """All packages of a video, oldest first."""
    sql = "SELECT * FROM packages WHERE video_id = :id ORDER BY created_at, id"
    return [_package(row) for row in await conn.fetch_all(sql, {"id": video_id})]


async def change(
    conn: Connection, package_id: PackageId, *, stage: str, recipe: str, finished_at: Timestamp | None = None
) -> None:
    """Move a package on."""
    await conn.execute(
        "UPDATE packages SET stage = :stage, recipe = :recipe, finished_at = :finished WHERE id = :id",
        {"id": package_id, "stage": stage, "recipe": recipe, "finished": finished_at},
    )


async def delete(conn: Connection, package_id: PackageId) -> None:
    """Forget a package and its parts."""
    await conn.execute("DELETE FROM packages WHERE id = :id", {"id": package_id})


async def add_parts(conn: Connection, package_id: PackageId, parts: Sequence[PartRow]) -> None:
    """Add work; a part that is there already stays as it is."""
    for part in parts:
        await conn.execute(
            "INSERT INTO package_parts (package_id, name, stage, weight) VALUES (:package, :name, :stage, :weight) "
            "ON CONFLICT (package_id, name) DO NOTHING",
            {"package": package_id, "name": part.name, "stage": part.stage, "weight": part.weight},
        )


async def parts(conn: Connection, package_id: PackageId) -> list[PartRow]:
    """Every part of a package, by name."""
    sql = "SELECT name, stage, weight, progress, facts, done_at FROM package_parts WHERE package_id = :id ORDER BY name"
    return [PartRow(**dict(row)) for row in await conn.fetch_all(sql, {"id": package_id})]


async def part_done(conn: Connection, package_id: PackageId, name: str, facts: str, now: Timestamp) -> bool:
    """Record what a part made; False if it was done before or does not exist any more."""
    sql = (
        "UPDATE package_parts SET facts = :facts, progress = 1, done_at = :now "
        "WHERE package_id = :package AND name = :name AND done_at IS NULL"
    )
    return await conn.execute(sql, {"facts": facts, "now": now, "package": package_id, "name": name}) == 1


async def part_undone(conn: Connection, package_id: PackageId, name: str) -> None:
    """Have a part done once more."""
    sql = (
        "UPDATE package_parts SET facts = NULL, progress = 0, done_at = NULL "
        "WHERE package_id = :package AND name = :name"
    )
    await conn.execute(sql, {"package": package_id, "name": name})


async def part_progress(conn: Connection, package_id: PackageId, name: str, progress: float) -> None:
    """Record how far an unfinished part is (0..1)."""
    await conn.execute(
        "UPDATE package_parts SET progress = :progress "
        "WHERE package_id = :package AND name = :name AND done_at IS NULL",
        {"progress": progress, "package": package_id, "name": name},
    )


async def work_done(conn: Connection, package_id: PackageId) -> tuple[float, float]:
    """The weight of what is done, and of all parts known so far."""
    row = await conn.fetch_one(
        "SELECT COALESCE(SUM(weight * progress), 0) AS done, COALESCE(SUM(weight), 0) AS known "
        "FROM package_parts WHERE package_id = :id",
        {"id": package_id},
    )
    return (float(row["done"]), float(row["known"])) if row else (0.0, 0.0)
