"""The trash on a real database: in, back, and gone for good, whoever does it and wherever it is interrupted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import jobs as job_rows
from streamhost.db import users, videos
from streamhost.db.core import Database
from streamhost.features.audit import Audit
from streamhost.features.catalog import Catalog, Trash
from streamhost.features.catalog.trash import TrashedByOthers
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, User, Viewer
from streamhost.model.audit import Act
from streamhost.model.catalog_tasks import EmptyTrash
from streamhost.model.clock import DAY
from streamhost.model.errors import Forbidden, NotFound
from streamhost.model.events import AccessRevoked, VideoDeleted, VideoRestored, VideoTrashed
from streamhost.model.ids import UserId, VideoId
from streamhost.model.tasks import AnnounceEvent, Job, JobState, Lane, ProbeSource, SweepMedia
from streamhost.model.videos import Clearance, Video, VideoState, Visibility
from tests.support.catalogs import blank

START = 1_800_000_000.0
ALICE = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", START)
BOB = User(UserId("bob"), "bob@example.org", "Bob", Role.CREATOR, "", START)
ROOT = User(UserId("root"), "root@example.org", "Root", Role.ADMIN, "", START)
FILM = VideoId("film")


@dataclass(slots=True)
class Site:
    """A catalog with one public video of Alice's, and a clock to move."""

    db: Database
    days: float = 30.0
    now: float = START
    withdrawn: list[VideoId] = field(default_factory=list)

    @property
    def queue(self) -> Queue:
        """The queue."""
        return Queue(lambda: self.now)

    @property
    def trash(self) -> Trash:
        """Its trash."""
        return Trash(self.db, self.queue, lambda: self.now, lambda one, _at: self.withdrawn.append(one), self.days)

    @property
    def catalog(self) -> Catalog:
        """What people see of it; nothing is kept from one question to the next."""
        return Catalog(self.db, self.queue, lambda: self.now)

    async def add(self, name: str = FILM, **fields: Any) -> VideoId:
        """Another video of Alice's, if no owner is named."""
        public: dict[str, Any] = {"visibility": Visibility.PUBLIC, "playable": True, "state": VideoState.READY}
        owner = fields.pop("owner_id", ALICE.id)
        video = Video(VideoId(name), owner, name.title(), START, START, published_at=START, **(public | fields))
        async with self.db.write() as conn:
            await videos.insert(conn, video)
        return video.id

    async def row(self, video_id: VideoId = FILM) -> Video | None:
        """What the database has."""
        async with self.db.read() as conn:
            return await videos.get(conn, video_id)

    async def jobs(self, *states: JobState) -> list[Job]:
        """The jobs in these states, the oldest first."""
        async with self.db.read() as conn:
            return list(reversed(await self.queue.list(conn, states or (JobState.QUEUED,))))

    async def told(self) -> list[str]:
        """The kinds of the events that were announced."""
        return [job.payload["event_kind"] for job in await self.jobs() if job.kind == AnnounceEvent.kind]

    async def sweep(self) -> None:
        """Empty the trash as the job does."""
        await self.trash.sweep(EmptyTrash(), await self._running(EmptyTrash()))

    async def _running(self, task: EmptyTrash) -> JobContext:
        async with self.db.write() as conn:
            await self.queue.add(conn, task, priority=1000)
            job = await job_rows.claim(conn, Lane.LIGHT, "worker", self.now, self.now + 60)
        assert job is not None, "it was added a moment ago"
        assert job.kind == task.kind, "the one with the highest priority"
        return JobContext(job, lambda: self.now)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with one video."""
    db = await Database.open(blank(tmp_path))
    async with db.write() as conn:
        for user in (ALICE, BOB, ROOT):
            await users.insert(conn, user)
    made = Site(db)
    await made.add()
    yield made
    await db.close()


async def test_it_comes_back_as_it_was(site: Site) -> None:
    """In the trash it is nowhere, for nobody; its links end, and that is told; restored it is what it was."""
    before = await site.row()
    assert await site.trash.put(FILM, Viewer(ALICE))
    for who in (Viewer(), Viewer(ALICE), Viewer(BOB), Viewer(ROOT)):
        with pytest.raises(NotFound):
            await site.catalog.get(FILM, who)
        with pytest.raises(NotFound):
            await site.catalog.edit(FILM, who, {"title": "Other"})
    assert not (await site.catalog.listed()).items
    assert not (await site.catalog.owned(ALICE.id)).items
    assert site.withdrawn == [FILM]
    assert [one.id for one in (await site.trash.listed(ALICE.id)).items] == [FILM]
    assert not (await site.trash.listed(BOB.id)).items
    with pytest.raises(NotFound):
        await site.trash.put(FILM, Viewer(ALICE))
    site.now += DAY
    restored = await site.trash.restore(FILM, Viewer(ALICE))
    assert before is not None
    assert sorted(await site.told()) == sorted((VideoTrashed.kind, AccessRevoked.kind, VideoRestored.kind))
    async with site.db.read() as conn:
        changed = await conn.fetch_one("SELECT withdrawn_at FROM videos WHERE id = :id", {"id": FILM})
    assert changed is not None and changed["withdrawn_at"] == START, "grants of before stay dead"
    differs = {name for name in Video.__slots__ if getattr(before, name) != getattr(restored, name)}
    assert differs == {"updated_at"}
    assert [one.id for one in (await site.catalog.listed()).items] == [FILM]


async def test_others_may_not(site: Site) -> None:
    """Who may not delete a video may not move it either, nor bring it back, nor learn that it is there."""
    hidden = await site.add("hidden", visibility=Visibility.PRIVATE)
    for who in (Viewer(), Viewer(BOB)):
        with pytest.raises(Forbidden):
            await site.trash.put(FILM, who)
        with pytest.raises(NotFound):
            await site.trash.put(hidden, who)
    for one in (FILM, hidden):
        await site.trash.put(one, Viewer(ALICE))
        for who in (Viewer(), Viewer(BOB)):
            for act in (site.trash.restore, site.trash.delete, site.trash.find):
                with pytest.raises(NotFound):
                    await act(one, who)
    assert await site.trash.empty(BOB.id) == 0
    for nothing in ("never there", "../film"):
        with pytest.raises(NotFound):
            await site.trash.restore(VideoId(nothing), Viewer(ROOT))


async def test_what_an_administrator_took_away_only_one_gives_back(site: Site) -> None:
    """Its owner sees it, and may delete it, but not bring it back; all of it stands in the log."""
    await site.trash.put(FILM, Viewer(ROOT), "203.0.113.9")
    with pytest.raises(TrashedByOthers):
        await site.trash.restore(FILM, Viewer(ALICE))
    await site.trash.restore(FILM, Viewer(ROOT))
    await site.trash.put(FILM, Viewer(ROOT))
    await site.trash.restore(FILM, None)
    acts = [entry.act for entry in (await Audit(site.db).entries()).items]
    assert acts == [Act.VIDEO_TRASHED, Act.VIDEO_RESTORED, Act.VIDEO_TRASHED]
    await site.trash.put(FILM, Viewer(ROOT))
    await site.trash.delete(FILM, Viewer(ALICE))
    assert await site.row() is None


async def test_work_on_it_waits(site: Site) -> None:
    """What is being made of it stops with it, and goes on with it; what somebody had paused stays paused."""
    paused = await site.add("paused", paused=True, state=VideoState.PROCESSING)
    async with site.db.write() as conn:
        for one in (FILM, paused):
            task = ProbeSource(one)
            await site.queue.add(conn, task, subject=f"video:{one}", paused=one == paused)
            await site.queue.add(conn, SweepMedia(), subject=f"screen:{one}")
    for one in (FILM, paused):
        await site.trash.put(one, Viewer(ALICE))
    work = {job.subject: job.paused for job in await site.jobs() if job.kind != AnnounceEvent.kind}
    assert set(work.values()) == {True}
    for one in (FILM, paused):
        await site.trash.restore(one, Viewer(ALICE))
    work = {job.subject: job.paused for job in await site.jobs() if job.kind != AnnounceEvent.kind}
    assert work == {
        f"video:{FILM}": False,
        f"screen:{FILM}": False,
        f"video:{paused}": True,
        f"screen:{paused}": False,
    }


async def test_its_time_comes(site: Site) -> None:
    """After the days that are set it is deleted, a little before it is not; told once, and again changes nothing."""
    later = await site.add("later")
    await site.trash.put(FILM, Viewer(ALICE))
    site.now += 10 * DAY
    await site.trash.put(later, Viewer(ALICE))
    site.now = START + 30 * DAY - 1
    await site.sweep()
    assert await site.row() is not None
    site.now += 1
    await site.sweep()
    assert await site.row() is None
    assert await site.row(later) is not None
    await site.sweep()
    assert (await site.told()).count(VideoDeleted.kind) == 1
    # Shorter now: what came before goes with the next look.
    site.days = 0
    await site.sweep()
    assert await site.row(later) is None


async def test_emptying_goes_on_where_it_was_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that dies amid many videos leaves each either whole or gone; the next one does the rest."""
    for number in range(5):
        await site.trash.put(await site.add(f"old{number}"), Viewer(ALICE))
    site.now += 31 * DAY
    trash, left = site.trash, 3
    whole = trash.remove

    async def dies(*args: Any) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        await whole(*args)

    monkeypatch.setattr(trash, "remove", dies)
    with pytest.raises(KeyboardInterrupt):
        await trash.sweep(EmptyTrash(), await site._running(EmptyTrash()))
    assert len((await site.trash.listed(ALICE.id)).items) == 2
    await site.sweep()
    assert (await site.trash.listed(ALICE.id)).items == []
    assert await site.row() is not None, "what is not in the trash stays"


async def test_restored_in_the_last_moment(site: Site) -> None:
    """Whoever restores a video while the trash is being emptied has it."""
    await site.trash.put(FILM, Viewer(ALICE))
    site.now += 31 * DAY
    await site.trash.restore(FILM, Viewer(ALICE))
    assert not await site.trash._delete_if(FILM, site.now)
    assert await site.row() is not None


async def test_without_a_trash_it_is_gone_at_once(site: Site) -> None:
    """With 0 days nothing waits anywhere."""
    site.days = 0
    assert not await site.trash.put(FILM, Viewer(ALICE))
    assert await site.row() is None
    assert await site.told() == [VideoDeleted.kind]


async def test_pages_of_the_trash(site: Site) -> None:
    """What came last is first, and the pages join without a gap."""
    names = []
    for number in range(5):
        site.now += 1
        names.append(await site.add(f"old{number}"))
        await site.trash.put(names[-1], Viewer(ALICE))
    found, cursor = [], None
    while True:
        page = await site.trash.listed(None, cursor, 2)
        found += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == names[::-1]


async def test_whose_it_is(site: Site) -> None:
    """Everybody with something in the trash, who has the most bytes first; those without are not named."""
    small = [await site.add(f"small{number}", source_size=10) for number in range(2)]
    large = await site.add("large", owner_id=BOB.id, source_size=1000)
    await site.add("kept", owner_id=ROOT.id, source_size=5000)
    assert await site.trash.by_owner() == []
    for one in (*small, large):
        await site.trash.put(one, Viewer(ROOT))
    assert await site.trash.by_owner() == [(BOB.id, "Bob", 1, 1000), (ALICE.id, "Alice", 2, 20)]


def test_what_lies_in_the_trash_is_shown_to_nobody() -> None:
    """Whatever else would let others have it."""
    video = Video(FILM, ALICE.id, "Film", START, START, playable=True, state=VideoState.READY, deleted_at=START)
    assert not video.shown
    assert video.held
    assert video.clearance is Clearance.OPEN
