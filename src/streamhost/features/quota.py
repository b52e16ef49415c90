"""How much each user may keep. Counted are the files as they were uploaded, not what is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost import log
from streamhost.config import UploadSettings
from streamhost.db import alarms, audit, users
from streamhost.db import quotas as rows
from streamhost.db.core import Connection, Database
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.events import QuotaReached
from streamhost.model.ids import UserId

CALM = 10
"""Per cent of a quota by which somebody must come down before they are warned anew."""

_logger = log.get("quota")


class OverQuota(StreamhostError):
    """You have used what you may use of this site."""

    code = "over_quota"
    hint = "Delete videos that you no longer need, also out of the trash, or ask an administrator for more."
    permanent = True


@dataclass(frozen=True, slots=True)
class Usage:
    """What somebody uses and may use: bytes of uploaded files, and videos; a limit of None is no limit.

    `own_bytes` and `own_videos` are what was set for this user: None for the site's default, 0 for no limit."""

    bytes: int
    videos: int
    max_bytes: int | None
    max_videos: int | None
    own_bytes: int | None
    own_videos: int | None
    trash_bytes: int = 0
    """Part of `bytes`: what lies in the trash."""
    trash_videos: int = 0


class Quotas:
    """Knows what everybody may keep, and refuses what is more."""

    def __init__(
        self, db: Database, clock: Clock, settings: UploadSettings, queue: Queue | None = None, warn_percent: int = 90
    ) -> None:
        """From `warn_percent` of a quota on its owner is told, by an event in `queue`; None: nobody is."""
        self._queue = queue
        self._warn_percent = warn_percent
        self._db = db
        self._clock = clock
        self._bytes = settings.quota_bytes
        self._videos = settings.quota_videos

    async def check(self, conn: Connection, owner_id: UserId, more_bytes: int, more_videos: int) -> None:
        """Raise `OverQuota` if a user may not bring so much more. Asked in the transaction that then accepts it."""
        own = await rows.limits(conn, owner_id)
        max_bytes, max_videos = self._limits(own)
        if max_bytes is None and max_videos is None:
            return
        used_bytes, used_videos = await rows.used(conn, owner_id, self._clock())
        if max_bytes is not None and used_bytes + more_bytes > max_bytes:
            left = max(0, max_bytes - used_bytes)
            said = f"You may keep {max_bytes} bytes of files; {left} are left, {more_bytes} are needed."
            raise OverQuota(said + await self._trashed(conn, owner_id))
        if max_videos is not None and more_videos and used_videos + more_videos > max_videos:
            said = f"You have {used_videos} of the {max_videos} videos that you may keep."
            raise OverQuota(said + await self._trashed(conn, owner_id))
        for unit, used, allowed in (
            ("bytes", used_bytes + more_bytes, max_bytes),
            ("videos", used_videos + more_videos, max_videos),
        ):
            # Where bytes are only held out nothing can be written; whoever brings them is weighed again at their end.
            if allowed is not None and conn.writes:
                await self._warn(conn, owner_id, unit, used, allowed)

    async def _trashed(self, conn: Connection, owner_id: UserId) -> str:
        """A sentence on what could be had back at once, if there is anything."""
        size, count = await rows.in_trash(conn, owner_id)
        if not count:
            return ""
        return f" {count} in your trash count{'s' if count == 1 else ''} too, with {size} bytes."

    async def _warn(self, conn: Connection, owner_id: UserId, unit: str, used: int, allowed: int) -> None:
        """Tell somebody once that a quota is nearly used up, and again only after there was room in between."""
        alarm, share, now = f"quota:{owner_id}:{unit}", 100 * used / allowed, self._clock()
        if share < self._warn_percent - CALM:
            await alarms.clear(conn, alarm)
        elif share >= self._warn_percent and self._queue and await alarms.raise_once(conn, alarm, now):
            await announce(conn, self._queue, QuotaReached(owner_id, used, allowed, unit, at=now))

    async def usage(self, user_id: UserId) -> Usage:
        """What a user uses and may use. Raises `NotFound`."""
        async with self._db.read() as conn:
            own = await rows.limits(conn, user_id)
            if own is None:
                raise NotFound("There is no such user.")
            used_bytes, used_videos = await rows.used(conn, user_id, self._clock())
            trashed = await rows.in_trash(conn, user_id)
        max_bytes, max_videos = self._limits(own)
        return Usage(used_bytes, used_videos, max_bytes, max_videos, own.bytes, own.videos, *trashed)

    async def allow(self, user_id: UserId, max_bytes: int | None, max_videos: int | None, by: Actor) -> Usage:
        """Set what one user may keep: None for the site's default, 0 for no limit. Raises `NotFound`.

        What is there stays, also where it is more."""
        async with self._db.write() as conn:
            user = await users.get(conn, user_id)
            if user is None:
                raise NotFound("There is no such user.")
            await rows.set_limits(conn, user_id, rows.Amount(max_bytes, max_videos))
            details = {"bytes": _word(max_bytes), "videos": _word(max_videos)}
            entry = AuditEntry(self._clock(), Act.QUOTA_CHANGED, by, user_id, user.email, details)
            await audit.insert(conn, entry)
        _logger.info("A quota was set", action="quota_set", user=user_id, bytes=max_bytes, videos=max_videos)
        return await self.usage(user_id)

    def _limits(self, own: rows.Amount | None) -> tuple[int | None, int | None]:
        """What counts for somebody, None for no limit."""
        max_bytes = self._bytes if own is None or own.bytes is None else own.bytes
        max_videos = self._videos if own is None or own.videos is None else own.videos
        return max_bytes or None, max_videos or None


def _word(limit: int | None) -> str:
    """A limit for the audit log."""
    return "default" if limit is None else str(limit or "none")
