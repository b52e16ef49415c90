"""Tidying, by the real schedule and worker: what is long over is forgotten, the rest stays."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from streamhost.config import load
from streamhost.host import assemble
from streamhost.model.accounts import Role
from streamhost.model.audit import SYSTEM, Actor
from streamhost.model.clock import DAY
from streamhost.model.tasks import SweepCatalog
from tests.support.catalogs import instance_at

PASSWORD = "correct horse battery"


async def test_what_is_long_over_is_forgotten(tmp_path: Path) -> None:
    """Sessions, invitations and API tokens go some time after their end; those that hold, and the audit log, stay. Of a
    session that is used all the time, refresh tokens go that nobody could use."""
    ahead = 0.0
    quick = {"accounts__argon2_memory_kib": 8192, "accounts__argon2_rounds": 1, "accounts__registration": "invite"}
    settings = load(tmp_path / "data", {}, uploads__keep_free=0, **quick)
    host = await assemble(settings, instance_at(settings.data), lambda: time.time() + ahead)
    try:
        accounts = host.accounts
        user = await accounts.people.add("alice@example.org", PASSWORD, "Alice", Role.ADMIN, verified=True)
        await accounts.login("alice@example.org", PASSWORD)
        for days in (1, 300):
            await accounts.invitations.create(SYSTEM, days=days, note=f"{days}")
            await accounts.api_tokens.create(user, PASSWORD, f"{days}", ["read"], days, Actor.of(user))
        used = await accounts.login("alice@example.org", PASSWORD)
        while ahead < 100 * DAY:
            ahead += 25 * DAY
            used = await accounts.refresh(used.refresh_token)
        await host.start()
        async with host.db.write() as conn:
            await host.queue.add(conn, SweepCatalog())
        deadline = time.monotonic() + 150
        while len(await accounts.invitations.all()) > 1:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert [item.note for item in await accounts.invitations.all()] == ["300"]
        assert [token.name for token in await accounts.api_tokens.all(user.id)] == ["300"]
        async with host.db.read() as conn:
            assert [row["id"] for row in await conn.fetch_all("SELECT id FROM sessions", {})] == [used.session.id]
            kept = await conn.fetch_all("SELECT created_at FROM refresh_tokens ORDER BY created_at", {})
        assert len(kept) == 2
        assert (await accounts.refresh(used.refresh_token)).session.id == used.session.id
        assert len((await host.audit.entries()).items) == 7
    finally:
        await host.stop(5.0)
        await host.close()
