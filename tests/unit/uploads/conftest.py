"""A house with nothing but uploads: a real catalog, queue, spool and storage, and a clock that tests move."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from streamhost.config import UploadSettings
from streamhost.db import users, videos
from streamhost.db.core import Database
from streamhost.features.uploads import ClientGone, Pace, Piece, Uploads, desk, finishing
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, User
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UploadId, UserId, VideoId
from streamhost.model.videos import Video
from streamhost.storage.local import LocalStorage
from tests.support.catalogs import blank

ALICE = UserId("alice")
BOB = UserId("bob")


@dataclass
class House:
    """One data directory, and the uploads room that works on it now."""

    path: Path
    db: Database
    queue: Queue
    storage: LocalStorage
    now: float = 1_800_000_000.0
    uploads: Uploads = field(init=False)

    def clock(self) -> float:
        """Whatever the test says."""
        return self.now

    async def videos(self) -> list[Video]:
        """Every video there is."""
        async with self.db.read() as conn:
            found = [await videos.get(conn, row["id"]) for row in await conn.fetch_all("SELECT id FROM videos")]
        return [video for video in found if video]

    async def jobs(self) -> list[str]:
        """The subject of every job there is."""
        async with self.db.read() as conn:
            return [job.subject or "" for job in await self.queue.list(conn)]

    async def stored(self) -> list[str]:
        """Every key in storage."""
        return [item.key async for item in self.storage.list()]

    def spooled(self) -> set[str]:
        """Every file in the spool."""
        return {path.name for path in (self.path / "uploads").iterdir()}

    async def rows(self) -> dict[str, int]:
        """Every upload's id and stored offset."""
        async with self.db.read() as conn:
            return {row["id"]: row["bytes"] for row in await conn.fetch_all("SELECT id, bytes FROM uploads")}

    async def holds(self, video_id: VideoId | None, data: bytes, title: str | None = None) -> None:
        """There is one video, entered once, whose stored file is `data`, and nothing else is left anywhere."""
        [video] = await self.videos()
        assert video.id == video_id or video_id is None
        assert video.source_sha256 == hashlib.sha256(data).hexdigest()
        assert video.source_size == len(data)
        assert await self.stored() == [video.source_key]
        assert video.source_key is not None
        assert b"".join([piece async for piece in self.storage.read(video.source_key)]) == data
        assert await self.jobs() == [f"video:{video.id}"]
        assert self.spooled() == set()
        assert title is None or video.title == title


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        db = await Database.open(blank(tmp_path))
        stack.push_async_callback(db.close)
        made = House(tmp_path, db, None, LocalStorage(tmp_path / "media"))  # type: ignore[arg-type]
        made.queue = Queue(made.clock)
        async with db.write() as conn:
            for user_id in (ALICE, BOB):
                user = User(user_id, f"{user_id}@example.org", user_id.title(), Role.CREATOR, "", made.now)
                await users.insert(conn, user)
        yield made


Open = Callable[..., Uploads]


@pytest.fixture
async def open_uploads(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens the room on the house's directory: once more stands for the next start of the server. It waits for a disk
    that stands still, and tries nothing again by itself."""
    for module in (desk, finishing):
        monkeypatch.setattr(module, "GRACE", 150.0)
    monkeypatch.setattr(desk, "PATIENCE", 150.0)
    monkeypatch.setattr(finishing, "TRY_AGAIN", 3600.0)
    async with AsyncExitStack() as stack:

        def opener(pace: Pace | None = None, **changes: Any) -> Uploads:
            asked = {"keep_free": 0, **changes}
            more = {name: asked.pop(name) for name in ("quota",) if name in asked}
            storage = asked.pop("storage", house.storage)
            settings = UploadSettings(**asked)
            uploads = Uploads(
                house.db, house.queue, storage, house.path / "uploads", settings, house.clock, pace=pace, **more
            )
            stack.push_async_callback(uploads.close)
            house.uploads = uploads
            return uploads

        yield opener


@pytest.fixture
def uploads(open_uploads: Open) -> Uploads:
    return open_uploads()


class Pause(asyncio.Event):
    """What a body waits for in the middle; `reached` once all that came before it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        """Tell that the body has come so far."""
        self.reached.set()
        return await super().wait()


async def body(
    *pieces: Piece, end: StreamhostError | None = None, then: asyncio.Event | None = None
) -> AsyncIterator[Piece]:
    """A request's body: pieces, perhaps a pause that lasts until `then`, perhaps an end that is none."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)
    if then:
        await then.wait()
    if end:
        raise end


def broken(*pieces: Piece) -> AsyncIterator[Piece]:
    """A body whose connection breaks after some pieces."""
    return body(*pieces, end=ClientGone())


async def eventually(true: Callable[[], Any], seconds: float = 150) -> None:
    """Wait until something (or what it awaits) is true."""
    async with asyncio.timeout(seconds):
        while True:
            found = true()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.01)


def upload_file(house: House, upload_id: UploadId) -> Path:
    return house.path / "uploads" / upload_id
