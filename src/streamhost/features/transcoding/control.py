"""Stopping and going on with the making of a video, for its owner and for administrators."""

from __future__ import annotations

from enum import StrEnum

from streamhost import log
from streamhost.db import replacements, videos
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding.course import UNDERWAY, Course, subject
from streamhost.features.transcoding.errors import NothingUnderway
from streamhost.features.transcoding.replacing import Replacing
from streamhost.jobs.errors import JobCancelled
from streamhost.jobs.queue import Queue
from streamhost.model.accounts import Role, Viewer
from streamhost.model.clock import Clock
from streamhost.model.errors import Forbidden, InvalidInput, NotFound
from streamhost.model.ids import VideoId
from streamhost.model.tasks import Job
from streamhost.model.videos import Replacement, Video, may_manage, may_view

MOST_PRIORITY = 100
"""Priorities go from -100 to 100; urgent steps of a video of priority 0 have 10."""


class Action(StrEnum):
    """What can be done with the making of a video."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    PRIORITY = "priority"


class Control:
    """The levers of the making of videos. Whatever is pulled survives a restart."""

    def __init__(self, db: Database, queue: Queue, clock: Clock, course: Course, replacing: Replacing) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._course = course
        self._replacing = replacing
        self._log = log.get("transcoding")

    async def act(self, video_id: VideoId, viewer: Viewer | None, action: Action, priority: int | None = None) -> Video:
        """Pause, resume, cancel, retry or prioritise; the video as it then is.

        Pausing stops running work at once: at most a part of a minute is done again later. Only administrators may
        prioritise. `viewer` is None for whoever holds the data directory. Raises `NotFound`, `Forbidden`,
        `NothingUnderway`, `NothingToRetry`, `SourceGone`, `InvalidInput`.
        """
        async with self._db.write() as conn:
            video = await videos.get(conn, video_id)
            if video is None or (viewer is not None and not may_view(video, viewer)):
                raise NotFound
            if viewer is not None and not _may(video, viewer, action):
                raise Forbidden
            await self._do(conn, video, action, priority)
            changed = await videos.get(conn, video_id)
        assert changed is not None, "it was there in this very transaction"
        self._log.info("the making of a video was steered", action="video_steered", video=video_id, what=action.value)
        return changed

    async def retry_job(self, conn: Connection, job: Job) -> None:
        """Take up the video that a failed job was about."""
        video = await videos.get(conn, VideoId(job.payload["video_id"]))
        if video is None:
            raise NotFound
        await self._course.again(conn, video)

    async def _do(self, conn: Connection, video: Video, action: Action, priority: int | None) -> None:
        if action is Action.PRIORITY:
            await self._prioritise(conn, video, priority)
        elif action is Action.RETRY:
            await self._course.again(conn, video)
        elif (new := await replacements.get(conn, video.id)) is not None and new.error is None:
            await self._steer(conn, video, action, new)
        elif video.state not in UNDERWAY:
            raise NothingUnderway(f"It is {video.state.value}.")
        else:
            await self._steer(conn, video, action, None)

    async def _steer(self, conn: Connection, video: Video, action: Action, new: Replacement | None) -> None:
        if action is Action.PAUSE:
            await videos.change(conn, video.id, self._clock(), paused=1, speed=None, eta=None)
            await self._queue.pause_subject(conn, subject(video.id))
        elif action is Action.RESUME:
            await videos.change(conn, video.id, self._clock(), paused=0)
            await self._queue.resume_subject(conn, subject(video.id))
        elif new is not None:
            # A new file that is on its way goes; what was there before is left alone.
            await self._replacing.drop(conn, new, JobCancelled())
        else:
            await self._course.stop(conn, video, JobCancelled())

    async def _prioritise(self, conn: Connection, video: Video, priority: int | None) -> None:
        if priority is None or abs(priority) > MOST_PRIORITY:
            raise InvalidInput(fields={"priority": f"A whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}."})
        await videos.change(conn, video.id, self._clock(), priority=priority)
        for job in await self._queue.unfinished(conn, subject(video.id)):
            await self._queue.prioritise(conn, job.id, job.priority - video.priority + priority)


def _may(video: Video, viewer: Viewer, action: Action) -> bool:
    return may_manage(video, viewer) and (action is not Action.PRIORITY or viewer.is_at_least(Role.ADMIN))
