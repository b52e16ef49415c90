"""What the CDN holds, kept in step with what happens to videos, by jobs that may fail and run again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from streamhost.db import cdn_syncs as rows
from streamhost.db import packages, users
from streamhost.db import videos as video_rows
from streamhost.db.core import Database
from streamhost.features.cdn import CdnMissing, Copies, NotReady
from streamhost.jobs.context import JobContext
from streamhost.jobs.worker import Worker
from streamhost.model.accounts import Role, User
from streamhost.model.cdn import CdnSync, SyncState, Way
from streamhost.model.errors import NotFound
from streamhost.model.events import (
    AccessRevoked,
    DiskLow,
    Event,
    ProtectionChanged,
    VideoPublished,
    VideoRejected,
    VideoReplaced,
)
from streamhost.model.events import VideoProcessed as Processed
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.tasks import DeleteMedia, JobState, PurgeCopies, PushCopies
from streamhost.model.videos import Clearance, Video, VideoState, Visibility
from streamhost.ports import CdnRefused, CdnUnavailable
from streamhost.storage.memory import MemoryStorage
from tests.support.catalogs import blank
from tests.unit.jobs.kit import QUICK, Bench

HURRIED = replace(QUICK, lease=600.0, poll=0.01, backoff=0.001, backoff_max=0.004)
"""Nobody takes a job over, however long this process stands still: what is done twice is told to the CDN twice."""
FILM, OTHER, ALICE = VideoId("film"), VideoId("other"), UserId("alice")
PACK, NEXT = PackageId("pack"), PackageId("next")
SEGMENTS = [f"videos/film/pack/v720/{name}" for name in ("0.m4s", "100.m4s", "init.mp4")]
BESIDE = ["videos/film/pack/master.m3u8", "videos/film/pack/poster.jpg", "videos/film/pack/download/720.mp4"]
BESIDE += ["videos/film/next/v720/0.m4s", "videos/film/source/source.mp4", "videos/other/pack/0.m4s"]


@dataclass
class Told:
    """A CDN that notes what it is told, or raises what is waiting in `troubles`."""

    way: Way = Way.REDIRECT
    base_url: str = "https://cdn.example.org"
    pushed: list[str] = field(default_factory=list)
    purged: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    def url(self, key: str, expires_at: float) -> str:
        """An address."""
        return f"{self.base_url}/{key}?{expires_at}"

    async def push(self, keys: Sequence[str]) -> None:
        """Do as told."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.pushed += keys

    async def purge(self, prefixes: Sequence[str]) -> None:
        """Do as told."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.purged += prefixes


@dataclass
class House:
    """The room on a catalog of its own, with a video, its files, and the CDN."""

    bench: Bench
    cdn: Told
    storage: MemoryStorage

    def copies(self, *, push: bool = True) -> Copies:
        """The room."""
        bench = self.bench
        made = Copies(bench.db, bench.queue, self.storage, bench.clock, self.cdn, "told", push=push)
        bench.queue.on_failed(PushCopies, made.gave_up_pushing)
        bench.queue.on_failed(PurgeCopies, made.gave_up_purging)
        return made

    def worker(self, copies: Copies) -> Worker:
        """A worker in a great hurry, one job after the other."""

        async def delete(task: DeleteMedia, _job: JobContext) -> None:
            await self.storage.delete_prefix(task.prefix)

        handlers = {
            PushCopies: copies.push_package,
            PurgeCopies: copies.purge_prefix,
            DeleteMedia: copies.after(delete),
        }
        return self.bench.worker(handlers, HURRIED, light=2, deliveries=2)  # type: ignore[arg-type]  # each for its own task

    async def done(self) -> None:
        """Wait until nothing is left to do."""

        async def nothing() -> bool:
            async with self.bench.db.read() as conn:
                return not await self.bench.queue.list(conn, (JobState.QUEUED, JobState.RUNNING))

        await self.bench.when(nothing)

    async def note(self, state: SyncState, package: PackageId | None = PACK) -> None:
        """Have the catalog say how far the film's copies are."""
        async with self.bench.db.write() as conn:
            await rows.put(conn, CdnSync(FILM, state, package, objects=3))

    async def play(self, package: PackageId) -> None:
        """Make another package the film's."""
        async with self.bench.db.write() as conn:
            await video_rows.change(conn, FILM, self.bench.clock(), package_id=package)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    db = await Database.open(blank(tmp_path))
    bench, storage = Bench(db), MemoryStorage()
    now = bench.clock()
    film = Video(FILM, ALICE, "Film", now, now, state=VideoState.READY, playable=True)
    async with db.write() as conn:
        await users.insert(conn, User(ALICE, "alice@example.org", "Alice", Role.CREATOR, "", now))
        for video in (film, replace(film, id=OTHER, state=VideoState.PROCESSING, playable=False)):
            await video_rows.insert(conn, video)
        for package in (PACK, NEXT):
            await packages.insert(conn, packages.PackageRow(package, FILM, "first", "{}", now, None))
        await video_rows.change(conn, FILM, now, package_id=PACK)
    for key in (*SEGMENTS, *BESIDE):
        await storage.put_bytes(key, b"x")
    yield House(bench, Told(), storage)
    for worker in bench.workers:
        await worker.stop(1)
    await db.close()


def event(kind: type[Event]) -> Event:
    """Something has happened to the film."""
    if kind is AccessRevoked:
        return AccessRevoked(FILM, at=1.0)
    if kind is VideoRejected:
        return VideoRejected(FILM, ALICE, "Film", "unfit", at=1.0)
    if kind is ProtectionChanged:
        return ProtectionChanged(FILM, ALICE, "Film", "cenc", at=1.0)
    assert issubclass(kind, Processed | VideoReplaced | VideoPublished)
    return kind(FILM, ALICE, "Film", at=1.0)


async def test_a_finished_video_is_brought_there(house: House) -> None:
    """Its segments and nothing else, noted when all of them are there; told twice of it, once."""
    copies = house.copies()
    await copies.hear(event(Processed))
    assert (await copies.of_video(FILM)).state is SyncState.PENDING
    await copies.hear(event(Processed))
    await house.worker(copies).start()
    await house.done()
    sync = await copies.of_video(FILM)
    assert (sync.state, sync.objects, sync.package_id) == (SyncState.SYNCED, 3, PACK)
    assert sorted(house.cdn.pushed) == sorted(SEGMENTS)
    await copies.hear(event(Processed))
    await house.done()
    assert len(house.cdn.pushed) == 3


async def test_nothing_is_brought_unasked(house: House) -> None:
    """Not where the settings do not say so, and not where there is no CDN, which also leaves no jobs behind."""
    await house.copies(push=False).hear(event(Processed))
    house.cdn.way = Way.DIRECT
    alone = house.copies()
    for kind in (Processed, AccessRevoked, VideoReplaced):
        await alone.hear(event(kind))
    for work in (alone.sync(FILM), alone.sync_missing(), alone.purge(FILM)):
        with pytest.raises(CdnMissing):
            await work
    async with house.bench.db.read() as conn:
        assert await house.bench.queue.list(conn) == []


async def test_what_passes_is_tried_again(house: House) -> None:
    """A CDN that was away for a while: nobody notices."""
    copies = house.copies()
    house.cdn.troubles = [CdnUnavailable("away"), CdnUnavailable("still away")]
    await copies.sync(FILM)
    await house.worker(copies).start()
    await house.done()
    assert (await copies.of_video(FILM)).state is SyncState.SYNCED


async def test_a_refusal_is_told(house: House) -> None:
    """With the CDN's words; another try that works forgets them."""
    copies = house.copies()
    house.cdn.troubles = [CdnRefused("wrong secret")]
    await copies.sync(FILM)
    await house.worker(copies).start()
    await house.done()
    sync = await copies.of_video(FILM)
    assert sync.state is SyncState.FAILED
    assert "wrong secret" in sync.cause
    assert [one.video_id for one in await copies.sync_missing()] == [FILM]
    await house.done()
    assert (await copies.of_video(FILM)).state is SyncState.SYNCED
    assert await copies.sync_missing() == []


@pytest.mark.parametrize("kind", [AccessRevoked, VideoRejected, VideoReplaced])
async def test_what_is_closed_is_dropped(house: House, kind: type[Event]) -> None:
    """Everything of the video; nothing is said to be there any more, until it is brought anew."""
    await house.note(SyncState.SYNCED)
    copies = house.copies(push=False)
    await copies.hear(event(kind))
    assert (await copies.of_video(FILM)).state is SyncState.NONE
    await house.worker(copies).start()
    await house.done()
    assert house.cdn.purged == ["videos/film/"]


async def test_other_events_change_nothing(house: House) -> None:
    """What is there is not brought again when it is published, and of a full disk a CDN need not know."""
    await house.note(SyncState.SYNCED)
    copies = house.copies()
    await copies.hear(event(VideoPublished))
    await copies.hear(DiskLow(1, 2, at=1.0))
    await house.worker(copies).start()
    await house.done()
    assert (house.cdn.pushed, house.cdn.purged) == ([], [])


async def test_another_protection_is_another_set_of_files(house: House) -> None:
    """The new files are brought there once, and the old ones stay for who plays them: they end with their package.
    Unasked, nothing is said to be there any more."""
    await house.note(SyncState.SYNCED)
    await house.play(NEXT)
    await house.copies(push=False).hear(event(ProtectionChanged))
    copies = house.copies()
    assert (await copies.of_video(FILM)).state is SyncState.NONE
    await house.note(SyncState.SYNCED)
    await copies.hear(event(ProtectionChanged))
    assert (await copies.of_video(FILM)).state is SyncState.PENDING
    await house.worker(copies).start()
    await house.done()
    await copies.hear(event(ProtectionChanged))
    await house.done()
    sync = await copies.of_video(FILM)
    assert (sync.state, sync.package_id) == (SyncState.SYNCED, NEXT)
    assert (house.cdn.pushed, house.cdn.purged) == (["videos/film/next/v720/0.m4s"], [])


@pytest.mark.parametrize("visibility", [Visibility.PASSWORD, Visibility.PUBLIC, Visibility.UNLISTED])
async def test_what_others_still_watch_is_brought_anew(house: House, visibility: Visibility) -> None:
    """A new password, or a site less, ends every address that is out; those who may watch find new copies."""
    async with house.bench.db.write() as conn:
        await video_rows.change(conn, FILM, house.bench.clock(), visibility=visibility.value)
    await house.note(SyncState.SYNCED)
    copies = house.copies()
    await copies.hear(event(AccessRevoked))
    await house.worker(copies).start()
    await house.done()
    assert (house.cdn.purged, sorted(house.cdn.pushed)) == (["videos/film/"], sorted(SEGMENTS))
    assert (await copies.of_video(FILM)).state is SyncState.SYNCED


async def test_what_was_made_private_comes_back_when_it_is_published(house: House) -> None:
    """Its copies were dropped; whoever publishes it again need not think of the CDN."""
    await house.note(SyncState.SYNCED)
    copies = house.copies()
    await copies.hear(event(AccessRevoked))
    assert (await copies.of_video(FILM)).state is SyncState.NONE
    await copies.hear(event(VideoPublished))
    await house.worker(copies).start()
    await house.done()
    assert (house.cdn.purged, sorted(house.cdn.pushed)) == (["videos/film/"], sorted(SEGMENTS))


async def test_a_replaced_video_is_dropped_and_brought_anew(house: House) -> None:
    """In that order: what is brought after the drop stays."""
    await house.note(SyncState.SYNCED)
    await house.play(NEXT)
    copies = house.copies()
    await copies.hear(event(VideoReplaced))
    await house.worker(copies).start()
    await house.done()
    assert house.cdn.purged == ["videos/film/"]
    assert house.cdn.pushed == ["videos/film/next/v720/0.m4s"]
    assert (await copies.of_video(FILM)).package_id == NEXT


async def test_closing_calls_off_what_is_on_its_way(house: House) -> None:
    """A video that is closed before it was brought there is not brought there."""
    copies = house.copies()
    await copies.sync(FILM)
    await copies.hear(event(AccessRevoked))
    await house.worker(copies).start()
    await house.done()
    assert house.cdn.pushed == []
    assert house.cdn.purged == ["videos/film/"]
    assert (await copies.of_video(FILM)).state is SyncState.NONE


@pytest.mark.parametrize(
    ("prefix", "dropped"),
    [
        ("videos/film/", True),
        ("videos/film/pack/", True),
        ("videos/film/source/", False),
        ("videos/film/captions/en/", False),
        ("videos/film/pack/download/", False),
        ("stills/film/", False),
    ],
)
async def test_what_is_deleted_is_dropped_afterwards(house: House, prefix: str, dropped: bool) -> None:
    """Once the storage no longer has it, for a CDN would fetch it again; what never went there does not concern it."""
    await house.note(SyncState.SYNCED)
    copies = house.copies()
    left: list[list[str]] = []
    purge = house.cdn.purge

    async def look(prefixes: Sequence[str]) -> None:
        left.append([stored.key async for stored in house.storage.list(prefix)])
        await purge(prefixes)

    house.cdn.purge = look  # type: ignore[method-assign]  # looks at the storage first
    await house.bench.add(DeleteMedia(prefix))
    await house.worker(copies).start()
    await house.done()
    assert house.cdn.purged == ([prefix] if dropped else [])
    assert left == ([[]] if dropped else [])
    gone = prefix in ("videos/film/", "videos/film/pack/")
    assert (await copies.of_video(FILM)).state is (SyncState.NONE if gone else SyncState.SYNCED)


async def test_what_cannot_be_dropped_is_seen(house: House) -> None:
    """A refusal ends the trying and stands in the overview, with folder and cause."""
    copies = house.copies()
    house.cdn.troubles = [CdnUnavailable("away"), CdnRefused("wrong token")]
    await copies.purge(FILM)
    assert (await copies.overview()).purges_waiting == 1
    await house.worker(copies).start()
    await house.done()
    seen = await copies.overview()
    assert seen.purges_waiting == 0
    (trouble,) = seen.purges_failed
    assert trouble.prefix == "videos/film/"
    assert "wrong token" in trouble.cause
    assert house.cdn.purged == []


async def test_what_is_not_there_cannot_be_brought(house: House) -> None:
    """A video that nobody knows, or that is not ready; copies of one that is gone can still be dropped."""
    copies = house.copies()
    with pytest.raises(NotFound):
        await copies.sync(VideoId("nobody"))
    with pytest.raises(NotReady):
        await copies.sync(OTHER)
    assert (await copies.purge(VideoId("nobody"))).state is SyncState.NONE
    with pytest.raises(NotFound):
        await copies.purge(VideoId("../nobody"))
    await house.worker(copies).start()
    await house.done()
    assert house.cdn.purged == ["videos/nobody/"]
    with pytest.raises(NotFound):
        await copies.of_video(VideoId("nobody"))


@pytest.mark.parametrize("clearance", [Clearance.PENDING, Clearance.REVIEW, Clearance.REJECTED])
async def test_what_nobody_has_cleared_is_not_brought(house: House, clearance: Clearance) -> None:
    """Not even when an administrator asks for it, or for everything that is missing."""
    copies = house.copies()
    async with house.bench.db.write() as conn:
        await video_rows.change(conn, FILM, house.bench.clock(), clearance=clearance.value)
    assert await copies.sync_missing() == []
    with pytest.raises(NotReady):
        await copies.sync(FILM)


async def test_an_older_package_says_nothing_of_the_newer(house: House) -> None:
    """A job for a package that was replaced meanwhile leaves alone what is noted of the new one."""
    copies = house.copies()
    await copies.sync(FILM)
    await house.note(SyncState.PENDING, NEXT)
    await house.worker(copies).start()
    await house.done()
    sync = await copies.of_video(FILM)
    assert (sync.state, sync.package_id) == (SyncState.PENDING, NEXT)
