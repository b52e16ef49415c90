"""Folding on a real catalog: what comes late is taken in, as far as that is worth its price."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.db import playback_events, users, videos
from streamhost.db.core import Database
from streamhost.db.playback_events import Playback, Reported
from streamhost.features.analytics.folding import MOST_REFOLDED, Folder
from streamhost.model.accounts import Role, User
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import Device, EventType, PlaybackEvent, Source
from streamhost.model.videos import Video
from tests.support.catalogs import blank

NOW = 1_800_000_000.0
FILM = VideoId("film")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A catalog with one video."""
    opened = await Database.open(blank(tmp_path), synchronous="NORMAL")
    async with opened.write() as conn:
        await users.insert(conn, User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW))
        await videos.insert(conn, Video(FILM, UserId("alice"), "Film", NOW, NOW))
    yield opened
    await opened.close()


@pytest.mark.parametrize(("length", "counts"), [(20, True), (MOST_REFOLDED + 10, False)], ids=["short", "endless"])
async def test_what_comes_late(db: Database, length: int, counts: bool) -> None:
    """The first event of a session comes last: it counts, but not in one so long that nobody has watched like that."""
    playback = Playback("session", FILM, "", Source.PLAYER, Device.OTHER, 3600.0, NOW, NOW)
    folder = Folder(db, bytes(32))
    in_order = [PlaybackEvent(EventType.PROGRESS, NOW + n, n, n / 10) for n in range(1, length)]
    late = PlaybackEvent(EventType.PROGRESS, NOW, 0, 0.0, first_frame=1.5)
    for events in (in_order, [late]):
        async with db.write() as conn:
            await playback_events.add(conn, [Reported(playback, events, NOW)])
        assert await folder.catch_up() == len(events)
    async with db.read() as conn:
        found = (await playback_events.playbacks(conn, ["session"]))["session"].watching
    assert found.first_frame == (1.5 if counts else None)
    assert found.position == pytest.approx((length - 1) / 10)
