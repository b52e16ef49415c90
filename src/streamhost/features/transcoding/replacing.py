"""Another file for a video, under the same address: the old one plays until one commit puts the new one in its place.

A new file that turns out to be no video, is refused by those who look at it first, or is cancelled, leaves everything
as it was.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streamhost import log
from streamhost.db import packages, replacements, stills, videos
from streamhost.db.core import Connection
from streamhost.features.transcoding import pipeline, stages, words
from streamhost.features.transcoding.course import Course, subject
from streamhost.features.transcoding.errors import FileRejected
from streamhost.features.transcoding.others import Others
from streamhost.features.transcoding.pictures import Pictures
from streamhost.features.transcoding.recipe import Recipe
from streamhost.jobs.announcing import announce
from streamhost.jobs.errors import JobCancelled
from streamhost.jobs.queue import Queue
from streamhost.media import wire
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.events import ReplacementFailed, VideoReplaced
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.tasks import DeleteMedia, Job, RetirePackage
from streamhost.model.videos import Failure, Replacement, Video, VideoState, folder_of

GRACE = 5 * MINUTE
"""How much longer than a grant lives an old package stays: clocks and last requests."""


class Replacing:
    """Lets a new file take an old one's place, or go. Everything happens inside the caller's transaction."""

    def __init__(
        self, queue: Queue, clock: Clock, pictures: Pictures, grants_live: float, course: Course, others: Others
    ) -> None:
        """`grants_live`: for how long a grant for the old package may still be used, in seconds."""
        self._queue = queue
        self._clock = clock
        self._pictures = pictures
        self._course = course
        self._others = others
        self._grants_live = grants_live
        self._log = log.get("transcoding")

    async def waits(self, conn: Connection, package: packages.PackageRow, part: str, duration: float) -> bool:
        """Whether what was made of a new file stays beside what plays, because somebody is to look at it first.

        Its last part stays undone; `let_in` has it done once more."""
        new = await replacements.of_package(conn, package.id)
        video = await videos.get(conn, package.video_id)
        if new is None or video is None or video.package_id is None or part != stages.LAST_PART:
            return False
        if not await self._others.holds(conn, video.id, package.id):
            return False
        picture = Recipe.from_json(package.recipe).info.video
        await replacements.made(conn, video.id, picture.display_size[0] if picture else None, duration)
        return True

    async def let_in(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """Somebody has looked at a new file: have it take the old one's place now."""
        package = await packages.get(conn, package_id)
        if package is not None and package.underway:
            await replacements.progress(conn, package_id, 1.0, "")
            await self._course.enqueue(conn, package, stages.stage(package.stage), stages.LAST_PART)

    async def refuse(self, conn: Connection, video_id: VideoId, package_id: PackageId, reason: str) -> None:
        """Somebody has looked at a new file and found it unfit: it goes, and its owner is told why."""
        new = await replacements.of_package(conn, package_id)
        if new is not None and new.video_id == video_id:
            await self.drop(conn, new, FileRejected(reason))

    async def take_over(
        self, conn: Connection, video: Video, package: packages.PackageRow, new: Replacement, *, whole: bool
    ) -> None:
        """Make the new file the video's, with the package that was made of it; `whole` if nothing of that is missing.

        The old package stays until every grant for it has run out: whoever watches does not notice."""
        now = self._clock()
        recipe = Recipe.from_json(package.recipe)
        width, height = recipe.info.video.display_size if recipe.info.video else (None, None)
        columns: dict[str, Any] = {
            "source_key": new.source_key,
            "source_name": new.source_name,
            "source_size": new.source_size,
            "source_sha256": new.source_sha256,
            "width": width,
            "height": height,
            "chapters": videos.chapters_text(words.chapters_of(video, recipe.info)),
            "notes": msgspec.json.encode(await _notes(conn, package, recipe)).decode(),
            "error_code": None,
            "error_detail": None,
            "error_hint": None,
        }
        if not whole:
            columns |= {"state": VideoState.PROCESSING.value, "progress": new.progress}
        await videos.change(conn, video.id, now, **columns)
        choice = await stills.chosen(conn, video.id)
        for old in await packages.of_video(conn, video.id):
            if old.id != package.id:
                await self._retire(conn, video, old)
                if choice is not None and choice.set_id == old.id:
                    await stills.unchoose(conn, video.id)
        if video.source_key is not None and video.source_key != new.source_key:
            await self._queue.add(conn, DeleteMedia(folder_of(video.source_key)))
        await replacements.delete(conn, video.id)
        await self._others.replaced(conn, video.id, package.id)
        await words.ask_for_captions(conn, self._queue, package, recipe.info)
        await announce(conn, self._queue, VideoReplaced(video.id, video.owner_id, video.title, at=now))
        self._log.info("a video's file was replaced", action="file_replaced", video=video.id)

    async def _retire(self, conn: Connection, video: Video, old: packages.PackageRow) -> None:
        await self._stop(conn, video.id, old.id)
        if old.id == video.package_id:
            await self._queue.add(conn, RetirePackage(video.id, old.id), delay=self._grants_live + GRACE)
        elif old.finished_at is None:
            await packages.delete(conn, old.id)
            await self.gone(conn, video.id, old.id)
        # Any other has played before, and goes when the grants for it have run out.

    async def gone(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """A package is not wanted any more, or its video is not: what was just stored of it goes too."""
        await self._pictures.drop(conn, video_id, package_id)
        self._course.forget(package_id)

    async def failed(self, conn: Connection, job: Job, error: StreamhostError) -> bool:
        """A job failed or was cancelled: if it was about a new file, that file goes, and the video stays as it is.

        False if it was about something else."""
        video_id, package_id = VideoId(job.payload["video_id"]), job.payload.get("package_id")
        if package_id is not None and await packages.get(conn, package_id) is None:
            # It was told to stop, and may have stored something after all that there was had been removed.
            await self.gone(conn, video_id, package_id)
        new = await replacements.get(conn, video_id)
        if new is None or new.error is not None or not new.concerned_by(job.payload):
            # Looking into a new file that has gone meanwhile says nothing about the video's own.
            return bool(job.payload.get("source_key"))
        await self.drop(conn, new, error)
        return True

    async def drop(self, conn: Connection, new: Replacement, error: StreamhostError) -> None:
        """Let a new file go, and note why."""
        await replacements.failed(conn, new.video_id, Failure(error.code, str(error), error.hint))
        await self._queue.add(conn, DeleteMedia(folder_of(new.source_key)))
        video = await videos.get(conn, new.video_id)
        if video is not None and not isinstance(error, JobCancelled):
            failed = ReplacementFailed(video.id, video.owner_id, video.title, error.code, str(error), at=self._clock())
            await announce(conn, self._queue, failed)
        if new.package_id is not None:
            await packages.delete(conn, new.package_id)
            await self.gone(conn, new.video_id, new.package_id)
        for job in await self._queue.unfinished(conn, subject(new.video_id)):
            if new.concerned_by(job.payload):
                await self._queue.cancel(conn, job.id)
        self._log.warning("a file could not replace another", video=new.video_id, code=error.code, detail=error.detail)

    async def _stop(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """Nothing more is made of an old package."""
        await packages.give_up(conn, package_id, self._clock())
        for job in await self._queue.unfinished(conn, subject(video_id)):
            if job.payload.get("package_id") == package_id:
                await self._queue.cancel(conn, job.id)


async def _notes(conn: Connection, package: packages.PackageRow, recipe: Recipe) -> list[str]:
    """What was done differently than asked when the package was made."""
    found = [*recipe.info.warnings, *filter(None, [recipe.obstacle])]
    for part in await packages.parts(conn, package.id):
        if part.facts and part.facts != "{}":
            found += wire.loads(part.facts, pipeline.PartFacts).warnings
    return list(dict.fromkeys(found))
