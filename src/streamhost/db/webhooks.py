"""Rows of `webhooks`. The secrets in them are sealed; who opens them is not this module."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streamhost.db.core import Connection
from streamhost.model.clock import Timestamp
from streamhost.model.ids import WebhookId
from streamhost.model.notices import Webhook

_COLUMNS = (
    "id",
    "url",
    "created_at",
    "note",
    "kinds",
    "old_until",
    "failing_since",
    "delivered_at",
    "disabled_at",
    "disabled_because",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM webhooks"


class SealedSecrets(NamedTuple):
    """The secret in force, and the one before it if that still signs too."""

    present: str
    old: str | None
    old_until: Timestamp | None


def _webhook(row: Mapping[str, Any]) -> Webhook:
    return Webhook(**{name: row[name] for name in _COLUMNS} | {"kinds": tuple(json.loads(row["kinds"]))})


async def insert(conn: Connection, webhook: Webhook, secret: str) -> None:
    """Add an endpoint with its sealed secret."""
    sql = """INSERT INTO webhooks (id, url, created_at, note, kinds, secret)
        VALUES (:id, :url, :created_at, :note, :kinds, :secret)"""
    values = {"id": webhook.id, "url": webhook.url, "created_at": webhook.created_at, "note": webhook.note}
    await conn.execute(sql, values | {"kinds": json.dumps(webhook.kinds), "secret": secret})


async def get(conn: Connection, webhook_id: WebhookId) -> Webhook | None:
    """One endpoint."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": webhook_id})
    return _webhook(row) if row else None


async def listed(conn: Connection) -> list[Webhook]:
    """All of them, oldest first."""
    return [_webhook(row) for row in await conn.fetch_all(f"{_SELECT} ORDER BY created_at, id", {})]


async def change(conn: Connection, webhook_id: WebhookId, url: str, note: str, kinds: Sequence[str]) -> None:
    """Change where it is, what it is for, what it is told of."""
    sql = "UPDATE webhooks SET url = :url, note = :note, kinds = :kinds WHERE id = :id"
    await conn.execute(sql, {"id": webhook_id, "url": url, "note": note, "kinds": json.dumps(list(kinds))})


async def delete(conn: Connection, webhook_id: WebhookId) -> bool:
    """Remove it; False if it was not there."""
    return await conn.execute("DELETE FROM webhooks WHERE id = :id", {"id": webhook_id}) == 1


async def secrets(conn: Connection, webhook_id: WebhookId) -> SealedSecrets | None:
    """Its sealed secrets."""
    sql = "SELECT secret, old_secret, old_until FROM webhooks WHERE id = :id"
    row = await conn.fetch_one(sql, {"id": webhook_id})
    return SealedSecrets(row["secret"], row["old_secret"], row["old_until"]) if row else None


async def rotate(conn: Connection, webhook_id: WebhookId, secret: str, old_until: Timestamp) -> None:
    """Put a new secret in force; the one before signs too until a moment."""
    sql = "UPDATE webhooks SET old_secret = secret, old_until = :until, secret = :secret WHERE id = :id"
    await conn.execute(sql, {"id": webhook_id, "secret": secret, "until": old_until})


async def delivered(conn: Connection, webhook_id: WebhookId, now: Timestamp) -> None:
    """A delivery succeeded: it does not fail any more."""
    sql = "UPDATE webhooks SET delivered_at = :now, failing_since = NULL WHERE id = :id"
    await conn.execute(sql, {"id": webhook_id, "now": now})


async def failed(conn: Connection, webhook_id: WebhookId, now: Timestamp) -> None:
    """A delivery failed: note since when, unless it failed before."""
    sql = "UPDATE webhooks SET failing_since = :now WHERE id = :id AND failing_since IS NULL"
    await conn.execute(sql, {"id": webhook_id, "now": now})


async def disable(conn: Connection, webhook_id: WebhookId, now: Timestamp, because: str) -> bool:
    """Send it nothing more; False if it was so before."""
    sql = "UPDATE webhooks SET disabled_at = :now, disabled_because = :because WHERE id = :id AND disabled_at IS NULL"
    return await conn.execute(sql, {"id": webhook_id, "now": now, "because": because}) == 1


async def enable(conn: Connection, webhook_id: WebhookId) -> bool:
    """Send to it again, as if it had never failed; False if it was enabled."""
    sql = """UPDATE webhooks SET disabled_at = NULL, disabled_because = '', failing_since = NULL
        WHERE id = :id AND disabled_at IS NOT NULL"""
    return await conn.execute(sql, {"id": webhook_id}) == 1
