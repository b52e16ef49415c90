"""Rows of `second_factors` and `recovery_codes`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId

_COLUMNS = ("user_id", "key_id", "salt", "created_at", "confirmed_at", "last_step")


@dataclass(frozen=True, slots=True)
class SecondFactorRow:
    """The second factor of a user, in force once it is confirmed. Its secret is not here: `salt` and the instance's
    key number `key_id` make it. `last_step` is the time step of the last code that was accepted."""

    user_id: UserId
    key_id: int
    salt: str
    created_at: Timestamp
    confirmed_at: Timestamp | None = None
    last_step: int = 0


async def get(conn: Connection, user_id: UserId) -> SecondFactorRow | None:
    """The second factor of a user, unconfirmed ones included."""
    row = await conn.fetch_one(f"SELECT {', '.join(_COLUMNS)} FROM second_factors WHERE user_id = :id", {"id": user_id})
    return SecondFactorRow(**row) if row else None


async def put(conn: Connection, row: SecondFactorRow) -> None:
    """Store a second factor in the place of the one before."""
    await remove(conn, row.user_id)
    await conn.execute(
        f"INSERT INTO second_factors ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)})",
        {name: getattr(row, name) for name in _COLUMNS},
    )


async def confirm(conn: Connection, user_id: UserId, now: Timestamp, step: int) -> bool:
    """Put it in force, the code of `step` being spent; False when it was in force already."""
    changed = await conn.execute(
        "UPDATE second_factors SET confirmed_at = :now, last_step = :step WHERE user_id = :id AND confirmed_at IS NULL",
        {"id": user_id, "now": now, "step": step},
    )
    return changed == 1


async def spend_step(conn: Connection, user_id: UserId, step: int) -> bool:
    """Spend the code of a time step; False when it, or a later one, was spent before."""
    changed = await conn.execute(
        "UPDATE second_factors SET last_step = :step WHERE user_id = :id AND last_step < :step",
        {"id": user_id, "step": step},
    )
    return changed == 1


async def remove(conn: Connection, user_id: UserId) -> bool:
    """Remove the second factor and its recovery codes; False when there was none."""
    await conn.execute("DELETE FROM recovery_codes WHERE user_id = :id", {"id": user_id})
    return await conn.execute("DELETE FROM second_factors WHERE user_id = :id", {"id": user_id}) == 1


async def replace_codes(conn: Connection, user_id: UserId, digests: Iterable[str]) -> None:
    """Store recovery codes, by digest, in the place of those before."""
    await conn.execute("DELETE FROM recovery_codes WHERE user_id = :id", {"id": user_id})
    for digest in digests:
        await conn.execute(
            "INSERT INTO recovery_codes (user_id, digest) VALUES (:id, :digest)", {"id": user_id, "digest": digest}
        )


async def spend_code(conn: Connection, user_id: UserId, digest: str, now: Timestamp) -> bool:
    """Spend a recovery code; False when it is none, or was spent before."""
    changed = await conn.execute(
        "UPDATE recovery_codes SET used_at = :now WHERE user_id = :id AND digest = :digest AND used_at IS NULL",
        {"id": user_id, "digest": digest, "now": now},
    )
    return changed == 1


async def codes_left(conn: Connection, user_id: UserId) -> int:
    """How many recovery codes have not been used."""
    row = await conn.fetch_one(
        "SELECT COUNT(*) AS n FROM recovery_codes WHERE user_id = :id AND used_at IS NULL", {"id": user_id}
    )
    return int(row["n"]) if row else 0
