"""The mail room: one transaction with the cause, delivery with patience, dead letters that can be seen."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from streamhost.features.audit import Audit
from streamhost.features.mail.room import ASKED_FOR_AN_HOUR, DEAD_KEPT, LINES, SENT_KEPT
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import HOUR
from streamhost.model.errors import NotFound
from streamhost.model.ids import MailId
from streamhost.model.mail import MailKind, MailState, Message
from streamhost.model.tasks import JobState, SendMail, SweepMail
from streamhost.notify.console import ConsoleMailSender
from streamhost.notify.smtp import From, SmtpMailSender, SmtpServer
from streamhost.ports import MailRefused, MailUnavailable
from tests.support.smtp import HOST, Mailbox, serving, text_of
from tests.unit.jobs.kit import QUICK
from tests.unit.mail.conftest import VALUES, MailHouse

ROOT = Actor(None, "root@example.org", "203.0.113.9")


async def test_written_with_its_cause(house: MailHouse) -> None:
    """A mail exists if what it tells of was committed, and does not if that was rolled back; nor does its job."""
    with pytest.raises(ZeroDivisionError):
        async with house.db.write() as conn:
            await house.mail.enqueue(conn, "verify_email", "alice@example.org", VALUES)
            raise ZeroDivisionError
    async with house.db.read() as conn:
        assert await house.queue.list(conn) == []
    assert await house.letters(MailState.QUEUED) == []
    await house.enqueue()
    [letter] = await house.letters(MailState.QUEUED)
    async with house.db.read() as conn:
        [job] = await house.queue.list(conn)
    assert (job.kind, job.payload) == (SendMail.kind, {"mail_id": letter.id})


async def test_delivered(house: MailHouse) -> None:
    """A mail is handed over soon after the commit; then nothing of its secret link is left in the catalog."""
    await house.worker().start()
    await house.enqueue()
    [letter] = await house.until(MailState.SENT)
    [message] = house.desk.sent
    assert VALUES["link"] in message.text
    assert (letter.details, letter.attempts, letter.error_code) == ({}, 1, None)
    catalog = house.db.path
    files = [path.read_bytes() for path in catalog.parent.glob(f"{catalog.name}") if path.suffix == ".sqlite3"]
    async with house.db.read() as conn:
        [row] = await conn.fetch_all("SELECT * FROM mails")
    assert files and "token=abc" not in str(row)


async def test_patience(house: MailHouse) -> None:
    """Trouble on the way is tried again until it is over, always with the same message; what went wrong is told."""
    house.desk.troubles += [MailUnavailable("It is away."), MailUnavailable("Still.")]
    worker = house.worker()
    await house.enqueue()
    await worker.start()
    await house.until(MailState.SENT)
    assert len(house.desk.sent) == 1
    [letter] = await house.letters(MailState.SENT)
    assert (letter.attempts, letter.error_detail) == (3, None)


async def test_what_waits_says_why(house: MailHouse) -> None:
    """An admin sees that mail does not leave, since when and why, long before it is given up."""
    house.desk.troubles += [MailUnavailable("It does not let us sign in: 535 No.")]
    await house.worker(backoff=3600.0, backoff_max=3600.0).start()
    await house.enqueue()

    async def tried() -> bool:
        return (await house.mail.status()).failing is not None

    await house.bench.when(tried)
    status = await house.mail.status()
    assert status.failing is not None
    assert (status.waiting, status.dead) == (1, 0)
    assert (status.failing.error_code, status.failing.error_detail) == (
        "mail_unavailable",
        "It does not let us sign in: 535 No.",
    )


async def test_refused_for_good(house: MailHouse) -> None:
    """A mail that will never be taken is not tried again: it lies with the dead letters, with the reason."""
    house.desk.troubles.append(MailRefused("The mail server said 550 No such user."))
    await house.worker().start()
    await house.enqueue()
    [letter] = await house.until(MailState.DEAD)
    assert (letter.attempts, letter.error_code) == (1, "mail_refused")
    assert letter.error_detail == "The mail server said 550 No such user."
    assert letter.ended_at is not None
    assert (await house.mail.status()).dead == 1


async def test_given_up_in_the_end(house: MailHouse) -> None:
    """After about a day of trying, a mail is given up; until then it is not."""
    waits = [min(HOUR, 5.0 * 2.0**attempt) for attempt in range(SendMail.max_attempts - 1)]
    assert timedelta(hours=18) < timedelta(seconds=sum(waits)) < timedelta(hours=30)
    house.desk.troubles += [MailUnavailable("Away.")] * 4
    await house.enqueue()
    await house.tried(SendMail.max_attempts - 3)
    await house.worker().start()
    [letter] = await house.until(MailState.DEAD)
    assert (letter.error_code, len(house.desk.troubles)) == ("mail_unavailable", 1)


async def test_unforeseen_errors_end_with_the_dead(house: MailHouse) -> None:
    """Even an error of the program's own leaves a letter that can be found and sent again."""
    house.desk.troubles += [ZeroDivisionError("never heard of")] * 2
    await house.enqueue()
    await house.tried(SendMail.max_attempts - 2)
    await house.worker().start()
    [letter] = await house.until(MailState.DEAD)
    assert (letter.error_code, letter.error_detail) == ("job_crashed", "ZeroDivisionError: never heard of")


async def test_retry_and_discard(house: MailHouse) -> None:
    """A dead letter is sent again as it was, or thrown away; a letter that is not dead is neither."""
    house.desk.troubles += [MailRefused("No."), MailRefused("No."), MailRefused("No.")]
    await house.worker().start()
    for number in range(3):
        await house.enqueue(f"user{number}@example.org")
    letters = await house.until(MailState.DEAD, 3)
    await house.mail.discard(letters[0].id, ROOT)
    await house.mail.retry(letters[1].id, ROOT)
    [sent] = await house.until(MailState.SENT)
    assert sent.id == letters[1].id
    assert VALUES["link"] in house.desk.sent[0].text
    assert await house.mail.retry_all(ROOT) == 1
    await house.until(MailState.SENT, 2)
    for mail_id in (letters[0].id, letters[1].id, MailId("nothing")):
        with pytest.raises(NotFound):
            await house.mail.retry(mail_id, ROOT)
        with pytest.raises(NotFound):
            await house.mail.discard(mail_id, ROOT)
    assert await house.mail.retry_all(ROOT) == 0
    lines = [(line.act, line.actor, line.details) for line in (await Audit(house.db).entries()).items]
    assert lines == [
        (Act.MAIL_RETRIED, ROOT, {"mail": letters[2].id}),
        (Act.MAIL_RETRIED, ROOT, {"mail": letters[1].id}),
        (Act.MAIL_DISCARDED, ROOT, {"mail": letters[0].id}),
    ]


async def test_discarded_while_on_its_way(house: MailHouse) -> None:
    """A job whose letter is gone, or was sent already, does nothing."""
    await house.bench.add(SendMail(MailId("gone")))
    await house.worker().start()
    async with house.db.read() as conn:
        [job] = await house.queue.list(conn)
    await house.bench.until(job.id, JobState.DONE)
    assert house.desk.sent == []


async def test_nobody_is_flooded(house: MailHouse) -> None:
    """An address gets so many mails an hour that strangers can cause, and every notice of what has happened."""
    for _ in range(ASKED_FOR_AN_HOUR + 5):
        await house.enqueue("Victim@Example.org", MailKind.RESET_PASSWORD)
    assert len(await house.letters(MailState.QUEUED)) == ASKED_FOR_AN_HOUR
    await house.enqueue("bob@example.org", MailKind.RESET_PASSWORD)
    for _ in range(ASKED_FOR_AN_HOUR + 5):
        await house.enqueue("victim@example.org", MailKind.PASSWORD_CHANGED)
    assert len(await house.letters(MailState.QUEUED)) == 2 * ASKED_FOR_AN_HOUR + 6
    house.bench.ahead += HOUR + 1
    await house.enqueue("victim@example.org", MailKind.RESET_PASSWORD)
    assert len(await house.letters(MailState.QUEUED)) == 2 * ASKED_FOR_AN_HOUR + 7


async def test_mail_of_one_kind_keeps_none_of_another_away(house: MailHouse) -> None:
    """Whoever registers again and again with somebody's address does not keep a new password from them."""
    for _ in range(ASKED_FOR_AN_HOUR + 1):
        await house.enqueue("victim@example.org", MailKind.ADDRESS_TAKEN)
    await house.enqueue("victim@example.org", MailKind.RESET_PASSWORD)
    assert len(await house.letters(MailState.QUEUED)) == ASKED_FOR_AN_HOUR + 1


async def test_what_an_administrator_sends_is_not_withheld(house: MailHouse) -> None:
    """Strangers who use up what an address may be asked for do not keep a reset by an administrator from it."""
    for _ in range(ASKED_FOR_AN_HOUR + 1):
        await house.enqueue("victim@example.org", MailKind.RESET_PASSWORD)
    for kind in (MailKind.RESET_PASSWORD, MailKind.INVITATION, MailKind.VERIFY_EMAIL):
        await house.enqueue("victim@example.org", kind, trusted=True)
    assert len(await house.letters(MailState.QUEUED)) == ASKED_FOR_AN_HOUR + 3


async def test_a_hanging_server_leaves_places(house: MailHouse) -> None:
    """However much mail waits for a server that hangs, only so many places for light work are taken by it."""
    going = asyncio.Event()
    busy: list[Message] = []

    class Hanging:
        async def send(self, message: Message) -> None:
            busy.append(message)
            await going.wait()

    house.mail = house.room(Hanging())
    worker = house.bench.worker({SendMail: house.mail.deliver}, light=4)
    for number in range(12):
        await house.enqueue(f"user{number}@example.org")
    await worker.start()

    async def full() -> bool:
        return len(busy) == LINES

    await house.bench.when(full)
    await asyncio.sleep(0.2)
    assert len(busy) == len(worker.running) == LINES
    going.set()
    await house.until(MailState.SENT, 12)


async def test_a_restart_in_the_middle(house: MailHouse) -> None:
    """A delivery cut off by a stop is taken up again by the next worker: the mail is late, not lost."""
    begun = asyncio.Event()

    class Slow:
        async def send(self, message: Message) -> None:
            begun.set()
            await asyncio.sleep(60)

    slow = house.room(Slow())
    first = house.bench.worker({SendMail: slow.deliver})
    await house.enqueue()
    await first.start()
    await begun.wait()
    await first.stop(1)
    house.mail = house.room(house.desk)
    await house.worker().start()
    await house.until(MailState.SENT)
    assert len(house.desk.sent) == 1


async def test_old_mail_is_forgotten(house: MailHouse) -> None:
    """What was sent or given up long ago goes; what waits stays."""
    worker = house.worker()
    await worker.start()
    await house.enqueue()
    await house.until(MailState.SENT)
    house.desk.troubles.append(MailRefused("No."))
    await house.enqueue("bob@example.org")
    await house.until(MailState.DEAD)
    await worker.stop(1)
    await house.enqueue("mod@example.org")
    for ahead, left in ((SENT_KEPT - HOUR, (1, 1)), (SENT_KEPT + HOUR, (0, 1)), (DEAD_KEPT + HOUR, (0, 0))):
        house.bench.ahead = ahead
        job_id = await house.bench.add(SweepMail())
        patient = replace(QUICK, backoff=3600.0, backoff_max=3600.0)
        again = house.bench.worker({SweepMail: house.mail.sweep, SendMail: _later}, patient)
        await again.start()
        await house.bench.until(job_id, JobState.DONE)
        await again.stop(1)
        assert (len(await house.letters(MailState.SENT)), len(await house.letters(MailState.DEAD))) == left
    assert len(await house.letters(MailState.QUEUED)) == 1


async def _later(_task: object, _job: object) -> None:
    """A worker that cannot send."""
    raise MailUnavailable("Not now.")


async def test_mistakes_of_the_program_are_loud(house: MailHouse) -> None:
    """A mail of no known kind, or one whose text misses something, is refused where it is written."""
    async with house.db.write() as conn:
        with pytest.raises(ValueError, match="no_such_mail"):
            await house.mail.enqueue(conn, "no_such_mail", "a@example.org", VALUES)
        with pytest.raises(ValueError, match="expires, link"):
            await house.mail.enqueue(conn, "reset_password", "a@example.org", {"name": "A"})


async def test_through_a_real_server(house: MailHouse) -> None:
    """From the transaction to a real mail server that first refuses and then takes: the mail arrives, once."""
    mailbox = Mailbox()
    mailbox.answers = {"RCPT": ["451 Try again later"], "DATA": ["452 No room now"]}
    async with serving(mailbox) as (port, _):
        house.mail = house.room(
            SmtpMailSender(SmtpServer(HOST, port, "none", timeout=150), From("v@example.org", "Film"))
        )
        await house.worker().start()
        await house.enqueue()
        [letter] = await house.until(MailState.SENT)
    [mail] = mailbox.mails
    assert letter.attempts == 3
    assert mail["Message-ID"] == f"<{letter.id}@example.org>"
    assert VALUES["link"] in text_of(mail)
    assert VALUES["link"] in text_of(mail, "html")


async def test_a_test_mail(house: MailHouse) -> None:
    """A test mail is sent at once, past the outbox, and its error is the answer."""
    message = await house.mail.test("root@example.org")
    assert house.desk.sent == [message]
    assert await house.letters(MailState.QUEUED) == []
    house.desk.troubles.append(MailUnavailable("Away."))
    with pytest.raises(MailUnavailable):
        await house.mail.test("root@example.org")


async def test_a_console_that_nobody_reads(house: MailHouse) -> None:
    """A full pipe holds up neither the loop nor the end of the program for other mail."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading), os.fdopen(writing, "w") as out:
        sender = ConsoleMailSender(out)
        big = Message("id", "alice@example.org", "Subject", "x" * 1_000_000, "")
        with pytest.raises(MailUnavailable):
            await sender.send(big)
        os.set_blocking(writing, True)
        os.read(reading, 1_100_000)
