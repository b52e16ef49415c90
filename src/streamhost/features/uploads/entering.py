"""A file has arrived in storage: the video that it becomes, or whose file it is to replace, enters the catalog."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from streamhost.db import packages, replacements, videos
from streamhost.db.core import Connection
from streamhost.jobs.queue import Queue
from streamhost.model.ids import UserId
from streamhost.model.tasks import DeleteMedia, ProbeSource
from streamhost.model.videos import Clearance, Replacement, Video, folder_of, package_prefix, package_stills

Clears = Callable[[Connection, UserId], Awaitable[Clearance]]
"""What a new video of somebody's is cleared for before anybody has looked at it."""


async def cleared_for_all(_conn: Connection, _owner: UserId) -> Clearance:
    """For a house without moderation."""
    return Clearance.OPEN


class Entering:
    """Enters videos and new files for them, and has them looked into: all in the caller's transaction."""

    def __init__(self, queue: Queue, clears: Clears = cleared_for_all) -> None:
        self._queue = queue
        self._clears = clears

    async def video(self, conn: Connection, video: Video) -> None:
        """Enter a new video whose file is in storage."""
        await videos.insert(conn, replace(video, clearance=await self._clears(conn, video.owner_id)))
        about = f"video:{video.id}"
        await self._queue.add(conn, ProbeSource(video.id), priority=video.priority, lock=about, subject=about)

    async def replacement(self, conn: Connection, new: Replacement, priority: int = 0) -> bool:
        """Let a new file come into the place of a video's; False, and the file goes, if that video is gone."""
        if await videos.get(conn, new.video_id) is None:
            await self._queue.add(conn, DeleteMedia(folder_of(new.source_key)))
            return False
        before = await replacements.get(conn, new.video_id)
        await replacements.put(conn, new)
        if before is not None and before.error is None:
            await self._supersede(conn, before)
        about = f"video:{new.video_id}"
        task = ProbeSource(new.video_id, new.source_key)
        await self._queue.add(conn, task, priority=priority, lock=about, subject=about)
        return True

    async def _supersede(self, conn: Connection, before: Replacement) -> None:
        """A newer file has come before an earlier one took its place: the earlier one goes."""
        await self._queue.add(conn, DeleteMedia(folder_of(before.source_key)))
        if before.package_id is not None:
            await packages.delete(conn, before.package_id)
            for prefix in (
                package_prefix(before.video_id, before.package_id),
                package_stills(before.video_id, before.package_id),
            ):
                await self._queue.add(conn, DeleteMedia(prefix))
        for job in await self._queue.unfinished(conn, f"video:{before.video_id}"):
            if before.concerned_by(job.payload):
                await self._queue.cancel(conn, job.id)
