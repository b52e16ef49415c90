"""The mail room: letters are written down in the transaction of what they tell of, and delivered afterwards."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from streamhost import log
from streamhost.config import Settings
from streamhost.db import audit
from streamhost.db import mail as rows
from streamhost.db.core import Connection, Database
from streamhost.features.mail.texts import WORDS
from streamhost.features.mail.writing import Writer
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import DAY, HOUR, Clock
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import MailId, new_id
from streamhost.model.mail import Letter, MailKind, MailState, Message
from streamhost.model.tasks import Job, SendMail, SweepMail
from streamhost.ports import MailSender, MailUnavailable

LINES = 2
"""How many mails are on their way at once: a mail server that hangs must not take every place for light work."""
PRIORITY = 10
"""Somebody sits and waits for most mails; nobody for other light work."""
NOTICE_PRIORITY = 0
ASKED_FOR = (
    MailKind.VERIFY_EMAIL,
    MailKind.ADDRESS_TAKEN,
    MailKind.RESET_PASSWORD,
    MailKind.CHANGE_EMAIL,
    MailKind.INVITATION,
)
"""Mail that strangers can cause. Notices of what has happened are not among them: nobody can use those up."""
ASKED_FOR_AN_HOUR = 8
"""How many of each of those one address gets in an hour, whoever asks from wherever. Counted together, whoever has many
mails of one kind sent would keep one of another from it: a link for a new password, say."""
SENT_KEPT = 14 * DAY
"""How long it can be looked up that a mail was sent."""
DEAD_KEPT = 30 * DAY
DETAIL_LENGTH = 500
LISTED = 200

_logger = log.get("mail")


@dataclass(frozen=True, slots=True)
class MailStatus:
    """How the outbox stands. `configured`: mail is really sent, not printed. `failing`: the newest that has to wait."""

    configured: bool
    waiting: int
    dead: int
    failing: Letter | None


async def nobody_minds(_conn: Connection, _what: str) -> None:
    """For a house in which dead letters are only looked for."""


class Mail:
    """Writes mail down, sees to it that it is delivered, and keeps what could not be."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        sender: MailSender,
        clock: Clock,
        writer: Writer,
        *,
        configured: bool,
        dead: Callable[[Connection, str], Awaitable[None]] = nobody_minds,
        sender_of: Callable[[Settings], MailSender] | None = None,
    ) -> None:
        """`dead` is told in words, in the transaction, when a letter is given up. `sender_of` makes what would send
        mail by other settings."""
        self._sender_of = sender_of
        self._db = db
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._writer = writer
        self._configured = configured
        self._dead = dead

    async def enqueue(
        self, conn: Connection, kind: str, to: str, values: Mapping[str, str], *, trusted: bool = False
    ) -> None:
        """Write a mail down in the caller's transaction; it is delivered once that is on disk.

        `kind` is a `MailKind`. `values`: `link`, `expires` (a span in words, such as `24 hours`), `name`, `site`; the
        last two may be left out. An address that is asked for too much mail gets no more for a while; the caller is not
        told, for neither is whoever asked. Not so where it is `trusted`: an administrator wants it sent. Raises
        `ValueError` for an unknown kind or a missing value."""
        about = MailKind(kind)
        if missing := WORDS[about].needs() - values.keys():
            raise ValueError(f"a mail of the kind {about.value} needs {', '.join(sorted(missing))}")
        now = self._clock()
        asked_for = about in ASKED_FOR and not trusted
        if asked_for and await rows.recent(conn, to, about, now - HOUR) >= ASKED_FOR_AN_HOUR:
            _logger.warning("An address is asked for too much mail", action="mail_withheld", kind=about.value)
            return
        letter = Letter(id=MailId(new_id()), kind=about, recipient=to, created_at=now, details=dict(values))
        await rows.insert(conn, letter)
        await self._post(conn, letter.id)

    async def post(self, conn: Connection, to: str, subject: str, text: str, html: str, unsubscribe: str) -> None:
        """Put a mail that was written elsewhere into the outbox, in the caller's transaction."""
        details = {"subject": subject, "text": text, "html": html, "unsubscribe": unsubscribe}
        letter = Letter(MailId(new_id()), MailKind.NOTICE, to, self._clock(), details)
        await rows.insert(conn, letter)
        await self._post(conn, letter.id, NOTICE_PRIORITY)

    async def deliver(self, task: SendMail, job: JobContext) -> None:
        """The job: hand one letter over. Raises `MailUnavailable` (tried again) or `MailRefused` (not)."""
        async with self._db.read() as conn:
            letter = await rows.get(conn, task.mail_id)
        if letter is None or letter.state is not MailState.QUEUED:
            return
        try:
            await self._sender.send(self._writer.message(letter))
        except StreamhostError as error:
            async with self._db.write() as conn:
                await rows.failed(conn, letter.id, self._clock(), error.code, _words(error))
            raise
        async with self._db.write() as conn:
            await rows.sent(conn, letter.id, self._clock())
            await job.complete(conn)
        _logger.info("A mail was handed over", action="mail_sent", mail=letter.id, kind=letter.kind.value)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A delivery ended for good: the letter goes to the dead ones, where an admin finds it."""
        mail_id = MailId(job.payload["mail_id"])
        letter = await rows.get(conn, mail_id)
        await rows.give_up(conn, mail_id, self._clock(), error.code, _words(error))
        if letter is not None:
            await self._dead(conn, f"A mail to {letter.recipient} was given up: {_words(error)}")

    async def sweep(self, _task: SweepMail, job: JobContext) -> None:
        """The job: forget what was sent, or given up, long ago."""
        now = self._clock()
        async with self._db.write() as conn:
            sent = await rows.prune(conn, MailState.SENT, now - SENT_KEPT)
            dead = await rows.prune(conn, MailState.DEAD, now - DEAD_KEPT)
            await job.complete(conn)
        if sent or dead:
            _logger.info("Old mail was forgotten", action="sweep_mail", sent=sent, dead=dead)

    # For admins

    async def status(self) -> MailStatus:
        """How the outbox stands."""
        async with self._db.read() as conn:
            counts = await rows.counts(conn)
            failing = await rows.failing(conn)
        return MailStatus(
            configured=self._configured,
            waiting=counts.get(MailState.QUEUED, 0),
            dead=counts.get(MailState.DEAD, 0),
            failing=failing,
        )

    async def letters(self, state: MailState, limit: int = LISTED) -> list[Letter]:
        """Letters in one state, newest first."""
        async with self._db.read() as conn:
            return await rows.listed(conn, state, limit)

    async def retry(self, mail_id: MailId, by: Actor) -> None:
        """Try a dead letter again, with all its attempts. Raises `NotFound` if it is none."""
        async with self._db.write() as conn:
            if not await rows.revive(conn, mail_id):
                raise NotFound("There is no such dead letter.")
            await self._post(conn, mail_id)
            await self._note(conn, Act.MAIL_RETRIED, by, mail_id)

    async def retry_all(self, by: Actor) -> int:
        """Try every dead letter again; how many."""
        async with self._db.write() as conn:
            revived = await rows.revive_all(conn)
            for mail_id in revived:
                await self._post(conn, mail_id)
                await self._note(conn, Act.MAIL_RETRIED, by, mail_id)
        return len(revived)

    async def discard(self, mail_id: MailId, by: Actor) -> None:
        """Throw a dead letter away. Raises `NotFound` if it is none."""
        async with self._db.write() as conn:
            if not await rows.discard(conn, mail_id):
                raise NotFound("There is no such dead letter.")
            await self._note(conn, Act.MAIL_DISCARDED, by, mail_id)

    async def test(self, to: str) -> Message:
        """Send a test mail now, past the outbox; the message. Raises `MailUnavailable` or `MailRefused`."""
        if not self._configured:
            raise MailUnavailable("No mail server is set, so mail is only printed.", hint="Set mail.host.")
        return await self._send_test(self._sender, to)

    async def try_out(self, settings: Settings, to: str) -> Message:
        """Send a test mail by settings that are not in force. Raises `MailUnavailable` or `MailRefused`, and
        `InvalidSettings` where they do not make a sender."""
        if self._sender_of is None or not settings.mail.host:
            raise MailUnavailable("No mail server is named.", hint="Say which it is, or skip this step.")
        return await self._send_test(self._sender_of(settings), to)

    async def _send_test(self, sender: MailSender, to: str) -> Message:
        letter = Letter(id=MailId(new_id()), kind=MailKind.TEST, recipient=to, created_at=self._clock())
        message = self._writer.message(letter)
        await sender.send(message)
        return message

    async def _note(self, conn: Connection, act: Act, by: Actor, mail_id: MailId) -> None:
        await audit.insert(conn, AuditEntry(self._clock(), act, by, details={"mail": mail_id}))

    async def _post(self, conn: Connection, mail_id: MailId, priority: int = PRIORITY) -> None:
        line = zlib.crc32(mail_id.encode()) % LINES
        await self._queue.add(
            conn, SendMail(mail_id), priority=priority, lock=f"mail:{line}", subject=f"mail:{mail_id}"
        )


def _words(error: StreamhostError) -> str:
    return error.words()[:DETAIL_LENGTH]
