"""What is kept of uploaded files and of work that came to nothing, and the sweep that removes what is past its time."""

from __future__ import annotations

from streamhost import log
from streamhost.db import packages, videos
from streamhost.db.core import Connection, Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model import keeping
from streamhost.model.clock import DAY, Clock
from streamhost.model.ids import VideoId
from streamhost.model.tasks import DeleteMedia, SweepMedia
from streamhost.model.videos import folder_of, package_prefix, package_stills

GIVEN_UP_KEPT = 3 * DAY
"""What was made of a video that failed or was cancelled stays so long for a retry."""


class Keeping:
    """Lets files go when their time has come; every step may run again at any time."""

    def __init__(self, db: Database, queue: Queue, clock: Clock, rule: str) -> None:
        """`rule` is the site's, for videos without one of their own."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._rule = rule
        self._log = log.get("transcoding")

    async def ready(self, conn: Connection, video_id: VideoId) -> None:
        """A video has become ready: let its file go if nobody wants it any longer."""
        video = await videos.get(conn, video_id)
        if video is not None and video.source_key and (video.keep_source or self._rule) == keeping.UNTIL_READY:
            await self._let_go(conn, video_id, video.source_key)

    async def sweep(self, _task: SweepMedia, job: JobContext) -> None:
        """Remove files past their time, and what was given up days ago."""
        now = self._clock()
        async with self._db.write() as conn:
            over = [
                (source.video_id, source.key)
                for source in await videos.kept_sources(conn, everything=self._rule != keeping.ALWAYS)
                if (at := keeping.due(source.rule or self._rule, source.ready_at)) is not None and at <= now
            ]
            for video_id, key in over:
                await self._let_go(conn, video_id, key)
            left = await packages.given_up_before(conn, now - GIVEN_UP_KEPT)
            for package in left:
                await packages.delete(conn, package.id)
                for prefix in (
                    package_prefix(package.video_id, package.id),
                    package_stills(package.video_id, package.id),
                ):
                    await self._queue.add(conn, DeleteMedia(prefix))
            await job.complete(conn)
        self._log.info("media was tidied", action="sweep_media", sources=len(over), packages=len(left))

    async def _let_go(self, conn: Connection, video_id: VideoId, key: str) -> None:
        await videos.change(conn, video_id, self._clock(), source_key=None)
        await self._queue.add(conn, DeleteMedia(folder_of(key)))
