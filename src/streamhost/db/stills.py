"""Rows of `stills` and `posters`: what was taken out of a video's pictures, and which one its owner chose."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, VideoId


@dataclass(frozen=True, slots=True)
class Choice:
    """The poster that an owner chose: where it is stored, and the candidate's time in seconds (None: it was sent)."""

    set_id: PackageId
    at: float | None


async def save(conn: Connection, package_id: PackageId, facts: str) -> None:
    """Keep what was found while a package was made; `facts` is the JSON text of `Stills`."""
    sql = (
        "INSERT INTO stills (package_id, facts) VALUES (:package, :facts) "
        "ON CONFLICT (package_id) DO UPDATE SET facts = :facts"
    )
    await conn.execute(sql, {"package": package_id, "facts": facts})


async def of_package(conn: Connection, package_id: PackageId) -> str | None:
    """The JSON text of a package's `Stills`, None while they are being made or if it has none."""
    row = await conn.fetch_one("SELECT facts FROM stills WHERE package_id = :id", {"id": package_id})
    return row["facts"] if row else None


async def exist(conn: Connection, package_id: PackageId) -> bool:
    """Whether a package has its stills, and with them its storyboard."""
    return await conn.fetch_one("SELECT 1 FROM stills WHERE package_id = :id", {"id": package_id}) is not None


async def chosen(conn: Connection, video_id: VideoId) -> Choice | None:
    """The owner's choice, None while there is none."""
    row = await conn.fetch_one("SELECT set_id, at FROM posters WHERE video_id = :id", {"id": video_id})
    return Choice(PackageId(row["set_id"]), row["at"]) if row else None


async def choose(conn: Connection, video_id: VideoId, choice: Choice, now: Timestamp) -> None:
    """Make this the owner's choice."""
    sql = (
        "INSERT INTO posters (video_id, set_id, at, chosen_at) VALUES (:video, :set_id, :at, :now) "
        "ON CONFLICT (video_id) DO UPDATE SET set_id = :set_id, at = :at, chosen_at = :now"
    )
    await conn.execute(sql, {"video": video_id, "set_id": choice.set_id, "at": choice.at, "now": now})


async def unchoose(conn: Connection, video_id: VideoId) -> None:
    """Leave the choice to the house again."""
    await conn.execute("DELETE FROM posters WHERE video_id = :id", {"id": video_id})
