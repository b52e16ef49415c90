"""Notices by mail: the first at once, those that follow soon after it together in one mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from streamhost import log
from streamhost.db import notice_mails as rows
from streamhost.db import users
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.taking import take
from streamhost.features.notifications.unsubscribing import Unsubscribing
from streamhost.features.notifications.writing import NoticeWriter, WrittenMail
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.ids import UserId
from streamhost.model.notices import AddressAsked, Notice
from streamhost.model.tasks import MailNotices
from streamhost.ports import NotifyRefused

Posts = Callable[[Connection, str, WrittenMail], Awaitable[None]]
"""Puts a mail for an address into the outbox, in the caller's transaction."""

_logger = log.get("notifications")


class EmailNotifier:
    """Puts notices into mails, no more than one mail in `gap` seconds for each person."""

    asks: AddressAsked | None = None

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        gap: float,
        writer: NoticeWriter,
        links: Unsubscribing,
        posts: Posts,
    ) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._gap = gap
        self._writer = writer
        self._links = links
        self._posts = posts

    async def send(self, notice: Notice) -> None:
        """Take one into the next mail to its recipient."""
        if notice.recipient is None or not notice.recipient.email:
            raise NotifyRefused("A mail needs somebody to go to.")
        await take(self._db, self.add, notice.recipient.user_id, notice)

    async def add(self, conn: Connection, user_id: UserId, notice: Notice) -> None:
        """Take one into the next mail, in the caller's transaction."""
        now = self._clock()
        if not await rows.insert(conn, user_id, notice, now):
            return
        last = await rows.last_sent(conn, user_id)
        wait = 0.0 if last is None else max(0.0, last + self._gap - now)
        await self._queue.add(
            conn, MailNotices(user_id), queueing_lock=f"mail_notices:{user_id}", delay=min(wait, self._gap)
        )

    async def post(self, task: MailNotices, job: JobContext) -> None:
        """The job: write one mail of everything that waits for somebody."""
        async with self._db.read() as conn:
            waiting = await rows.waiting(conn, task.user_id)
            user = await users.get(conn, task.user_id)
        mail: WrittenMail | None = None
        if waiting and user is not None and user.active and user.email_verified_at is not None:
            kind = waiting[0].kind if len(waiting) == 1 else None
            mail = self._writer.mail(waiting, user.name, self._links.url(user.id, kind))
        async with self._db.write() as conn:
            await rows.remove(conn, [notice.id for notice in waiting])
            if mail is not None and user is not None:
                await self._posts(conn, user.email, mail)
                await rows.sent(conn, user.id, self._clock())
            await job.complete(conn)
        if mail is not None:
            _logger.info("Notices were put into a mail", action="notices_mailed", notices=len(waiting))
