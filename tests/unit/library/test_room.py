"""Shelves: likes, watch later and history keep what they are told to, and show nobody what is not theirs to see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from streamhost.db import interactions, library, playback_events, users, videos
from streamhost.db.core import Connection, Database
from streamhost.db.interactions import Interaction
from streamhost.db.playback_events import Playback, Reported
from streamhost.db.playback_sums import Hour, add_hours
from streamhost.features.analytics.folding import Folder
from streamhost.features.library import LATER, LIKES, Library, ShelfPage
from streamhost.model.accounts import ANONYMOUS, Role, User, Viewer
from streamhost.model.clock import HOUR
from streamhost.model.errors import NotFound, Unauthenticated
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import Device, EventType, PlaybackEvent, Source
from streamhost.model.videos import Video, VideoState, Visibility
from tests.support.catalogs import blank

NOW = 1_800_000_000.0
ALICE = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW)
BOB = User(UserId("bob"), "bob@example.org", "Bob", Role.VIEWER, "", NOW)
MIA = User(UserId("mia"), "mia@example.org", "Mia", Role.ADMIN, "", NOW)
alice, bob, mia = Viewer(ALICE), Viewer(BOB), Viewer(MIA)
NAMES = ("one", "two", "three", "private")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A catalog with three public videos of Alice's and a private one."""
    opened = await Database.open(blank(tmp_path), synchronous="NORMAL")
    async with opened.write() as conn:
        for user in (ALICE, BOB, MIA):
            await users.insert(conn, user)
        for name in NAMES:
            seen = Visibility.PRIVATE if name == "private" else Visibility.PUBLIC
            video = Video(VideoId(name), ALICE.id, name, NOW, NOW, visibility=seen, state=VideoState.READY)
            await videos.insert(conn, video)
            await videos.change(conn, video.id, NOW, playable=1, published_at=NOW, duration=100.0)
    yield opened
    await opened.close()


class Ticking:
    """A clock that goes on with every look."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """A second later."""
        self.now += 1
        return self.now


@pytest.fixture
def room(db: Database) -> Library:
    """The room."""
    return Library(db, Ticking())


def names(page: ShelfPage) -> list[str]:
    """What stands on a page."""
    return [one.video.id for one in page.items]


async def test_likes_count_once_each(db: Database, room: Library) -> None:
    """Liking twice is liking once; the count is of people; recommendations hear of it in the same transaction."""
    one = VideoId("one")
    for viewer in (alice, bob, bob):
        opinion = await room.keep(LIKES, one, viewer, kept=True)
    assert (opinion.likes, opinion.liked, opinion.later) == (2, True, False)
    async with db.read() as conn:
        noted = await interactions.get(conn, "u:bob", one)
    assert noted is not None and noted.liked
    opinion = await room.keep(LIKES, one, bob, kept=False)
    assert (opinion.likes, opinion.liked) == (1, False)
    assert names(await room.shelf(LIKES, bob)) == []
    async with db.read() as conn:
        noted = await interactions.get(conn, "u:bob", one)
    assert noted is not None and not noted.liked
    for viewer in (ANONYMOUS,):
        with pytest.raises(Unauthenticated):
            await room.keep(LIKES, one, viewer, kept=True)


@pytest.mark.parametrize("shelf", [LIKES, LATER])
async def test_a_shelf_shows_the_latest_first_and_only_what_one_may_see(
    db: Database, room: Library, shelf: library.Shelf
) -> None:
    """In pages; a video that is closed vanishes and comes back with its owner's mind; the owner's account takes all."""
    for name in NAMES[:3]:
        await room.keep(shelf, VideoId(name), bob, kept=True)
    first = await room.shelf(shelf, bob, limit=2)
    assert names(first) == ["three", "two"]
    assert names(await room.shelf(shelf, bob, first.next_cursor, 2)) == ["one"]
    for name in ("private", "nothing"):
        with pytest.raises(NotFound):
            await room.keep(shelf, VideoId(name), bob, kept=True)
        assert (await room.keep(shelf, VideoId(name), bob, kept=False)).likes == 0
    await room.keep(shelf, VideoId("two"), mia, kept=True)
    async with db.write() as conn:
        await videos.change(conn, VideoId("two"), NOW, visibility="private")
    assert names(await room.shelf(shelf, bob)) == ["three", "one"]
    assert names(await room.shelf(shelf, mia)) == []
    async with db.write() as conn:
        await conn.execute("DELETE FROM users WHERE id = 'alice'")
    assert names(await room.shelf(shelf, bob)) == []


async def watch(db: Database, viewer: str, video: str, share: float, at: float) -> None:
    """Somebody has watched something, as what players report is folded."""
    seen = Interaction(viewer, VideoId(video), share, share > 0.9, False, False, share * 100, (), at, at)
    async with db.write() as conn:
        await interactions.put(conn, [seen])


async def test_history_can_be_cleared_and_paused(db: Database, room: Library) -> None:
    """It shows what one watched oneself, forgets one or all, keeps likes, and is not written while it is paused."""
    await watch(db, "u:bob", "one", 0.4, NOW)
    await watch(db, "u:bob", "two", 1.0, NOW + 1)
    await watch(db, "u:bob", "private", 0.5, NOW + 2)
    await watch(db, "u:alice", "three", 0.5, NOW + 3)
    assert names(await room.history(bob)) == ["two", "one"]
    begun = await room.history(bob, unfinished=True)
    assert [(one.video.id, one.position) for one in begun.items] == [("one", 40.0)]
    await room.keep(LIKES, VideoId("one"), bob, kept=True)
    await room.forget(bob, VideoId("two"))
    assert names(await room.history(bob)) == ["one"]
    await room.forget(bob)
    assert names(await room.history(bob)) == []
    assert names(await room.history(alice)) == ["three"]
    assert names(await room.shelf(LIKES, bob)) == ["one"]
    await room.pause(bob, paused=True)
    async with db.read() as conn:
        assert set(await library.remembers(conn, {"u:bob", "u:alice", "s:guest"})) == {"u:alice", "s:guest"}
    assert await room.paused(bob) and not await room.paused(alice)
    await room.pause(bob, paused=False)
    async with db.read() as conn:
        assert set(await library.remembers(conn, {"u:bob"})) == {"u:bob"}


def reported(viewer: str, first: int = 0) -> Reported:
    """Twelve seconds of a session of somebody's; sessions go on with a higher `first`."""
    begin, later = (
        PlaybackEvent(EventType.START, NOW + first, first, 0.0),
        PlaybackEvent(EventType.PROGRESS, NOW + first + 12, first + 1, 12.0),
    )
    playback = Playback(f"by {viewer}", VideoId("one"), viewer, Source.PLAYER, Device.OTHER, 100.0, NOW, NOW)
    return Reported(playback, [begin, later], NOW)


async def test_who_watches_is_not_written_while_history_is_paused(db: Database, room: Library) -> None:
    """No name stands in a session of theirs, not even of one that had begun, or goes on when the pause is over."""

    async def told(*reports: Reported) -> dict[str, str]:
        async with db.write() as conn:
            await playback_events.add(conn, reports)
        await folder.catch_up()
        async with db.read() as conn:
            rows = await conn.fetch_all("SELECT viewer, video_id FROM interactions")
            assert {row["viewer"] for row in rows} == {"u:alice", "s:bob"}
            return {row["id"]: row["viewer"] for row in await conn.fetch_all("SELECT id, viewer FROM playbacks")}

    folder = Folder(db, bytes(32), library.remembers)
    async with db.write() as conn:
        await playback_events.add(conn, [reported("u:alice"), reported("u:bob")])
    await room.pause(bob, paused=True)
    quiet = {"by u:alice": "u:alice", "by u:bob": "", "by s:bob": "s:bob"}
    assert await told(reported("s:bob")) == quiet
    async with db.write() as conn:
        await conn.execute("DELETE FROM playbacks WHERE id = 'by u:bob'")
    assert await told(reported("u:bob")) == quiet
    await room.pause(bob, paused=False)
    assert await told(reported("u:bob", 20)) == quiet


async def test_what_was_cleared_is_not_written_again(db: Database) -> None:
    """Reports that are folded while somebody clears their history, or once their account is gone, leave no trace."""
    reports = [reported(viewer) for viewer in ("u:alice", "u:bob", "u:gone", "s:guest")]

    async def meanwhile(conn: Connection, viewers: Collection[str]) -> Collection[str]:
        await interactions.forget(conn, "u:bob")
        return await library.remembers(conn, viewers)

    async with db.write() as conn:
        await playback_events.add(conn, reports)
    assert await Folder(db, bytes(32), meanwhile).catch_up() == 8
    async with db.read() as conn:
        rows = await conn.fetch_all("SELECT viewer FROM interactions ORDER BY viewer")
    assert [row["viewer"] for row in rows] == ["s:guest", "u:alice"]


async def test_what_trends_is_public_and_new(db: Database, room: Library) -> None:
    """By views of these days, newer ones counting more; a video that is closed is not shown, whatever was cached."""
    hour = int(NOW // HOUR)
    viewed = {"one": (hour - 100, 30.0), "two": (hour, 20.0), "private": (hour, 99.0), "all": (hour, 200.0)}
    async with db.write() as conn:
        await add_hours(conn, [Hour(name, at, views, 0.0) for name, (at, views) in viewed.items()])
    assert [video.id for video in await room.trending()] == ["two", "one"]
    async with db.write() as conn:
        await videos.change(conn, VideoId("two"), NOW, visibility="unlisted")
    assert [video.id for video in await room.trending()] == ["one"]
