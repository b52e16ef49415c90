"""What is being played at the moment by people who are signed in, and how much of that one may.

A stream is one video in one session (a browser, or an API token); it is in use as long as segments are fetched. Kept in
memory: the delivery path asks for every segment, and a restart may forget. Who is not signed in is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.db import audit as audit_rows
from streamhost.db import sessions as session_rows
from streamhost.db import stream_limits as rows
from streamhost.db import users as user_rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import Conflict, Forbidden, InvalidInput, NotFound
from streamhost.model.grants import Grant, Grants, of_stream
from streamhost.model.ids import SessionId, UserId, VideoId

IN_USE_SECONDS = 45.0
"""A stream without a request for so long is over. Players hold half a minute in store and fetch a segment of at most
ten seconds when a part of that has been played."""
STOPPED_SECONDS = 60.0
"""For how long a stream that was stopped by hand cannot begin again; who shall not play at all is signed out
instead."""
REMEMBERED = 20_000
"""Users whose streams are kept before those that are over are cleared away (about 10 MB)."""
MOST = 1000


class TooManyStreams(Conflict):
    """You are playing as many videos at the same time as you may."""

    code = "too_many_streams"
    hint = "Stop another one; GET /api/v1/me/streams and the page of your account list them. It is free a minute later."


class StreamStopped(Forbidden):
    """This stream was stopped."""

    code = "stream_stopped"
    hint = "Whoever stopped it did so on the page of active streams. It can begin again after a minute."


@dataclass(slots=True)
class _Use:
    begun: Timestamp
    seen: Timestamp


@dataclass(frozen=True, slots=True)
class StreamInUse:
    """One stream, with words for what it names. `device` is empty where it cannot be told (API tokens)."""

    id: str
    user_id: UserId
    user_name: str
    video_id: VideoId
    title: str
    session_id: SessionId
    device: str
    address: str
    begun_at: Timestamp
    seen_at: Timestamp


class Streams:
    """Counts streams, refuses one too many, and stops one on demand.

    The newest is the one that is refused: what somebody already watches is never broken off by another device."""

    def __init__(self, db: Database, clock: Clock, grants: Grants, most: int) -> None:
        """`most`: streams of one user at a time unless they have a limit of their own; 0: any number."""
        self._db = db
        self._clock = clock
        self._grants = grants
        self._most = most
        self._limits: dict[UserId, int] = {}
        self._uses: dict[UserId, dict[tuple[SessionId, VideoId], _Use]] = {}
        self._stopped: dict[tuple[SessionId, VideoId], Timestamp] = {}

    async def start(self) -> None:
        """Read the limits that users have of their own."""
        async with self._db.read() as conn:
            self._limits = await rows.every(conn)

    def begins(self, grant: Grant) -> None:
        """A grant is about to be given out. Raises `TooManyStreams`, `StreamStopped`."""
        if grant.user_id is None:
            return
        key, now = (grant.session_id, grant.video_id), self._clock()
        until = self._stopped.get(key)
        if until is not None and now < until:
            raise StreamStopped
        use = self._uses.get(grant.user_id, {}).get(key)
        if use is None or now - use.seen >= IN_USE_SECONDS:
            self._check(grant.user_id, now)

    def used(self, grant: Grant) -> None:
        """A segment is being fetched. Raises `TooManyStreams` for a stream that was not in use and is one too many."""
        user_id = grant.user_id
        if user_id is None:
            return
        now = self._clock()
        uses = self._uses.get(user_id)
        if uses is not None:
            use = uses.get((grant.session_id, grant.video_id))
            if use is not None and now - use.seen < IN_USE_SECONDS:
                use.seen = now
                return
        self._check(user_id, now)
        if len(self._uses) >= REMEMBERED:
            self._tidy(now)
        current = {key: use for key, use in (uses or {}).items() if now - use.seen < IN_USE_SECONDS}
        current[(grant.session_id, grant.video_id)] = _Use(now, now)
        self._uses[user_id] = current

    async def of_user(self, user_id: UserId) -> list[StreamInUse]:
        """What a user plays now, the latest begun first."""
        return await self._described({user_id: self._current(user_id)})

    async def all(self) -> list[StreamInUse]:
        """What everybody plays now, the latest begun first."""
        return await self._described({user_id: self._current(user_id) for user_id in self._uses})

    def stop(self, stream_id: str, user_id: UserId | None = None) -> tuple[UserId, VideoId]:
        """End a stream: its grants are worth nothing from now on. `user_id`: whose it must be. Raises `NotFound`.

        Answers whose it was, and of which video."""
        now = self._clock()
        for owner in [user_id] if user_id else list(self._uses):
            for key in self._current(owner):
                if of_stream(*key) == stream_id:
                    self._stopped = {k: until for k, until in self._stopped.items() if now < until}
                    self._stopped[key] = now + STOPPED_SECONDS
                    self._grants.revocations.revoke(stream_id)
                    del self._uses[owner][key]
                    return owner, key[1]
        raise NotFound

    async def stop_any(self, stream_id: str, by: Actor) -> None:
        """End anybody's stream, and write down who did. Raises `NotFound`."""
        owner, video_id = self.stop(stream_id)
        async with self._db.write() as conn:
            user = await user_rows.get(conn, owner)
            details = {"video": video_id}
            entry = AuditEntry(self._clock(), Act.STREAM_STOPPED, by, owner, user.email if user else "", details)
            await audit_rows.insert(conn, entry)

    def limit(self, user_id: UserId) -> tuple[int, bool]:
        """How many streams a user may have at a time (0: any number), and whether that is a limit of their own."""
        return self._limits.get(user_id, self._most), user_id in self._limits

    async def set_limit(self, user_id: UserId, most: int | None, by: Actor) -> None:
        """Give a user a limit of their own (0: none at all), None takes it away. Raises `NotFound`, `InvalidInput`."""
        if most is not None and not 0 <= most <= MOST:
            raise InvalidInput(fields={"limit": f"From 0 (any number) to {MOST}, or nothing."})
        async with self._db.write() as conn:
            user = await user_rows.get(conn, user_id)
            if user is None:
                raise NotFound
            await rows.put(conn, user_id, most)
            details = {"limit": "default" if most is None else str(most or "none")}
            entry = AuditEntry(self._clock(), Act.STREAM_LIMIT_CHANGED, by, user_id, user.email, details)
            await audit_rows.insert(conn, entry)
            conn.after_commit(lambda: self._learn(user_id, most))

    def _learn(self, user_id: UserId, most: int | None) -> None:
        if most is None:
            self._limits.pop(user_id, None)
        else:
            self._limits[user_id] = most

    def _check(self, user_id: UserId, now: Timestamp) -> None:
        most = self._limits.get(user_id, self._most)
        if not most:
            return
        active = sum(now - use.seen < IN_USE_SECONDS for use in self._uses.get(user_id, {}).values())
        if active >= most:
            raise TooManyStreams(f"At most {most} at the same time.")

    def _current(self, user_id: UserId) -> dict[tuple[SessionId, VideoId], _Use]:
        now = self._clock()
        return {key: use for key, use in self._uses.get(user_id, {}).items() if now - use.seen < IN_USE_SECONDS}

    def _tidy(self, now: Timestamp) -> None:
        self._uses = {
            user_id: uses
            for user_id, uses in self._uses.items()
            if any(now - use.seen < IN_USE_SECONDS for use in uses.values())
        }

    async def _described(self, uses: dict[UserId, dict[tuple[SessionId, VideoId], _Use]]) -> list[StreamInUse]:
        found = []
        async with self._db.read() as conn:
            for user_id, current in uses.items():
                for (session_id, video_id), use in current.items():
                    found.append(await _describe(conn, user_id, session_id, video_id, use))
        return sorted(found, key=lambda one: -one.begun_at)


async def _describe(
    conn: Connection, user_id: UserId, session_id: SessionId, video_id: VideoId, use: _Use
) -> StreamInUse:
    user = await user_rows.get(conn, user_id)
    video = await video_rows.get(conn, video_id)
    session = await session_rows.get_with_user(conn, session_id)
    return StreamInUse(
        of_stream(session_id, video_id),
        user_id,
        user.name if user else "",
        video_id,
        video.title if video else "",
        session_id,
        session[0].device if session else "",
        session[0].address if session else "",
        use.begun,
        use.seen,
    )
