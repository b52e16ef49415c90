"""The contract of the notifier port, run on every implementation."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from streamhost.db import jobs as job_rows
from streamhost.db import notice_mails, users
from streamhost.db.core import Database
from streamhost.features.notifications import EmailNotifier, InAppNotifier
from streamhost.features.notifications.unsubscribing import Unsubscribing
from streamhost.features.notifications.writing import NoticeWriter, WrittenMail
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, User
from streamhost.model.branding import Brand
from streamhost.model.ids import UserId
from streamhost.model.notices import Recipient
from streamhost.model.tasks import Lane, MailNotices
from streamhost.notify.addresses import AddressGuard
from streamhost.notify.console import ConsoleNotifier
from streamhost.notify.posting import Poster
from streamhost.notify.webhook import Endpoint, WebhookNotifier, new_secret
from streamhost.ports import NotifyRefused
from streamhost.testing.faulty_http import Asked, FaultyHttp, faulty_http
from streamhost.testing.notifier_contract import (
    Arrived,
    NotifierContract,
    Office,
    RemoteNotifierContract,
    RemoteOffice,
    alice,
    notice,
)
from tests.support.catalogs import blank
from tests.support.waiting import patience

NOW = 1_800_000_000.0


class Console:
    """A terminal that remembers what was printed."""

    recipient = alice()

    def __init__(self) -> None:
        self._out = io.StringIO()
        self.notifier = ConsoleNotifier(self._out)

    async def received(self) -> list[Arrived]:
        """The lines."""
        return [Arrived(line, line.split()[2]) for line in self._out.getvalue().splitlines()]

    async def close(self) -> None:
        """Nobody looks any more."""
        self._out.close()


class TestConsoleNotifier(NotifierContract):
    """`ConsoleNotifier`."""

    says = ("Holidays 0", "https://video.example.org/watch/film0", "Alice")

    @pytest.fixture
    def office(self) -> Office:
        """A terminal."""
        return Console()

    async def test_a_terminal_is_not_steered(self, office: Office) -> None:
        """What users typed moves no cursor, and begins no line of its own."""
        await office.notifier.send(notice(recipient=office.recipient, title="\x1b[2J\x1b[H\r\nroot:"))
        [came] = await office.received()
        assert came.said.isprintable()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A catalog with alice in it."""
    db = await Database.open(blank(tmp_path))
    async with db.write() as conn:
        await users.insert(conn, User(UserId("alice"), "alice@example.org", "Alice", Role.CREATOR, "", NOW, NOW))
    yield db
    await db.close()


@dataclass
class Bell:
    """Alice's bell."""

    db: Database
    notifier: InAppNotifier
    recipient: Recipient

    async def received(self) -> list[Arrived]:
        """What lies under it."""
        found = [one.notice for one in (await self.notifier.listed(UserId("alice"), limit=100)).items]
        return [Arrived(f"{one.title} {one.text} {one.link}", one.id) for one in found]

    async def close(self) -> None:
        """The catalog is away."""
        await self.db.close()


class TestInAppNotifier(NotifierContract):
    """`InAppNotifier`."""

    says = ("Holidays 0", "Every version", "/watch/film0")

    @pytest.fixture
    def office(self, db: Database) -> Office:
        """A bell."""
        return Bell(db, InAppNotifier(db, lambda: NOW), alice())

    async def test_nobody_in_particular(self, office: Office) -> None:
        """A bell belongs to somebody who is there."""
        for recipient in (None, Recipient(UserId("nobody"), "Nobody", "nobody@example.org")):
            with pytest.raises(NotifyRefused):
                await office.notifier.send(notice(recipient=recipient))


class Letterbox:
    """Alice's mails, each with one notice or several in it."""

    recipient = alice()

    def __init__(self, db: Database, own: Path) -> None:
        self._db = db
        self._mails: list[WrittenMail] = []
        self._queue = Queue(lambda: NOW)
        writer = NoticeWriter(Brand("Film club"), "https://video.example.org", own)
        links = Unsubscribing(b"k" * 32, "https://video.example.org")

        async def posts(_conn: object, _to: str, mail: WrittenMail) -> None:
            self._mails.append(mail)

        self.notifier = EmailNotifier(db, self._queue, lambda: NOW, 0.0, writer, links, posts)

    async def received(self) -> list[Arrived]:
        """Every notice that stands in a mail, after the job that writes them has run."""
        async with self._db.read() as conn:
            jobs = await self._queue.list(conn, kind=MailNotices.kind)
            waiting = await notice_mails.waiting(conn, UserId("alice"))
        assert len(jobs) == (1 if waiting else 0)
        ids = [str(one.id) for one in waiting]
        if jobs:
            async with self._db.write() as conn:
                job = await job_rows.claim(conn, Lane.LIGHT, "worker", NOW, NOW + 60)
            assert job is not None
            await self.notifier.post(MailNotices(UserId("alice")), JobContext(job, lambda: NOW))
        [mail] = self._mails
        assert mail.html.count("<script") == 0
        if len(ids) == 1:
            return [Arrived(f"{mail.subject}\n{mail.text}", ids[0])]
        return [Arrived(part) for part in mail.text.split("\n* ")[1:]]

    async def close(self) -> None:
        """The catalog is away."""
        await self._db.close()


class TestEmailNotifier(NotifierContract):
    """`EmailNotifier`."""

    says = (
        "Holidays 0",
        "Every version",
        "https://video.example.org/watch/film0",
        "Hello Alice",
        "/unsubscribe?token=",
    )

    @pytest.fixture
    def office(self, db: Database, tmp_path: Path) -> Office:
        """A letterbox."""
        return Letterbox(db, tmp_path / "templates")


class Listener:
    """A program that is told by a webhook."""

    recipient = None

    def __init__(self, server: FaultyHttp, seconds: float) -> None:
        self.server = server
        endpoint = Endpoint(f"{server.url}/hook", (new_secret(),))
        poster = Poster(AddressGuard(["127.0.0.0/8"]), seconds)
        self.notifier = WebhookNotifier(endpoint, poster, lambda: NOW, "streamhost/test")

    async def received(self) -> list[Arrived]:
        """What was posted."""
        return [_posted(asked) for asked in self.server.requests]

    async def close(self) -> None:
        """It does not run."""
        await self.server.stop()


def _posted(asked: Asked) -> Arrived:
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/hook", "application/json")
    document = json.loads(asked.body)
    return Arrived(f"{document['type']} {document['timestamp']} {document['data']}", asked.headers["webhook-id"])


class TestWebhookNotifier(RemoteNotifierContract):
    """`WebhookNotifier`."""

    says = ("Holidays 0", "video.processed", "2027-01-15T08:00:00.000Z", "film0")
    refusal: ClassVar[int] = 410

    @pytest.fixture
    async def office(self, request: pytest.FixtureRequest) -> AsyncIterator[RemoteOffice]:
        """An endpoint on this machine."""
        async with faulty_http() as server:
            yield Listener(server, patience(request, 1.0))
