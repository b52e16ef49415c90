"""Whole files to take along: the uploaded one for its owner, and a rendition as one progressive MP4 for viewers."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from streamhost.db import packages
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding.bringing import folder_with
from streamhost.features.transcoding.course import standing, subject
from streamhost.features.transcoding.encoder import RunsMedia
from streamhost.features.transcoding.errors import SourceGone
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.media import tasks
from streamhost.model.accounts import Viewer
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.errors import Conflict, Forbidden, NotFound
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.streaming import INIT_SEGMENT, Presentation, Rendition, segment_name
from streamhost.model.tasks import Job, JobState, MakeDownload
from streamhost.model.videos import (
    Protection,
    Video,
    check_manageable,
    check_watchable,
    download_prefix,
    may_manage,
    package_prefix,
)
from streamhost.ports import NotStored, Storage, StoredObject

FAILED_FOR = 10 * MINUTE
"""Seconds for which a file that could not be made is not tried again, however often it is asked for."""
SOON = 2.0
"""Seconds after which to ask again for a file that is being made."""


class DownloadNotAllowed(Forbidden):
    """This video is not offered for download."""

    code = "download_not_allowed"
    hint = "Its owner can allow it: `allow_download`."


class DownloadImpossible(Conflict):
    """This video cannot be downloaded as one file."""

    code = "download_impossible"


class DownloadFailed(Conflict):
    """The file could not be made."""

    code = "download_failed"
    hint = "It is tried again some minutes later."


@dataclass(frozen=True, slots=True)
class Whole:
    """A stored object, and what it is called for whoever saves it."""

    stored: StoredObject
    name: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A file that is being made: how far (0..1)."""

    progress: float
    retry_after: float = SOON


class Downloads:
    """Finds whole files, and makes those that are not there yet."""

    def __init__(self, db: Database, queue: Queue, storage: Storage, clock: Clock, run: RunsMedia, work: Path) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._run = run
        self._work = work

    async def source(self, video: Video, viewer: Viewer) -> Whole:
        """The file as it was uploaded, for whoever manages the video. Raises `Forbidden`, `SourceGone`."""
        check_manageable(video, viewer)
        check_watchable(video, viewer)
        if video.source_key is None:
            raise SourceGone
        try:
            stored = await self._storage.stat(video.source_key)
        except NotStored as error:
            raise SourceGone from error
        return Whole(stored, video.source_name or f"{video.title}{Path(video.source_key).suffix}")

    async def rendition(self, video: Video, viewer: Viewer, name: str | None) -> Whole | Coming:
        """A rendition that `viewer` may watch as one file with the default sound; the best one if none is named.

        The first time it is only ordered. Raises `DownloadNotAllowed`, `DownloadImpossible`, `DownloadFailed`,
        `NotFound`."""
        if not video.allow_download and not may_manage(video, viewer):
            raise DownloadNotAllowed
        check_watchable(video, viewer)
        if video.package_id is None or not video.playable or video.growing:
            raise DownloadImpossible(f"It is {video.state.value}.")
        async with self._db.read() as conn:
            package = await packages.get(conn, video.package_id)
            stands = Presentation(standing(await packages.parts(conn, video.package_id))[0])
        if package is None or package.protection is not Protection.NONE:
            raise DownloadImpossible("It is protected: whoever had the file would need no permission any more.")
        wanted = _chosen(stands, name)
        try:
            stored = await self._storage.stat(f"{download_prefix(video.id, package.id)}{wanted.name}.mp4")
        except NotStored:
            return await self._order(video.id, package.id, wanted.name)
        return Whole(stored, f"{video.title}.mp4")

    def read(self, whole: Whole, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of a file from `start` up to, not including, `end`."""
        return self._storage.read(whole.stored.key, start, end)

    async def make(self, task: MakeDownload, job: JobContext) -> None:
        """Put a rendition and the default sound into one file, without encoding anything."""
        prefix = package_prefix(task.video_id, task.package_id)
        async with self._db.read() as conn:
            package = await packages.get(conn, task.package_id)
            stands = Presentation(standing(await packages.parts(conn, task.package_id))[0])
        if package is None or package.protection is not Protection.NONE:
            return
        wanted = _chosen(stands, task.rendition)
        sound = next((r for r in stands.audio if r.name != wanted.name), None)
        tracks = [wanted, *([sound] if sound else [])]
        room = self._work / f"download-{task.package_id}-{task.rendition}"
        shutil.rmtree(room, ignore_errors=True)
        out = room / "out"
        out.mkdir(parents=True)
        try:
            names = [_names(track) for track in tracks]
            wanted_files = [name for some in names for name in some]
            folder = await folder_with(self._storage, prefix, wanted_files, room / "package")
            await self._run(
                tasks.JoinTracks(
                    str(folder),
                    str(out),
                    tuple(map(tuple, names)),
                    tuple(track.language for track in tracks),
                    max(track.duration for track in tracks),
                ),
                job.report,
                out,
            )
            key = f"{download_prefix(task.video_id, task.package_id)}{task.rendition}.mp4"
            await self._storage.put_file(key, out / tasks.JOINED)
        finally:
            shutil.rmtree(room, ignore_errors=True)
        await self._still_wanted(task)

    async def _still_wanted(self, task: MakeDownload) -> None:
        """A package that was deleted while the file was made takes it along."""
        async with self._db.read() as conn:
            gone = await packages.get(conn, task.package_id) is None
        if gone:
            await self._storage.delete_prefix(package_prefix(task.video_id, task.package_id))

    async def _order(self, video_id: VideoId, package_id: PackageId, rendition: str) -> Coming:
        lock = f"download:{package_id}:{rendition}"
        async with self._db.write() as conn:
            newest = await self._newest(conn, video_id, lock)
            if newest is not None and newest.state in (JobState.QUEUED, JobState.RUNNING):
                return Coming(newest.progress)
            ended = newest.finished_at if newest is not None and newest.state is JobState.FAILED else None
            if newest is not None and ended is not None and ended > self._clock() - FAILED_FOR:
                raise DownloadFailed(newest.error_detail or "")
            await self._queue.add(
                conn,
                MakeDownload(video_id, package_id, rendition),
                lock=lock,
                queueing_lock=lock,
                subject=subject(video_id),
            )
        return Coming(0.0)

    async def _newest(self, conn: Connection, video_id: VideoId, lock: str) -> Job | None:
        jobs = await self._queue.list(conn, subject=subject(video_id), kind=MakeDownload.kind)
        return next((job for job in jobs if job.lock == lock), None)


def _chosen(stands: Presentation, name: str | None) -> Rendition:
    """The rendition of that name, or the best one; sound where there are no pictures. Raises `NotFound`."""
    offered = stands.video or stands.audio
    found = next((r for r in offered if name in (None, r.name)), None)
    if found is None:
        raise NotFound(f"There is no rendition {name}.")
    return found


def _names(track: Rendition) -> list[str]:
    """The files of a rendition in order, below its package."""
    return [f"{track.name}/{INIT_SEGMENT}", *(f"{track.name}/{segment_name(s.start)}" for s in track.segments)]
