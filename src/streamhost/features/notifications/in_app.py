"""The bell on every page: notices in the catalog, and whoever listens hears of new ones at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from streamhost.db import notices as rows
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.taking import take
from streamhost.model.clock import Clock
from streamhost.model.cursors import by_number, one_more
from streamhost.model.errors import NotFound
from streamhost.model.ids import NoticeId, UserId
from streamhost.model.notices import AddressAsked, Notice, StoredNotice
from streamhost.ports import NotifyRefused

SIGN_OF_LIFE = 15.0
"""Seconds after which a listener hears something even if nothing is new: proxies keep the line open, and what another
process has added is found."""
MAX_PAGE = 100
AT_ONCE = 100
"""How many notices a listener that was away is told of in one go."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new for somebody who listens, and how much they have not read."""

    notices: Sequence[StoredNotice]
    unread: int


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A page of what lies under a bell, and where the next one begins."""

    items: Sequence[StoredNotice]
    next_cursor: str | None


class InAppNotifier:
    """Puts notices under the bell."""

    asks: AddressAsked | None = None

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._listening: dict[UserId, set[asyncio.Event]] = {}

    async def send(self, notice: Notice) -> None:
        """Put one there; the same one twice is one."""
        if notice.recipient is None:
            raise NotifyRefused("A bell belongs to somebody.")
        await take(self._db, self.add, notice.recipient.user_id, notice)

    async def add(self, conn: Connection, user_id: UserId, notice: Notice) -> None:
        """Put one there in the caller's transaction."""
        if await rows.insert(conn, user_id, notice, self._clock()):
            conn.after_commit(lambda: self._ring(user_id))

    async def listed(
        self, user_id: UserId, cursor: str | None = None, limit: int = 30, *, unread: bool = False
    ) -> NoticePage:
        """What lies under somebody's bell, newest first. Raises `InvalidInput`."""
        rows_asked, below = one_more(limit, MAX_PAGE), by_number(cursor)
        async with self._db.read() as conn:
            found = await rows.listed(conn, user_id, rows_asked, below, unread=unread)
        return NoticePage(found[:limit], str(found[limit - 1].number) if len(found) > limit else None)

    async def unread(self, user_id: UserId) -> int:
        """How much somebody has not read."""
        async with self._db.read() as conn:
            return await rows.unread(conn, user_id)

    async def read(self, user_id: UserId, notice_id: NoticeId) -> StoredNotice:
        """Mark one as read, and return it. Raises `NotFound` for one that is not theirs."""
        async with self._db.write() as conn:
            found = await rows.get(conn, user_id, notice_id)
            if found is None:
                raise NotFound("There is no such notification.")
            if await rows.read(conn, user_id, notice_id, self._clock()):
                conn.after_commit(lambda: self._ring(user_id))
        return found

    async def read_all(self, user_id: UserId) -> int:
        """Mark all as read; how many were not."""
        async with self._db.write() as conn:
            count = await rows.read_all(conn, user_id, self._clock())
            if count:
                conn.after_commit(lambda: self._ring(user_id))
        return count

    async def follow(self, user_id: UserId, after: int | None = None) -> AsyncIterator[News]:
        """What is new after number `after` (None: from now on), then whatever comes; a sign of life now and then."""
        with self._ear(user_id) as rung:
            async with self._db.read() as conn:
                last = await rows.newest(conn, user_id) if after is None else after
            while True:
                rung.clear()
                async with self._db.read() as conn:
                    found = await rows.since(conn, user_id, last, AT_ONCE)
                    unread = await rows.unread(conn, user_id)
                last = found[-1].number if found else last
                yield News(found, unread)
                if len(found) == AT_ONCE:
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(SIGN_OF_LIFE):
                        await rung.wait()

    def _ring(self, user_id: UserId) -> None:
        for ear in self._listening.get(user_id, ()):
            ear.set()

    @contextmanager
    def _ear(self, user_id: UserId) -> Iterator[asyncio.Event]:
        ear = asyncio.Event()
        self._listening.setdefault(user_id, set()).add(ear)
        try:
            yield ear
        finally:
            self._listening[user_id].discard(ear)
            if not self._listening[user_id]:
                del self._listening[user_id]
