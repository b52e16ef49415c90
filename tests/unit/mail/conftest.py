"""A house with nothing but mail: a real catalog, queue and worker, and senders that do as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from streamhost.db import mail as rows
from streamhost.db.core import Database
from streamhost.features.mail import Mail, Writer
from streamhost.jobs.queue import Queue
from streamhost.jobs.worker import Handler, Worker
from streamhost.model.branding import Brand
from streamhost.model.ids import MailId
from streamhost.model.mail import Letter, MailKind, MailState, Message
from streamhost.model.tasks import SendMail, SweepMail, Task
from streamhost.ports import MailSender
from tests.support.catalogs import blank
from tests.unit.jobs.kit import QUICK, Bench

HURRIED = replace(QUICK, poll=0.01, backoff=0.001, backoff_max=0.004)
VALUES = {"name": "Alice", "link": "https://video.example.org/verify?token=abc", "expires": "24 hours"}


@dataclass
class Desk:
    """A sender that notes what it was given, or raises what is waiting in `troubles`."""

    sent: list[Message] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        """Do as told."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.sent.append(message)


@dataclass
class MailHouse:
    """The mail room on a catalog of its own, with a worker that delivers."""

    bench: Bench
    db: Database
    queue: Queue
    desk: Desk
    mail: Mail

    def worker(self, **timing: float) -> Worker:
        """A worker with the mail room's jobs, in a great hurry, unless some of its times are said."""
        handlers: dict[type[Task], Handler] = {SendMail: self.mail.deliver, SweepMail: self.mail.sweep}
        return self.bench.worker(handlers, replace(HURRIED, **timing), light=2)

    def room(self, sender: MailSender) -> Mail:
        """The mail room with another way of sending."""
        writer = Writer(Brand("Film club"), "https://video.example.org")
        mail = Mail(self.db, self.queue, sender, self.bench.clock, writer, configured=True)
        self.queue.on_failed(SendMail, mail.gave_up)
        return mail

    async def enqueue(
        self, to: str = "alice@example.org", kind: str = MailKind.VERIFY_EMAIL, *, trusted: bool = False
    ) -> None:
        """Write one mail, committed."""
        async with self.db.write() as conn:
            await self.mail.enqueue(conn, kind, to, VALUES, trusted=trusted)

    async def tried(self, times: int) -> None:
        """Every job has been tried so often already."""
        async with self.db.write() as conn:
            await conn.execute("UPDATE jobs SET attempts = :times", {"times": times})

    async def letters(self, state: MailState) -> list[Letter]:
        """Letters in one state."""
        return await self.mail.letters(state)

    async def get(self, mail_id: MailId) -> Letter | None:
        """One letter as it is now."""
        async with self.db.read() as conn:
            return await rows.get(conn, mail_id)

    async def until(self, state: MailState, number: int = 1) -> list[Letter]:
        """So many letters in one state, once they are."""

        async def there() -> bool:
            return len(await self.letters(state)) >= number

        await self.bench.when(there)
        return await self.letters(state)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[MailHouse]:
    db = await Database.open(blank(tmp_path))
    bench, desk = Bench(db), Desk()
    made = MailHouse(bench, db, bench.queue, desk, None)  # type: ignore[arg-type]  # set in the next line
    made.mail = made.room(desk)
    yield made
    for worker in bench.workers:
        await worker.stop(1)
    await db.close()
