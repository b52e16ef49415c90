"""Who is signed in at this moment, without asking the catalog each time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from streamhost import log
from streamhost.caching.cache import Cache
from streamhost.db import sessions as session_rows
from streamhost.db.core import Database
from streamhost.db.errors import CatalogUnavailable
from streamhost.model.accounts import ANONYMOUS, Session, User, Viewer
from streamhost.model.cached import SESSIONS
from streamhost.model.clock import MINUTE, Clock, Timestamp
from streamhost.model.ids import SessionId, UserId

TRUSTED_SECONDS = 5.0
"""How long an answer of the catalog is good for: what another process changes is seen after at most this time."""
TOUCH_SECONDS = 5 * MINUTE
"""Use of a session is written down at most this often."""
_REMEMBERED = 10_000
"""Sessions in memory, at about 1 kB each."""

_logger = log.get("accounts")


@dataclass(frozen=True, slots=True)
class _Seen:
    session: Session
    user: User
    at: Timestamp


class SignedIn:
    """Sessions that were used lately. `forget` and `forget_user` make a change in this process show at once."""

    def __init__(self, db: Database, clock: Clock, session_seconds: float, cache: Cache) -> None:
        """`cache`: the levels behind this one, which other processes may share."""
        self._db = db
        self._cache = cache
        self._clock = clock
        self._session_seconds = session_seconds
        self._seen: OrderedDict[SessionId, _Seen] = OrderedDict()
        self._changes = 0

    async def viewer(self, session_id: SessionId) -> Viewer:
        """Whose session this is; `ANONYMOUS` when it has ended or its account is shut. Lengthens a session in use."""
        now = self._clock()
        seen = self._seen.get(session_id)
        if seen is None or not 0 <= now - seen.at < TRUSTED_SECONDS:
            seen = await self._look_up(session_id, now)
        if seen is None or not seen.session.alive(now) or not seen.user.active:
            return ANONYMOUS
        return Viewer(seen.user, session_id)

    def forget(self, session_id: SessionId) -> None:
        """The session has changed: ask the catalog next time."""
        self._changes += 1
        self._seen.pop(session_id, None)

    def forget_user(self, user_id: UserId) -> None:
        """The user has changed: ask the catalog next time."""
        self._changes += 1
        for session_id in [key for key, seen in self._seen.items() if seen.user.id == user_id]:
            del self._seen[session_id]

    async def _look_up(self, session_id: SessionId, now: Timestamp) -> _Seen | None:
        changes = self._changes
        found = await self._cache.get(SESSIONS, session_id, lambda: self._read(session_id), tuple[Session, User] | None)
        if found is None:
            self._seen.pop(session_id, None)
            return None
        seen = _Seen(*found, at=now)
        if changes == self._changes:
            self._seen[session_id] = seen
            self._seen.move_to_end(session_id)
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        if seen.session.alive(now) and seen.user.active and now - seen.session.last_used_at > TOUCH_SECONDS:
            await self._touch(session_id, now)
        return seen

    async def _read(self, session_id: SessionId) -> tuple[Session, User] | None:
        async with self._db.read() as conn:
            return await session_rows.get_with_user(conn, session_id)

    async def _touch(self, session_id: SessionId, now: Timestamp) -> None:
        """Write down that the session was used. A full disk must not keep people from watching: that is only logged."""
        try:
            async with self._db.write() as conn:
                await session_rows.touch(conn, session_id, now, now + self._session_seconds)
        except CatalogUnavailable as error:
            _logger.warning("The use of a session could not be written down", session=session_id, error=str(error))
