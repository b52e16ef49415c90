"""Rows of `api_tokens`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamhost.db import users
from streamhost.db.core import Connection
from streamhost.model.accounts import ApiToken, Scope, User
from streamhost.model.clock import Timestamp
from streamhost.model.ids import TokenId, UserId

_COLUMNS = ("id", "user_id", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
_BOTH = [f"api_tokens.{name} AS token_{name}" for name in _COLUMNS] + [f"users.{name}" for name in users.COLUMNS]
_WITH_USER = f"""
SELECT {", ".join(_BOTH)}
FROM api_tokens JOIN users ON users.id = api_tokens.user_id
WHERE api_tokens.digest = :digest
"""


def _token(row: Mapping[str, Any], prefix: str = "") -> ApiToken:
    values = {name: row[prefix + name] for name in _COLUMNS}
    return ApiToken(**values | {"scopes": frozenset(map(Scope, values["scopes"].split()))})


async def insert(conn: Connection, token: ApiToken, digest: str) -> None:
    """Add a token; `digest` is its SHA-256."""
    values = {name: getattr(token, name) for name in _COLUMNS}
    values |= {"scopes": " ".join(scope for scope in Scope if scope in token.scopes), "digest": digest}
    names = (*_COLUMNS, "digest")
    await conn.execute(
        f"INSERT INTO api_tokens ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", values
    )


async def get_with_user(conn: Connection, digest: str) -> tuple[ApiToken, User] | None:
    """The token with this SHA-256, and whose it is."""
    row = await conn.fetch_one(_WITH_USER, {"digest": digest})
    return (_token(row, "token_"), users.user_of(row)) if row else None


async def of_user(conn: Connection, user_id: UserId) -> list[ApiToken]:
    """The tokens of a user that were not revoked, newest first."""
    rows = await conn.fetch_all(
        f"SELECT {', '.join(_COLUMNS)} FROM api_tokens WHERE user_id = :id AND revoked_at IS NULL "
        "ORDER BY created_at DESC, id",
        {"id": user_id},
    )
    return [_token(row) for row in rows]


async def touch(conn: Connection, token_id: TokenId, now: Timestamp) -> None:
    """Note that a token was used."""
    await conn.execute("UPDATE api_tokens SET last_used_at = :now WHERE id = :id", {"id": token_id, "now": now})


async def revoke(conn: Connection, user_id: UserId, token_id: TokenId, now: Timestamp) -> ApiToken | None:
    """End a token of a user; the token, None when there is no such one."""
    rows = await conn.fetch_all(
        "UPDATE api_tokens SET revoked_at = :now WHERE id = :id AND user_id = :user_id AND revoked_at IS NULL "
        f"RETURNING {', '.join(_COLUMNS)}",
        {"id": token_id, "user_id": user_id, "now": now},
    )
    return _token(rows[0]) if rows else None


async def revoke_all(conn: Connection, user_id: UserId, now: Timestamp) -> int:
    """End every token of a user; how many ended."""
    return await conn.execute(
        "UPDATE api_tokens SET revoked_at = :now WHERE user_id = :id AND revoked_at IS NULL",
        {"id": user_id, "now": now},
    )


async def delete_ended(conn: Connection, before: Timestamp) -> int:
    """Forget tokens that expired or were revoked before `before`; how many."""
    return await conn.execute(
        "DELETE FROM api_tokens WHERE expires_at < :before OR revoked_at < :before", {"before": before}
    )
