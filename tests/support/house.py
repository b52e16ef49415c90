"""The whole application in this process, with a client: for tests that look at both sides."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from streamhost.config import load
from streamhost.db import packages, videos
from streamhost.db.core import Database
from streamhost.host import Host, assemble
from streamhost.model.accounts import Role
from streamhost.model.clock import Clock, system_clock
from streamhost.model.ids import PackageId, UserId, VideoId, new_id
from streamhost.model.streaming import MASTER_PLAYLIST, POSTER
from streamhost.model.videos import Protection, Video, VideoState, Visibility, package_prefix
from streamhost.server.door import ASGIApp, Door, Message, Receive, Scope, Send
from streamhost.testing.house import QUICK, at_work
from tests.support.catalogs import instance_at

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


async def private_video(db: Database, owner: UserId) -> VideoId:
    """A video that only its owner may play; none of its files is there."""
    now, video_id = time.time(), VideoId(new_id())
    facts: dict[str, Any] = {"visibility": Visibility.PRIVATE, "state": VideoState.READY, "playable": True}
    async with db.write() as conn:
        await videos.insert(
            conn, Video(video_id, owner, "A private film", now, now, package_id=PackageId(new_id()), **facts)
        )
    return video_id


@asynccontextmanager
async def a_host(data: Path, clock: Clock = system_clock, **settings: Any) -> AsyncIterator[Host]:
    """What is behind the door of a house, at work on that data directory; nobody is in it."""
    instance = instance_at(data)
    host = await assemble(load(data, {}, **{**QUICK, **settings}), instance, clock)
    try:
        await host.start()
        yield host
    finally:
        await host.stop(5.0)
        await host.close()


@asynccontextmanager
async def a_house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """A house on that data directory, with the cast in it; `clock` among the settings is what it goes by."""
    clock: Clock = settings.pop("clock", system_clock)
    instance_at(data)
    async with at_work(load(data, {}, **{**QUICK, **settings}), clock) as (host, _, door):
        for who, role in CAST.items():
            await host.accounts.people.add(f"{who}@example.org", PASSWORD, who.title(), role, verified=True)
        yield House(host, door)
