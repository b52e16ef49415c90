"""Videos that become public at a time, and what takes that back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import jobs as job_rows
from streamhost.db import users, videos
from streamhost.db.core import Database
from streamhost.features.catalog import Catalog, Trash
from streamhost.hookspecs import Refused
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import LeaseLost
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, User, Viewer
from streamhost.model.catalog_tasks import PublishVideo
from streamhost.model.clock import DAY, HOUR, iso
from streamhost.model.errors import InvalidInput
from streamhost.model.events import AccessRevoked, VideoPublished
from streamhost.model.ids import UserId, VideoId
from streamhost.model.tasks import Job, JobState, Lane
from streamhost.model.videos import Video, VideoState, Visibility
from tests.support.catalogs import blank

START = 1_800_000_000.0
SOON = START + HOUR
ALICE = User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", START)
FILM = VideoId("film")


@dataclass(slots=True)
class Site:
    """A catalog with one video, and a clock to move."""

    db: Database
    now: float = START
    refusal: Refused | None = None
    asked: list[Visibility] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue = Queue(lambda: self.now)
        self.catalog = Catalog(self.db, self.queue, lambda: self.now, gate=self._gate)
        self.queue.on_failed(PublishVideo, self.catalog.publishing.gave_up)

    queue: Queue = field(init=False)
    catalog: Catalog = field(init=False)

    async def _gate(self, video: Video) -> None:
        self.asked.append(video.visibility)
        if self.refusal is not None:
            raise self.refusal

    async def edit(self, **changes: Any) -> Video:
        """An edit by its owner."""
        return await self.catalog.edit(FILM, Viewer(ALICE), changes)

    async def row(self) -> Video:
        """What the database has."""
        async with self.db.read() as conn:
            video = await videos.get(conn, FILM)
        assert video is not None
        return video

    async def planned(self) -> list[Job]:
        """The jobs that are to publish it."""
        async with self.db.read() as conn:
            return await self.queue.list(conn, (JobState.QUEUED,), kind=PublishVideo.kind)

    async def told(self) -> list[str]:
        """The kinds of the events that were announced."""
        async with self.db.read() as conn:
            jobs = await self.queue.list(conn)
        return [job.payload["event_kind"] for job in reversed(jobs) if "event_kind" in job.payload]

    async def due(self) -> Job | None:
        """Take the job whose time has come."""
        async with self.db.write() as conn:
            while job := await job_rows.claim(conn, Lane.LIGHT, "worker", self.now, self.now + 60):
                if job.kind == PublishVideo.kind:
                    return job
        return None

    async def work(self) -> bool:
        """Publish what is due."""
        job = await self.due()
        if job is not None:
            task = PublishVideo(job.payload["video_id"], job.payload["at"])
            await self.catalog.publishing.publish(task, JobContext(job, lambda: self.now))
        return job is not None


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with one unlisted video that plays."""
    db = await Database.open(blank(tmp_path))
    film = Video(FILM, ALICE.id, "Film", START, START, state=VideoState.READY, playable=True, published_at=START)
    async with db.write() as conn:
        await users.insert(conn, ALICE)
        await videos.insert(conn, film)
    yield Site(db)
    await db.close()


async def test_private_until_then_and_public_afterwards(site: Site) -> None:
    """Its time is kept to the second, it is told of once, and it stands among the newest from then on."""
    edited = await site.edit(publish_at=iso(SOON))
    assert (edited.visibility, edited.publish_at) == (Visibility.PRIVATE, SOON)
    site.now = SOON - 1
    assert not await site.work()
    site.now = SOON
    assert await site.work()
    video = await site.row()
    assert (video.visibility, video.publish_at, video.published_at) == (Visibility.PUBLIC, None, SOON)
    assert await site.told() == [VideoPublished.kind]
    assert not await site.planned()
    assert site.asked == [Visibility.PUBLIC]


async def test_it_is_told_of_in_the_transaction_that_publishes(site: Site) -> None:
    """Whoever wants to hear of publications hears of this one; again, and nothing happens twice."""
    await site.edit(publish_at=iso(SOON))
    site.now = SOON
    job = await site.due()
    assert job is not None
    task = PublishVideo(FILM, SOON)
    await site.catalog.publishing.publish(task, JobContext(job, lambda: site.now))
    assert await site.told() == [VideoPublished.kind]
    # Killed after its commit and begun again, it finds nothing to do; the lease is gone, so its end is refused.
    with pytest.raises(LeaseLost):
        await site.catalog.publishing.publish(task, JobContext(job, lambda: site.now))
    assert await site.told() == [VideoPublished.kind]


async def test_a_time_that_is_past_is_now(site: Site) -> None:
    """No job, no waiting."""
    edited = await site.edit(publish_at=iso(START - DAY), visibility="public")
    assert (edited.visibility, edited.publish_at, edited.published_at) == (Visibility.PUBLIC, None, START)
    assert not await site.planned()
    assert await site.told() == [VideoPublished.kind]


async def test_what_others_could_watch_is_closed_until_then(site: Site) -> None:
    """A public video that is to be published later is private first, and links to it end."""
    await site.edit(visibility="unlisted")
    await site.edit(publish_at=iso(SOON))
    assert AccessRevoked.kind in await site.told()
    assert (await site.row()).visibility is Visibility.PRIVATE


@pytest.mark.parametrize("change", [{"publish_at": None}, {"visibility": "public"}, {"visibility": "unlisted"}])
async def test_it_is_taken_back(site: Site, change: dict[str, Any]) -> None:
    """By taking the time away, or by letting others watch at once."""
    await site.edit(publish_at=iso(SOON))
    edited = await site.edit(**change)
    assert edited.publish_at is None
    assert edited.visibility.value == change.get("visibility", "private")
    assert not await site.planned()


async def test_another_time_takes_the_place_of_the_first(site: Site) -> None:
    """One job waits, for the newest time; other edits leave it alone; the job of an older time does nothing."""
    await site.edit(publish_at=iso(SOON))
    await site.edit(publish_at=iso(SOON + DAY))
    await site.edit(title="Other", visibility="private")
    assert [(job.payload["at"], job.run_at) for job in await site.planned()] == [(SOON + DAY, SOON + DAY)]
    async with site.db.write() as conn:
        await site.queue.add(conn, PublishVideo(FILM, SOON))
    assert await site.work()
    assert (await site.row()).visibility is Visibility.PRIVATE


async def test_somebody_objects(site: Site) -> None:
    """What a plugin refuses stays private, and the video says why."""
    await site.edit(publish_at=iso(SOON))
    site.now, site.refusal = SOON, Refused("Not on a Sunday.")
    job = await site.due()
    assert job is not None
    with pytest.raises(Refused):
        await site.catalog.publishing.publish(PublishVideo(FILM, SOON), JobContext(job, lambda: site.now))
    async with site.db.write() as conn:
        await site.queue.failed(conn, job, site.refusal)
    video = await site.row()
    assert (video.visibility, video.publish_at) == (Visibility.PRIVATE, None)
    assert "Not on a Sunday." in video.notes[-1]


async def test_in_the_trash_its_time_passes(site: Site) -> None:
    """It comes back private, and is not told of."""
    await site.edit(publish_at=iso(SOON))
    trash = Trash(site.db, site.queue, lambda: site.now)
    await trash.put(FILM, Viewer(ALICE))
    site.now = SOON
    assert await site.work()
    await trash.restore(FILM, Viewer(ALICE))
    video = await site.row()
    assert (video.visibility, video.publish_at) == (Visibility.PRIVATE, None)
    assert VideoPublished.kind not in await site.told()


@pytest.mark.parametrize(
    "changes",
    [
        {"publish_at": "tomorrow"},
        {"publish_at": "2027-01-01T10:00"},
        {"publish_at": 12},
        {"publish_at": "9999-99-99T00:00:00Z"},
        {"publish_at": iso(SOON), "visibility": "unlisted"},
    ],
)
async def test_times_that_are_none(site: Site, changes: dict[str, Any]) -> None:
    """Words, times without a zone, numbers, and what cannot be public at a time, are refused by name."""
    with pytest.raises(InvalidInput) as caught:
        await site.edit(**changes)
    assert set(caught.value.fields) == {"publish_at"}


async def test_tags_are_added_and_taken_away(site: Site) -> None:
    """Beside those that are there, whoever edits at the same time; those that are used most are suggested first."""
    await site.edit(tags=["sea", "sun"])
    assert (await site.edit(add_tags=["Beach", "sun"], remove_tags=["sea"])).tags == ("sun", "beach")
    assert await site.catalog.tags(ALICE.id) == ["sun", "beach"]
    with pytest.raises(InvalidInput):
        await site.edit(add_tags=[f"tag {number}" for number in range(30)])
