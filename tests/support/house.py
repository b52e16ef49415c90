"""The whole application in this process, with a client: for tests that look at both sides."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from streamhost.config import load
from streamhost.db import packages, videos
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.accounts import Role
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.streaming import MASTER_PLAYLIST, POSTER
from streamhost.model.videos import Protection, Video, VideoState, Visibility, package_prefix
from streamhost.server.app import create_app
from streamhost.server.delivery import delivery_of
from streamhost.server.door import ASGIApp, Door, Message, Receive, Scope, Send

PASSWORD = "correct horse battery"
CAST = {"alice": Role.CREATOR, "bob": Role.VIEWER, "root": Role.ADMIN}
SEGMENT = "v720/0.m4s"


@dataclass(slots=True)
class House:
    """A running house."""

    host: Host
    door: Door

    def client(self) -> httpx.AsyncClient:
        """A client of its own, with its own cookies."""
        transport = httpx.ASGITransport(cast(Any, self.door))
        return httpx.AsyncClient(transport=transport, base_url="http://site.test", headers={"Accept": "*/*"})

    async def bearer(self, who: str) -> dict[str, str]:
        """The headers of one of the cast in a fresh session."""
        sign_in = await self.host.accounts.login(f"{who}@example.org", PASSWORD)
        return {"Authorization": f"Bearer {sign_in.access_token}"}

    async def video(self, owner: str = "alice", **fields: Any) -> Video:
        """A private video of somebody that plays, with one stored segment, a poster and a playlist that say who they
        are."""
        user = await self.host.accounts.people.by_email(f"{owner}@example.org")
        now, package = time.time(), PackageId(new_id())
        video_id = VideoId(new_id())
        prefix = package_prefix(video_id, package)
        row = packages.PackageRow(
            package, video_id, "finished", "{}", now, now, fields.get("protection", Protection.NONE)
        )
        wanted: dict[str, Any] = {
            "title": "A film",
            "visibility": Visibility.PRIVATE,
            "state": VideoState.READY,
            "playable": True,
            "package_id": package,
            "poster_key": prefix + POSTER,
        }
        video = Video(video_id, user.id, created_at=now, updated_at=now, **(wanted | fields))
        async with self.host.db.write() as conn:
            await videos.insert(conn, video)
            await packages.insert(conn, row)
        for name in (SEGMENT, POSTER, MASTER_PLAYLIST):
            await self.host.storage.put_bytes(prefix + name, f"secret {name}".encode())
        return video


def brief(app: ASGIApp) -> ASGIApp:
    """The same application, but that answers that would go on for hours end with their head."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        over = False

        async def send_head(message: Message) -> None:
            nonlocal over
            if over:
                return
            await send(message)
            if (b"content-type", b"text/event-stream; charset=utf-8") in message.get("headers", []):
                over = True
                await send({"type": "http.response.body", "body": b""})

        await app(scope, receive, send_head)

    return answer


@asynccontextmanager
async def a_house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """A house on that data directory, with the cast in it."""
    quick = {"accounts__argon2_memory_kib": 8192, "accounts__argon2_rounds": 1, "limits__enabled": False}
    wanted = load(data, {}, uploads__keep_free=0, **(quick | settings))
    async with AsyncExitStack() as stack:
        host = await assemble(wanted, open_instance(wanted.data))
        stack.push_async_callback(host.close)
        app = create_app(host)
        await host.start()
        stack.push_async_callback(host.stop, 5.0)
        door = Door()
        door.open(cast(ASGIApp, app), delivery_of(host))
        for who, role in CAST.items():
            await host.accounts.people.add(f"{who}@example.org", PASSWORD, who.title(), role, verified=True)
        yield House(host, door)
