"""Rows of `deliveries`: notices on their way by channels that somebody else runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.db.notices import dumps, loads
from streamhost.model.clock import Timestamp
from streamhost.model.ids import DeliveryId
from streamhost.model.notices import Delivery, DeliveryState

_COLUMNS = (
    "id",
    "target",
    "notice",
    "queued_at",
    "created_at",
    "state",
    "attempts",
    "next_at",
    "ended_at",
    "error_code",
    "error_detail",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM deliveries"
_INSERT = f"""
INSERT INTO deliveries ({", ".join(_COLUMNS)}, kind)
VALUES ({", ".join(":" + name for name in _COLUMNS)}, :kind)
"""


def _delivery(row: Mapping[str, Any]) -> Delivery:
    values = {name: row[name] for name in _COLUMNS}
    return Delivery(**values | {"notice": loads(row["notice"]), "state": DeliveryState(row["state"])})


async def insert(conn: Connection, delivery: Delivery) -> None:
    """Add a delivery."""
    values: dict[str, Any] = {name: getattr(delivery, name) for name in _COLUMNS}
    values |= {"notice": dumps(delivery.notice), "kind": delivery.notice.kind, "state": delivery.state.value}
    await conn.execute(_INSERT, values)


async def get(conn: Connection, delivery_id: DeliveryId) -> Delivery | None:
    """One delivery."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": delivery_id})
    return _delivery(row) if row else None


async def listed(
    conn: Connection, target: str, limit: int, state: DeliveryState | None = None, since: Timestamp = 0.0
) -> list[Delivery]:
    """Deliveries to a target since a moment, newest first, perhaps in one state."""
    sql = f"{_SELECT} WHERE target = :target AND created_at >= :since AND (:state IS NULL OR state = :state)"
    values = {"target": target, "since": since, "state": state.value if state else None, "limit": limit}
    rows = await conn.fetch_all(f"{sql} ORDER BY created_at DESC, id LIMIT :limit", values)
    return [_delivery(row) for row in rows]


async def counts(conn: Connection) -> dict[str, dict[DeliveryState, int]]:
    """How many deliveries to each target are in each state."""
    rows = await conn.fetch_all("SELECT target, state, COUNT(*) AS n FROM deliveries GROUP BY target, state", {})
    found: dict[str, dict[DeliveryState, int]] = {}
    for row in rows:
        found.setdefault(row["target"], {})[DeliveryState(row["state"])] = int(row["n"])
    return found


async def delivered(conn: Connection, delivery_id: DeliveryId, now: Timestamp) -> bool:
    """Note that one has arrived; False if it was not waiting."""
    sql = """UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, ended_at = :now, next_at = NULL,
        error_code = NULL, error_detail = NULL WHERE id = :id AND state = 'waiting'"""
    return await conn.execute(sql, {"id": delivery_id, "now": now}) == 1


async def failed(conn: Connection, delivery_id: DeliveryId, next_at: Timestamp, code: str, detail: str) -> bool:
    """Note an attempt in vain, and when the next one is; False if it was not waiting."""
    sql = """UPDATE deliveries SET attempts = attempts + 1, next_at = :next, error_code = :code, error_detail = :detail
        WHERE id = :id AND state = 'waiting'"""
    return await conn.execute(sql, {"id": delivery_id, "next": next_at, "code": code, "detail": detail}) == 1


async def postponed(conn: Connection, delivery_id: DeliveryId, next_at: Timestamp) -> bool:
    """Note that one is tried later; False if it was not waiting."""
    sql = "UPDATE deliveries SET next_at = :next WHERE id = :id AND state = 'waiting'"
    return await conn.execute(sql, {"id": delivery_id, "next": next_at}) == 1


async def give_up(
    conn: Connection, delivery_id: DeliveryId, now: Timestamp, code: str, detail: str, *, tried: bool
) -> bool:
    """Put a waiting one with the dead letters; False if it was not waiting. `tried`: it has just been in vain."""
    sql = """UPDATE deliveries SET state = 'dead', attempts = attempts + :tried, ended_at = :now, next_at = NULL,
        error_code = :code, error_detail = :detail WHERE id = :id AND state = 'waiting'"""
    values = {"id": delivery_id, "now": now, "code": code, "detail": detail, "tried": int(tried)}
    return await conn.execute(sql, values) == 1


async def give_up_all(conn: Connection, target: str, now: Timestamp, code: str, detail: str) -> int:
    """Put everything that waits for a target with the dead letters; how many."""
    sql = """UPDATE deliveries SET state = 'dead', ended_at = :now, next_at = NULL, error_code = :code,
        error_detail = :detail WHERE target = :target AND state = 'waiting'"""
    return await conn.execute(sql, {"target": target, "now": now, "code": code, "detail": detail})


async def requeue(conn: Connection, delivery_id: DeliveryId, now: Timestamp) -> bool:
    """Let one that has ended wait again, with all its attempts; False if it waits or is not there."""
    sql = """UPDATE deliveries SET state = 'waiting', attempts = 0, queued_at = :now, next_at = :now, ended_at = NULL,
        error_code = NULL, error_detail = NULL WHERE id = :id AND state <> 'waiting'"""
    return await conn.execute(sql, {"id": delivery_id, "now": now}) == 1


async def delete_target(conn: Connection, target: str) -> None:
    """Forget everything about a target."""
    await conn.execute("DELETE FROM deliveries WHERE target = :target", {"target": target})


async def prune(conn: Connection, state: DeliveryState, before: Timestamp) -> int:
    """Forget what ended in a state before a moment; how many."""
    sql = "DELETE FROM deliveries WHERE state = :state AND ended_at < :before"
    return await conn.execute(sql, {"state": state.value, "before": before})
