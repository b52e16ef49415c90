"""Rows of `playback_events` and `playbacks`: what players reported, and what it amounts to for each session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import NOTHING, Device, PlaybackEvent, Source, Watching

FOLDED = "folded"
"""The mark up to which events were folded."""
_FACTS = ("id", "video_id", "viewer", "source", "device", "duration", "begun_at", "last_at")
_VIEWER = """CASE WHEN substr(:viewer, 1, 2) = 'u:' AND EXISTS
(SELECT 1 FROM history_pauses WHERE user_id = substr(:viewer, 3)) THEN '' ELSE :viewer END"""
"""Nobody, while somebody has paused their history."""
_OPEN = f"""
INSERT INTO playbacks ({", ".join(_FACTS)})
SELECT {", ".join(_VIEWER if name == "viewer" else ":" + name for name in _FACTS)}
WHERE EXISTS (SELECT 1 FROM videos WHERE id = :video_id)
ON CONFLICT (id) DO NOTHING
"""
_ADD = """
INSERT INTO playback_events (playback_id, seq, received_at, event) SELECT :playback_id, :seq, :received_at, :event
WHERE EXISTS (SELECT 1 FROM playbacks WHERE id = :playback_id)
ON CONFLICT (playback_id, seq) DO NOTHING
"""
_KEEP = "UPDATE playbacks SET watching = :watching, last_at = :last_at WHERE id = :id"
_MARK = """
INSERT INTO playback_marks (name, number) VALUES (:name, :number)
ON CONFLICT (name) DO UPDATE SET number = excluded.number
"""
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Playback:
    """One session of one video. `duration`: of the video when it began, in seconds, 0 if unknown."""

    id: str
    video_id: VideoId
    viewer: str
    source: Source
    device: Device
    duration: float
    begun_at: Timestamp
    last_at: Timestamp
    watching: Watching = NOTHING
    owner_id: UserId | None = None
    """Whose the video is; read along."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One event as it lies in the log."""

    number: int
    playback_id: str
    received_at: Timestamp
    event: PlaybackEvent


@dataclass(frozen=True, slots=True)
class Reported:
    """What one request brought: a session, perhaps known, and events of it, perhaps known too."""

    playback: Playback
    events: Sequence[PlaybackEvent]
    received_at: Timestamp


async def add(conn: Connection, reports: Sequence[Reported]) -> None:
    """Append to the log; what is there already, by session and sequence, is passed over, and so is what was
    reported of a video that is gone. Of whoever has paused their history no name is written."""
    opened = [{name: getattr(one.playback, name) for name in _FACTS} for one in reports]
    events = [
        {
            "playback_id": one.playback.id,
            "seq": event.seq,
            "received_at": one.received_at,
            "event": msgspec.json.encode(event).decode(),
        }
        for one in reports
        for event in one.events
    ]
    await conn.execute_many(_OPEN, opened)
    await conn.execute_many(_ADD, events)


async def after(conn: Connection, number: int, limit: int) -> list[Logged]:
    """The events that come after a number in the log."""
    sql = (
        "SELECT number, playback_id, received_at, event FROM playback_events "
        "WHERE number > :number ORDER BY number LIMIT :limit"
    )
    return [_logged(row) for row in await conn.fetch_all(sql, {"number": number, "limit": limit})]


async def of_playback(conn: Connection, playback_id: str, up_to: int, limit: int) -> list[PlaybackEvent]:
    """The events of a session with a number up to `up_to`, in no order; at most `limit`."""
    sql = (
        "SELECT number, playback_id, received_at, event FROM playback_events "
        "WHERE playback_id = :id AND number <= :number LIMIT :limit"
    )
    rows = await conn.fetch_all(sql, {"id": playback_id, "number": up_to, "limit": limit})
    return [_logged(row).event for row in rows]


def _logged(row: Mapping[str, Any]) -> Logged:
    event = msgspec.json.decode(row["event"], type=PlaybackEvent)
    return Logged(row["number"], row["playback_id"], row["received_at"], event)


async def playbacks(conn: Connection, ids: Collection[str]) -> dict[str, Playback]:
    """Sessions by their ids, with who owns the videos."""
    found: dict[str, Playback] = {}
    wanted = list(ids)
    names = ", ".join(f"p.{name}" for name in (*_FACTS, "watching"))
    for at in range(0, len(wanted), _TOGETHER):
        values = {f"i{n}": one for n, one in enumerate(wanted[at : at + _TOGETHER])}
        rows = await conn.fetch_all(
            f"SELECT {names}, v.owner_id FROM playbacks p JOIN videos v ON v.id = p.video_id "
            f"WHERE p.id IN ({', '.join(':' + name for name in values)})",
            values,
        )
        for row in rows:
            known = {name: row[name] for name in _FACTS} | {"owner_id": row["owner_id"]}
            watching = msgspec.json.decode(row["watching"], type=Watching)
            known |= {"source": Source(row["source"]), "device": Device(row["device"]), "watching": watching}
            found[row["id"]] = Playback(**known)
    return found


async def viewers(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Who watches in these sessions, as it is now: whoever clears their history takes their name off them."""
    found: dict[str, str] = {}
    wanted = list(ids)
    for at in range(0, len(wanted), _TOGETHER):
        values = {f"i{n}": one for n, one in enumerate(wanted[at : at + _TOGETHER])}
        sql = f"SELECT id, viewer FROM playbacks WHERE id IN ({', '.join(':' + name for name in values)})"
        found |= {row["id"]: row["viewer"] for row in await conn.fetch_all(sql, values)}
    return found


async def keep(conn: Connection, folded: Sequence[Playback]) -> None:
    """Write what sessions amount to now."""
    rows = [
        {"id": one.id, "last_at": one.last_at, "watching": msgspec.json.encode(one.watching).decode()} for one in folded
    ]
    await conn.execute_many(_KEEP, rows)


async def mark(conn: Connection, name: str = FOLDED) -> int:
    """The number that was noted under a name; 0 before the first."""
    row = await conn.fetch_one("SELECT number FROM playback_marks WHERE name = :name", {"name": name})
    return int(row["number"]) if row else 0


async def set_mark(conn: Connection, number: int, name: str = FOLDED) -> None:
    """Note a number."""
    await conn.execute(_MARK, {"name": name, "number": number})


async def behind(conn: Connection) -> int:
    """How many events wait to be folded, at most."""
    row = await conn.fetch_one("SELECT MAX(number) AS newest FROM playback_events", {})
    newest = int(row["newest"] or 0) if row else 0
    return max(0, newest - await mark(conn))


async def delete_before(conn: Connection, moment: Timestamp, limit: int) -> int:
    """Remove sessions whose last event came before a moment, at most `limit`, with their events; how many went."""
    sql = "DELETE FROM playbacks WHERE id IN (SELECT id FROM playbacks WHERE last_at < :before LIMIT :limit)"
    return await conn.execute(sql, {"before": moment, "limit": limit})
