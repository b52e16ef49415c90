"""What the CDN holds of each video: brought there when it is ready, dropped when it is closed or gone."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from streamhost import log
from streamhost.db import cdn_syncs as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled
from streamhost.jobs.queue import Queue
from streamhost.model.cdn import CdnSync, SyncState, Way
from streamhost.model.clock import Clock
from streamhost.model.errors import Conflict, NotFound, StreamhostError
from streamhost.model.events import (
    AccessRevoked,
    Event,
    ProtectionChanged,
    VideoApproved,
    VideoEvent,
    VideoProcessed,
    VideoPublished,
    VideoRejected,
    VideoReplaced,
    VideoRestored,
)
from streamhost.model.ids import PackageId, VideoId, is_id
from streamhost.model.tasks import DeleteMedia, Job, JobState, PurgeCopies, PushCopies
from streamhost.model.videos import DOWNLOADS, Clearance, Visibility, media_prefix, package_prefix
from streamhost.ports import Cdn, Storage

IMMUTABLE = (".m4s", ".mp4")
"""What never changes under its name, and is nearly all of the bytes: only that is brought to a CDN."""
BATCH = 16
"""Objects brought there between two looks at whether the job is still wanted."""
BEHIND_NOTICES = -10
"""Priority of bringing videos there: what waits for other people's servers as well is soon done."""
CAUSE_LENGTH = 500
SHOWN = 100
EVERYTHING = 100_000
"""More videos than a site has."""
DROPS = (AccessRevoked, VideoRejected, VideoReplaced)
BRINGS = (VideoProcessed, VideoApproved, VideoRestored, VideoReplaced, ProtectionChanged, VideoPublished)
"""Events after which a video, or its new package, is to be there."""
_PACKAGE = re.compile(r"videos/([A-Za-z0-9]+)/(?!source/|captions/)(?:[A-Za-z0-9]+/)?")


class CdnMissing(Conflict):
    """There is no CDN: this server delivers everything itself."""

    code = "no_cdn"
    hint = "Set cdn.kind; see the guide about CDNs."
    permanent = True


class NotReady(Conflict):
    """This video is not ready, so there is nothing to bring to the CDN yet."""

    code = "nothing_to_sync"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A folder whose copies could not be dropped, and why."""

    prefix: str
    cause: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The CDN, how many videos are in which state there, and what could not be dropped."""

    kind: str
    way: Way
    base_url: str
    push: bool
    counts: Mapping[SyncState, int]
    purges_waiting: int
    purges_failed: Sequence[Trouble]


class Copies:
    """Keeps the CDN in step with the storage. Every step is a job that may run again."""

    def __init__(
        self, db: Database, queue: Queue, storage: Storage, clock: Clock, cdn: Cdn, kind: str, *, push: bool
    ) -> None:
        """`kind`: what the settings call it; `push`: whether finished videos are brought there by themselves."""
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self.cdn = cdn
        self._kind = kind
        self._push = push
        self._log = log.get("cdn")

    @property
    def exists(self) -> bool:
        """Whether there is any other place than this server."""
        return self.cdn.way is not Way.DIRECT

    async def overview(self) -> Overview:
        """How things stand."""
        async with self._db.read() as conn:
            counts = await rows.counts(conn)
            open_states = (JobState.QUEUED, JobState.RUNNING)
            waiting = await self._queue.list(conn, open_states, kind=PurgeCopies.kind, limit=SHOWN)
            failed = await self._queue.list(conn, (JobState.FAILED,), kind=PurgeCopies.kind, limit=SHOWN)
        troubles = [Trouble(str(job.payload["prefix"]), f"{job.error_code}: {job.error_detail}") for job in failed]
        way, base_url = self.cdn.way, self.cdn.base_url
        return Overview(self._kind, way, base_url, self._push, counts, len(waiting), troubles)

    async def of_video(self, video_id: VideoId) -> CdnSync:
        """How far the copies of one video are. Raises `NotFound`."""
        async with self._db.read() as conn:
            if await video_rows.get(conn, video_id) is None:
                raise NotFound
            return await rows.get(conn, video_id) or CdnSync(video_id, SyncState.NONE)

    async def listed(self, state: SyncState | None = None, limit: int = SHOWN) -> list[CdnSync]:
        """Videos with copies there, or on their way, latest change first."""
        async with self._db.read() as conn:
            return await rows.listed(conn, state, limit)

    async def hear(self, event: Event) -> None:
        """Bring what is ready there, if that is wanted; drop what was closed, rejected or replaced. Told twice of the
        same, it does no harm. Of what is deleted it hears when the files are gone (`after`)."""
        drops, brings = isinstance(event, DROPS), isinstance(event, BRINGS)
        if not self.exists or not (drops or brings) or not isinstance(event, VideoEvent | AccessRevoked):
            return
        async with self._db.write() as conn:
            if drops:
                await self._drop(conn, media_prefix(event.video_id))
            video = await video_rows.get(conn, event.video_id)
            known = await rows.get(conn, event.video_id)
            if known is not None and (video is None or known.package_id != video.package_id):
                # Of what plays now nothing is there. The copies of the package before it end with that package.
                await rows.delete(conn, event.video_id)
                known = None
            # What has passwords or fewer sites now is watched by others all the same; what was made private is not.
            wanted = brings or (video is not None and video.visibility is not Visibility.PRIVATE)
            there = known is not None and known.state in (SyncState.SYNCED, SyncState.PENDING)
            if self._push and wanted and not there and video is not None and video.package_id and video.shown:
                # What nobody has cleared yet is brought once somebody has, what lies in the trash once it is restored.
                await self._begin(conn, video.id, video.package_id)

    async def sync(self, video_id: VideoId) -> CdnSync:
        """Bring a video there, again if it is there. Raises `NotFound`, `CdnMissing`, `NotReady`."""
        self._check()
        async with self._db.write() as conn:
            video = await video_rows.get(conn, video_id)
            if video is None:
                raise NotFound
            if video.package_id is None:
                raise NotReady
            if video.clearance is not Clearance.OPEN:
                raise NotReady(f"It is {video.stage.value}, and brought there once it is approved.")
            return await self._begin(conn, video.id, video.package_id)

    async def sync_missing(self) -> list[CdnSync]:
        """Bring every video there that is ready and not there yet; all that are on their way then, latest first.
        Raises `CdnMissing`."""
        self._check()
        async with self._db.write() as conn:
            for video_id, package_id in await rows.missing(conn):
                await self._begin(conn, video_id, package_id)
            return await rows.listed(conn, SyncState.PENDING, EVERYTHING)

    async def purge(self, video_id: VideoId) -> CdnSync:
        """Have the copies of a video dropped; also of one that is gone. Raises `CdnMissing`, and `NotFound` for what
        is no id."""
        self._check()
        if not is_id(video_id):
            raise NotFound
        async with self._db.write() as conn:
            await self._drop(conn, media_prefix(video_id))
        return CdnSync(video_id, SyncState.NONE)

    def after(
        self, delete: Callable[[DeleteMedia, JobContext], Awaitable[None]]
    ) -> Callable[[DeleteMedia, JobContext], Awaitable[None]]:
        """`delete`, and then the copies of what it has deleted go as well. Not before: a CDN that was told to drop what
        can still be had would fetch it again."""

        async def both(task: DeleteMedia, job: JobContext) -> None:
            await delete(task, job)
            if not self.exists or not _PACKAGE.fullmatch(task.prefix):
                return
            async with self._db.write() as conn:
                await self._drop(conn, task.prefix)
                await job.complete(conn)

        return both

    async def push_package(self, task: PushCopies, job: JobContext) -> None:
        """Bring the segments of a package there, a few at a time."""
        sync = CdnSync(task.video_id, SyncState.PENDING, task.package_id)
        prefix = package_prefix(task.video_id, task.package_id)
        keys = [
            stored.key
            async for stored in self._storage.list(prefix)
            if stored.key.endswith(IMMUTABLE) and not stored.key.startswith(prefix + DOWNLOADS)
        ]
        for start in range(0, len(keys), BATCH):
            job.report(start / len(keys), "bringing segments to the CDN")
            await self.cdn.push(keys[start : start + BATCH])
        async with self._db.write() as conn:
            if await self._current(conn, task):
                await rows.put(conn, self._now(sync, SyncState.SYNCED, objects=len(keys)))
            await job.complete(conn)
        self._log.info("a video was brought to the CDN", action="cdn_synced", video=task.video_id, objects=len(keys))

    async def gave_up_pushing(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """It could not be brought there, or somebody has called it off: viewers' own requests will bring it."""
        task = PushCopies(VideoId(job.payload["video_id"]), PackageId(job.payload["package_id"]))
        if not await self._current(conn, task):
            return
        sync = CdnSync(task.video_id, SyncState.FAILED, task.package_id)
        if isinstance(error, JobCancelled):
            await rows.put(conn, self._now(sync, SyncState.NONE))
            return
        await rows.put(conn, self._now(sync, SyncState.FAILED, cause=str(error)[:CAUSE_LENGTH]))
        self._log.warning("a video could not be brought to the CDN", video=task.video_id, code=error.code)

    async def purge_prefix(self, task: PurgeCopies, job: JobContext) -> None:
        """Have the CDN drop what lies below a prefix."""
        await self.cdn.purge([task.prefix])
        async with self._db.write() as conn:
            await job.complete(conn)
        self._log.info("copies were dropped", action="cdn_purged", prefix=task.prefix)

    async def gave_up_purging(self, _conn: Connection, job: Job, error: StreamhostError) -> None:
        """Copies of what was closed or deleted may still be there: only a person can help now."""
        self._log.error("copies could not be dropped", prefix=job.payload["prefix"], code=error.code, detail=str(error))

    async def _begin(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> CdnSync:
        sync = CdnSync(video_id, SyncState.PENDING, package_id, updated_at=self._clock())
        await rows.put(conn, sync)
        subject = f"cdn:{video_id}"
        # Waits for a purge that runs or waits before it, and is not added twice.
        queueing = f"push:{video_id}:{package_id}"
        task = PushCopies(video_id, package_id)
        await self._queue.add(
            conn, task, lock=subject, queueing_lock=queueing, subject=subject, priority=BEHIND_NOTICES
        )
        return sync

    async def _drop(self, conn: Connection, prefix: str) -> None:
        if not self.exists:
            return
        video_id = VideoId(prefix.split("/")[1])
        subject = f"cdn:{video_id}"
        sync = await rows.get(conn, video_id)
        if sync is not None and (prefix == media_prefix(video_id) or _names(prefix, sync)):
            for job in await self._queue.unfinished(conn, subject):
                if job.kind == PushCopies.kind:
                    await self._queue.cancel(conn, job.id)
            await rows.delete(conn, video_id)
        await self._queue.add(conn, PurgeCopies(prefix), lock=subject, subject=subject)

    async def _current(self, conn: Connection, task: PushCopies) -> bool:
        """Whether what is noted of the video is still about this package: else a later job says how it is."""
        sync = await rows.get(conn, task.video_id)
        return sync is not None and sync.package_id == task.package_id and sync.state is SyncState.PENDING

    def _now(self, sync: CdnSync, state: SyncState, *, objects: int = 0, cause: str = "") -> CdnSync:
        return replace(sync, state=state, objects=objects, cause=cause, updated_at=self._clock())

    def _check(self) -> None:
        if not self.exists:
            raise CdnMissing


def _names(prefix: str, sync: CdnSync) -> bool:
    return sync.package_id is not None and prefix == package_prefix(sync.video_id, sync.package_id)
