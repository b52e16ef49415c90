"""Rows of `users`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from streamhost.db.core import Connection
from streamhost.model.accounts import Role, User, email_key
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId

COLUMNS = ("id", "email", "name", "role", "password_hash", "created_at", "email_verified_at", "disabled_at")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM users"
_INSERT = f"""
INSERT INTO users ({", ".join(COLUMNS)}, email_key)
VALUES ({", ".join(":" + name for name in COLUMNS)}, :email_key)
ON CONFLICT (email_key) DO NOTHING
"""


def user_of(row: Mapping[str, Any]) -> User:
    """The user in a row that has all of `COLUMNS`."""
    return User(**{name: row[name] for name in COLUMNS} | {"role": Role(row["role"])})


async def insert(conn: Connection, user: User) -> bool:
    """Add a user; False, and nothing changed, when the address has an account already."""
    values = {name: getattr(user, name) for name in COLUMNS}
    values |= {"role": user.role.value, "email_key": email_key(user.email)}
    return await conn.execute(_INSERT, values) == 1


async def get(conn: Connection, user_id: UserId) -> User | None:
    """The user with this id."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": user_id})
    return user_of(row) if row else None


async def by_email(conn: Connection, email: str) -> User | None:
    """The user with this address, however it is spelt."""
    row = await conn.fetch_one(f"{_SELECT} WHERE email_key = :key", {"key": email_key(email)})
    return user_of(row) if row else None


async def everybody(conn: Connection) -> list[User]:
    """All users, oldest first."""
    return [user_of(row) for row in await conn.fetch_all(f"{_SELECT} ORDER BY created_at, id", {})]


async def with_roles(conn: Connection, roles: Collection[Role]) -> list[User]:
    """Everybody with one of some roles whose account is open and whose address is verified, oldest first."""
    names = {f"r{number}": role.value for number, role in enumerate(roles)}
    sql = f"""{_SELECT} WHERE role IN ({", ".join(":" + name for name in names)})
        AND disabled_at IS NULL AND email_verified_at IS NOT NULL ORDER BY created_at, id"""
    return [user_of(row) for row in await conn.fetch_all(sql, names)]


async def has_admin(conn: Connection) -> bool:
    """Whether any account is an admin's, disabled ones included."""
    found = await conn.fetch_one("SELECT 1 AS found FROM users WHERE role = :role LIMIT 1", {"role": Role.ADMIN.value})
    return found is not None


async def other_admins(conn: Connection, user_id: UserId) -> int:
    """How many admins besides this user can sign in."""
    row = await conn.fetch_one(
        "SELECT COUNT(*) AS n FROM users WHERE role = :role AND id <> :id "
        "AND disabled_at IS NULL AND email_verified_at IS NOT NULL",
        {"role": Role.ADMIN.value, "id": user_id},
    )
    return int(row["n"]) if row else 0


async def delete(conn: Connection, user_id: UserId) -> None:
    """Remove a user, with everything that is theirs."""
    await conn.execute("DELETE FROM users WHERE id = :id", {"id": user_id})


async def set_role(conn: Connection, user_id: UserId, role: Role) -> None:
    """Change what a user may do."""
    await conn.execute("UPDATE users SET role = :role WHERE id = :id", {"role": role.value, "id": user_id})


async def set_disabled(conn: Connection, user_id: UserId, moment: Timestamp | None) -> None:
    """Shut an account from `moment` on, or open it again with None."""
    await conn.execute("UPDATE users SET disabled_at = :moment WHERE id = :id", {"moment": moment, "id": user_id})


async def replace_hash(conn: Connection, user_id: UserId, old: str, new: str) -> bool:
    """Store the same password hashed anew; False when the password has been changed in the meantime."""
    changed = await conn.execute(
        "UPDATE users SET password_hash = :new WHERE id = :id AND password_hash = :old",
        {"new": new, "old": old, "id": user_id},
    )
    return changed == 1


async def set_hash(conn: Connection, user_id: UserId, new: str) -> None:
    """Store another password."""
    await conn.execute("UPDATE users SET password_hash = :new WHERE id = :id", {"new": new, "id": user_id})


async def set_name(conn: Connection, user_id: UserId, name: str) -> None:
    """Change what others see."""
    await conn.execute("UPDATE users SET name = :name WHERE id = :id", {"name": name, "id": user_id})


async def set_email(conn: Connection, user_id: UserId, email: str, moment: Timestamp) -> bool:
    """Change to another address, verified at `moment`; False, and nothing changed, when it has an account already."""
    changed = await conn.execute(
        "UPDATE users SET email = :email, email_key = :key, email_verified_at = :moment WHERE id = :id "
        "AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email_key = :key AND other.id <> :id)",
        {"email": email, "key": email_key(email), "moment": moment, "id": user_id},
    )
    return changed == 1


async def verify(conn: Connection, user_id: UserId, moment: Timestamp) -> bool:
    """Take the address as verified from `moment` on; False when it was before."""
    changed = await conn.execute(
        "UPDATE users SET email_verified_at = :moment WHERE id = :id AND email_verified_at IS NULL",
        {"moment": moment, "id": user_id},
    )
    return changed == 1


async def found(conn: Connection, text: str, limit: int, after: tuple[Timestamp, UserId] | None = None) -> list[User]:
    """Users whose address or name holds `text`, oldest first, from the one behind `after` on."""
    moment, last = after or (-1.0, UserId(""))
    pattern = "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await conn.fetch_all(
        f"{_SELECT} WHERE (email_key LIKE :pattern ESCAPE '\\' OR LOWER(name) LIKE :pattern ESCAPE '\\') "
        "AND (created_at > :moment OR (created_at = :moment AND id > :last)) "
        "ORDER BY created_at, id LIMIT :limit",
        {"pattern": pattern, "moment": moment, "last": last, "limit": limit},
    )
    return [user_of(row) for row in rows]
