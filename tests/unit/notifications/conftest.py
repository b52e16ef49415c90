"""A house with nothing but notifications: a real catalog, queue and worker, a movable clock, a real endpoint."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from streamhost.db import users
from streamhost.db.core import Database
from streamhost.features.notifications import Notifications, Sealer, Site, Ways, WrittenMail
from streamhost.jobs.announcing import Announcing, announce
from streamhost.model.accounts import Role, User
from streamhost.model.branding import Brand
from streamhost.model.clock import DAY, MINUTE, Timestamp
from streamhost.model.events import Event, VideoProcessed
from streamhost.model.ids import UserId, VideoId
from streamhost.model.notices import AddressAsked, Notice
from streamhost.model.tasks import (
    AnnounceEvent,
    DeliverNotice,
    Job,
    JobState,
    MailNotices,
    SweepNotices,
    TellSubscriber,
)
from streamhost.notify.addresses import AddressGuard
from streamhost.notify.posting import Poster
from streamhost.testing.faulty_http import FaultyHttp, faulty_http
from tests.support.catalogs import blank
from tests.unit.jobs.kit import QUICK, Bench

HOME = "https://video.example.org"
HURRIED = replace(QUICK, poll=0.01)
PATIENCE = 5 * DAY
CAST = {"alice": Role.CREATOR, "carol": Role.CREATOR, "mia": Role.MODERATOR, "root": Role.ADMIN, "bob": Role.VIEWER}


NUMBER = AddressAsked("Number", "Digits only.", r"\d{1,20}")


@dataclass
class Pager:
    """A channel of a plugin. It keeps what it is given, or raises what is waiting in `troubles`."""

    asks: AddressAsked | None = NUMBER
    sent: list[Notice] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        """Do as told."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.sent.append(notice)


class StandingBench(Bench):
    """Its clock stands until the test moves it, but for telling apart what comes first: what is to be tried again is
    tried when the test says so, however slow the machine is."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.began = time.time()

    def clock(self) -> Timestamp:
        """The time at which the test began, and as much ahead as it says."""
        self.began += 1e-6
        return self.began + self.ahead


@dataclass
class NoticeHouse:
    """The room on a catalog of its own, with a worker."""

    db: Database
    bench: Bench
    room: Notifications
    server: FaultyHttp
    poster: Poster
    pager: Pager
    wall: Pager
    mails: list[tuple[str, WrittenMail]]
    people: dict[str, User]

    async def tell(self, *events: Event) -> None:
        """Announce events in one transaction, as the rooms do."""
        async with self.db.write() as conn:
            for event in events:
                await announce(conn, self.bench.queue, event)

    async def settled(self) -> None:
        """Wait until nothing is due any more."""

        async def still() -> bool:
            async with self.db.read() as conn:
                found = await self.bench.queue.list(conn, (JobState.QUEUED, JobState.RUNNING))
            return all(job.state is JobState.QUEUED and job.run_at > self.bench.clock() for job in found)

        await self.bench.when(still)

    async def later(self, seconds: float) -> None:
        """Let time pass, and what is due then be done."""
        self.bench.ahead += seconds
        await self.settled()

    async def jobs(self, kind: str) -> list[Job]:
        """The jobs of a kind, newest first."""
        async with self.db.read() as conn:
            return await self.bench.queue.list(conn, kind=kind)

    async def under_the_bell(self, who: str) -> list[tuple[str, str]]:
        """Kind and title of what somebody has there, newest first."""
        found = await self.room.bell.listed(self.people[who].id, limit=100)
        return [(one.notice.kind, one.notice.title) for one in found.items]

    def processed(self, number: int = 0, owner: str = "alice", title: str = "") -> VideoProcessed:
        """A video of somebody's is ready."""
        film = VideoId(f"film{number}")
        return VideoProcessed(film, UserId(owner), title or f"Holidays {number}", at=self.bench.clock())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[NoticeHouse]:
    """The room, its worker running, with the cast in the catalog."""
    db = await Database.open(blank(tmp_path))
    bench, pager, wall = StandingBench(db), Pager(), Pager(asks=None)
    poster = Poster(AddressGuard(["127.0.0.0/8"]), 60.0)
    mails: list[tuple[str, WrittenMail]] = []

    async def posts(_conn: object, to: str, mail: WrittenMail) -> None:
        mails.append((to, mail))

    now = bench.clock()
    people = {n: User(UserId(n), f"{n}@example.org", n.title(), role, "", now, now) for n, role in CAST.items()}
    async with db.write() as conn:
        for user in people.values():
            await users.insert(conn, user)
    async with faulty_http() as server:
        ways = Ways(
            posts=posts,
            poster=poster,
            agent="streamhost/test",
            mail_gap=15 * MINUTE,
            patience=PATIENCE,
            kept=90 * DAY,
            notifiers={"pager": pager, "wall": wall},
            site_kinds=("video_failed",),
        )
        site = Site(Brand("Film club"), HOME, tmp_path / "templates" / "mail")
        room = Notifications(db, bench.queue, bench.clock, site, ways, Sealer({1: b"s" * 32}), b"k" * 32)
        announcing = Announcing(db, bench.queue)
        announcing.subscribe("notifications", room.hear)
        bench.queue.on_failed(DeliverNotice, room.gave_up)
        worker = bench.worker(
            {
                AnnounceEvent: announcing.announce,
                TellSubscriber: announcing.tell,
                DeliverNotice: room.outgoing.deliver,
                MailNotices: room.email.post,
                SweepNotices: room.sweep,
            },
            HURRIED,
            light=2,
            deliveries=2,
        )
        await worker.start()
        yield NoticeHouse(db, bench, room, server, poster, pager, wall, mails, people)
        await worker.stop(1)
    await db.close()
