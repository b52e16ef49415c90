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
    source_key: str | None = None
    """Which file it is made from; None: the one that its video names."""
    given_up_at: Timestamp | None = None
    """When the work on it ended before its end; its parts stay for a retry."""

    @property
    def underway(self) -> bool:
        """Whether it is being made."""
        return self.finished_at is None and self.given_up_at is None


@dataclass(frozen=True, slots=True)
class PartRow:
    """One piece of work for a package. `facts`: the JSON text of what came out, None until it is done; `weight`: its
    share of the whole."""

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
        "INSERT INTO packages (id, video_id, stage, recipe, created_at, finished_at, protection, replaces, "
        "source_key, given_up_at) VALUES (:id, :video_id, :stage, :recipe, :created_at, :finished_at, :protection, "
        ":replaces, :source_key, :given_up_at)",
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


async def weights(conn: Connection, package_id: PackageId) -> list[tuple[str, float, float]]:
    """Name, weight and progress (0..1) of every part."""
    sql = "SELECT name, weight, progress FROM package_parts WHERE package_id = :id"
    return [(row["name"], row["weight"], row["progress"]) for row in await conn.fetch_all(sql, {"id": package_id})]


async def give_up(conn: Connection, package_id: PackageId, now: Timestamp | None) -> None:
    """Note that nobody works on a package any more; None: somebody does again."""
    await conn.execute("UPDATE packages SET given_up_at = :now WHERE id = :id", {"id": package_id, "now": now})


async def restart_parts(conn: Connection, package_id: PackageId) -> None:
    """Parts that were not finished begin from nothing."""
    sql = "UPDATE package_parts SET progress = 0 WHERE package_id = :id AND done_at IS NULL"
    await conn.execute(sql, {"id": package_id})


async def given_up_before(conn: Connection, moment: Timestamp) -> list[PackageRow]:
    """Packages that were given up before a moment and never played."""
    sql = (
        "SELECT packages.* FROM packages JOIN videos ON videos.id = packages.video_id "
        "WHERE packages.given_up_at < :moment AND (videos.package_id IS NULL OR videos.package_id <> packages.id)"
    )
    return [_package(row) for row in await conn.fetch_all(sql, {"moment": moment})]
