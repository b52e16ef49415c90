"""Publishing later: a video stays private until its time, and is public from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from streamhost import log
from streamhost.db import videos as rows
from streamhost.db.core import Connection, Database
from streamhost.features.catalog.asking import Gate, open_gate
from streamhost.jobs.announcing import announce
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled
from streamhost.jobs.queue import Queue
from streamhost.model.catalog_tasks import PublishVideo
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.events import VideoPublished
from streamhost.model.ids import VideoId
from streamhost.model.tasks import Job
from streamhost.model.videos import Video, Visibility

_logger = log.get("catalog")


def subject(video_id: VideoId) -> str:
    """What the job is about that publishes a video."""
    return f"publish:{video_id}"


def timed(edited: Video, said: Mapping[str, Any], now: Timestamp) -> Video:
    """An edited video as `publish_at` has it: private until then, or public where that is past; a video that others may
    watch waits for nothing. Raises `InvalidInput`."""
    at = said.get("publish_at")
    if at is None:
        return edited if edited.visibility is Visibility.PRIVATE else replace(edited, publish_at=None)
    if said.get("visibility", Visibility.PUBLIC) not in (Visibility.PUBLIC, Visibility.PRIVATE):
        raise InvalidInput(fields={"publish_at": "What is published at a time is public from then on."})
    if at > now:
        return replace(edited, visibility=Visibility.PRIVATE)
    return _published(edited, now)


def _published(video: Video, now: Timestamp) -> Video:
    """The video as it is from now on; what plays already is among the newest."""
    since = video.published_at and now
    return replace(video, visibility=Visibility.PUBLIC, publish_at=None, published_at=since)


class Publishing:
    """Plans the publishing of videos, and does it when the time has come."""

    def __init__(self, db: Database, queue: Queue, clock: Clock, gate: Gate = open_gate) -> None:
        """`gate` is asked before others may watch."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._gate = gate

    async def plan(self, conn: Connection, before: Video, edited: Video) -> None:
        """Have a video published at its time, in the transaction that has set that."""
        if edited.publish_at == before.publish_at:
            return
        await self._queue.cancel_subject(conn, subject(edited.id))
        if edited.publish_at is not None:
            wait = edited.publish_at - self._clock()
            task = PublishVideo(edited.id, edited.publish_at)
            await self._queue.add(conn, task, delay=max(0.0, wait), subject=subject(edited.id))

    async def publish(self, task: PublishVideo, job: JobContext) -> None:
        """Make a video public, and tell of it. In the trash its time passes without that."""
        async with self._db.read() as conn:
            video = await rows.get(conn, task.video_id)
        if video is not None and video.publish_at == task.at and video.shown:
            await self._gate(replace(video, visibility=Visibility.PUBLIC))
        async with self._db.write() as conn:
            video = await rows.get(conn, task.video_id)
            if video is not None and video.publish_at == task.at:
                now = self._clock()
                public = _published(video, now) if video.deleted_at is None else replace(video, publish_at=None)
                await rows.replace(conn, replace(public, updated_at=now))
                if video.shown:
                    await announce(conn, self._queue, VideoPublished(video.id, video.owner_id, video.title, at=now))
                _logger.info("A video's time has come", action="video_published", video=video.id)
            await job.complete(conn)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """Somebody objects, or has called it off: the video stays private, and says why."""
        video = await rows.get(conn, VideoId(job.payload["video_id"]))
        if video is None or video.publish_at != job.payload["at"]:
            return
        columns: dict[str, Any] = {"publish_at": None}
        if not isinstance(error, JobCancelled):
            said = f"It was not published at its time: {error}"
            columns["notes"] = msgspec.json.encode([*video.notes, said]).decode()
        await rows.change(conn, video.id, self._clock(), **columns)
