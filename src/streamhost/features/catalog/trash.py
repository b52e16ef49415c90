"""The trash: what is thrown away waits there for a while, seen by nobody, and comes back as it was."""

from __future__ import annotations

from streamhost import log
from streamhost.db import trash as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.features.catalog import pages
from streamhost.features.catalog.noting import note
from streamhost.features.catalog.publishing import subject as publishing_of
from streamhost.jobs.announcing import announce
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.jobs.withdrawing import Withdrawn, withdraw
from streamhost.model.accounts import Role, Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.catalog_tasks import EmptyTrash
from streamhost.model.clock import DAY, MINUTE, Clock, Timestamp
from streamhost.model.errors import Forbidden, NotFound
from streamhost.model.events import VideoDeleted, VideoRestored, VideoTrashed
from streamhost.model.ids import UserId, VideoId
from streamhost.model.tasks import DeleteMedia
from streamhost.model.videos import Video, may_manage, may_view, media_prefix, stills_prefix

SECOND_DELETE = 10 * MINUTE
"""When a deleted video's files are removed once more, for what a job wrote in the moment of the first removal."""
BATCH = 100
"""Videos that are looked up at once while the trash is emptied."""
OWNERS = 200
"""Owners that are told apart in a list of everybody's."""

_logger = log.get("catalog")


class TrashedByOthers(Forbidden):
    """Somebody who looks after this site has put this video into the trash."""

    code = "trashed_by_others"
    hint = "Ask them to restore it."


class Trash:
    """Throws videos away: into the trash, from which they come back, or for good."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        withdrawn: Withdrawn = lambda *_: None,
        days: float = 30.0,
    ) -> None:
        """`withdrawn` hears of each video that nobody may play any more, and since when: older grants must end.

        `days`: how long something lies in the trash; 0: there is none."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._withdrawn = withdrawn
        self.keep = days * DAY
        """Seconds until what lies in the trash is deleted for good; 0: there is no trash."""

    async def put(self, video_id: VideoId, viewer: Viewer, address: str = "") -> bool:
        """Move a video to the trash: at once out of every list, with every permission to play, and what is being made
        of it waits. False where there is no trash, so that it is deleted.

        Raises `NotFound`, `Forbidden`. `address`: where the viewer is, for the audit log, which tells who did what to
        somebody else's video."""
        if not self.keep:
            await self.delete(video_id, viewer, address)
            return False
        async with self._db.write() as conn:
            video = await self._managed(conn, video_id, viewer)
            if video.deleted_at is not None:
                raise NotFound
            now = self._clock()
            await rows.put(conn, video.id, viewer.id, now)
            for about in _work_of(video.id):
                await self._queue.pause_subject(conn, about)
            await announce(conn, self._queue, VideoTrashed(video.id, video.owner_id, video.title, viewer.id, at=now))
            await withdraw(conn, self._queue, self._clock, video.id, self._withdrawn)
            await note(conn, now, Act.VIDEO_TRASHED, video, Actor.of(viewer, address))
        return True

    async def restore(self, video_id: VideoId, viewer: Viewer | None, address: str = "") -> Video:
        """Bring a video back as it was, and go on with what was being made of it. `viewer` is None for whoever holds
        the data directory.

        Raises `NotFound`, and `TrashedByOthers` for an owner whose video an administrator has put there."""
        async with self._db.write() as conn:
            video = await self._managed(conn, video_id, viewer)
            if video.deleted_at is None:
                raise NotFound
            mine = video.deleted_by in (None, video.owner_id)
            if viewer is not None and not mine and not viewer.is_at_least(Role.ADMIN):
                raise TrashedByOthers
            now = self._clock()
            await rows.take_out(conn, video.id, now)
            for about in _work_of(video.id):
                if not (video.paused and about == f"video:{video.id}"):
                    await self._queue.resume_subject(conn, about)
            await announce(conn, self._queue, VideoRestored(video.id, video.owner_id, video.title, at=now))
            if viewer is not None:
                await note(conn, now, Act.VIDEO_RESTORED, video, Actor.of(viewer, address))
            restored = await video_rows.get(conn, video.id)
        assert restored is not None, "it was there in this very transaction"
        return restored

    async def listed(self, owner: UserId | None, cursor: str | None = None, limit: int = 24) -> pages.Page:
        """What lies in the trash of one owner, None: of everybody; what came last first."""
        async with self._db.read() as conn:
            found = await rows.listed(conn, owner, pages.place(cursor), pages.one_more(limit))
        return pages.page(found, limit, lambda video: video.deleted_at)

    async def by_owner(self) -> list[rows.OwnersTrash]:
        """Whose trash there is, and how much lies in it: the largest first."""
        async with self._db.read() as conn:
            return await rows.by_owner(conn, OWNERS)

    async def find(self, video_id: VideoId, viewer: Viewer) -> Video:
        """One video in the trash, for whoever may delete it. Raises `NotFound`."""
        async with self._db.read() as conn:
            video = await self._managed(conn, video_id, viewer)
        if video.deleted_at is None:
            raise NotFound
        return video

    async def empty(self, owner: UserId) -> int:
        """Delete all that lies in the trash of one owner for good; how many videos."""
        gone = 0
        while True:
            async with self._db.read() as conn:
                found = await rows.listed(conn, owner, None, BATCH)
            now = [await self._delete_if(video.id, self._clock(), owner) for video in found]
            gone += sum(now)
            if not any(now):
                return gone

    async def sweep(self, _task: EmptyTrash, job: JobContext) -> None:
        """Delete for good what has lain in the trash for long enough; one video a transaction, so it may end anywhere
        and begin again."""
        before, gone = self._clock() - self.keep, 0
        while True:
            async with self._db.read() as conn:
                found = await rows.put_before(conn, before, BATCH)
            for video_id in found:
                gone += await self._delete_if(video_id, before)
            if len(found) < BATCH:
                break
        async with self._db.write() as conn:
            await job.complete(conn)
        _logger.info("The trash was emptied", action="trash_emptied", videos=gone)

    async def _delete_if(self, video_id: VideoId, before: Timestamp, by: UserId | None = None) -> bool:
        """Delete a video unless somebody has restored it meanwhile."""
        async with self._db.write() as conn:
            video = await video_rows.get(conn, video_id)
            if video is None or video.deleted_at is None or video.deleted_at > before:
                return False
            await self.remove(conn, video_id, by)
        return True

    async def delete(self, video_id: VideoId, viewer: Viewer, address: str = "") -> None:
        """Delete a video for good, out of the trash or not: at once from every list and page, its files by a job. Work
        on it is cancelled. Raises `NotFound`, `Forbidden`. `address` as in `put`."""
        async with self._db.write() as conn:
            video = await self._managed(conn, video_id, viewer)
            await self.remove(conn, video.id, viewer.id)
            await note(conn, self._clock(), Act.VIDEO_DELETED, video, Actor.of(viewer, address))

    async def leave(self, conn: Connection, owner: UserId) -> None:
        """Remove every video of an owner whose account is being deleted, in that transaction."""
        for video_id in await video_rows.ids_of(conn, owner):
            await self.remove(conn, video_id)

    async def remove(self, conn: Connection, video_id: VideoId, by: UserId | None = None) -> None:
        """Remove a video in the caller's transaction, whoever asks for it."""
        video = await video_rows.get(conn, video_id)
        if video is not None:
            gone = VideoDeleted(video_id, video.owner_id, video.title, by, at=self._clock())
            await announce(conn, self._queue, gone)
        for about in (f"video:{video_id}", publishing_of(video_id)):
            await self._queue.cancel_subject(conn, about)
        await video_rows.delete(conn, video_id)
        conn.after_commit(lambda: self._withdrawn(video_id, self._clock()))
        for delay in (0.0, SECOND_DELETE):
            for prefix in (media_prefix(video_id), stills_prefix(video_id)):
                await self._queue.add(conn, DeleteMedia(prefix), delay=delay)

    async def _managed(self, conn: Connection, video_id: VideoId, viewer: Viewer | None) -> Video:
        """A video that the viewer may delete, in the trash or not. Raises `NotFound`, `Forbidden`."""
        video = await video_rows.get(conn, video_id)
        if video is None:
            raise NotFound
        if viewer is not None and not may_manage(video, viewer):
            raise Forbidden if may_view(video, viewer) else NotFound
        return video


def _work_of(video_id: VideoId) -> tuple[str, str]:
    """What is done for a video in the background: making it, and looking at it."""
    return f"video:{video_id}", f"screen:{video_id}"
