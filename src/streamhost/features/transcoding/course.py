"""The way of a package through the catalog: opening stages, going on, coming to an end, beginning again.

Everything here happens inside the caller's transaction, together with the jobs that follow from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from streamhost import log
from streamhost.db import packages, replacements, videos
from streamhost.db.core import Connection
from streamhost.features.transcoding import pipeline, stages
from streamhost.features.transcoding import recipe as recipes
from streamhost.features.transcoding.errors import NothingToRetry, SourceGone
from streamhost.features.transcoding.keeping import Keeping
from streamhost.features.transcoding.others import NOBODY_ELSE, Others
from streamhost.features.transcoding.pace import Left
from streamhost.features.transcoding.progress import Paces
from streamhost.features.transcoding.publishing import manifests_lock
from streamhost.features.transcoding.recipe import Recipe
from streamhost.jobs.announcing import announce
from streamhost.jobs.errors import JobCancelled
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.events import VideoFailed, VideoHeld, VideoProcessed
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.streaming import Rendition
from streamhost.model.tasks import Job, Lane, MakePart, ProbeSource, PublishPackage, Task
from streamhost.model.videos import Protection, Video, VideoState, Visibility

URGENT = 10
"""Priority of what somebody waits to watch, before the lower renditions of other videos (0)."""
UNDERWAY = (VideoState.RECEIVED, VideoState.PROCESSING)
NO_PACE: dict[str, Any] = {"step": "", "speed": None, "eta": None}


def subject(video_id: VideoId) -> str:
    """What the jobs of a video say that they are about."""
    return f"video:{video_id}"


def standing(parts: Sequence[packages.PartRow]) -> tuple[tuple[Rendition, ...], bool]:
    """The renditions of a package that are complete, and whether there is a poster."""
    return pipeline.standing((part.name, part.facts) for part in parts)


class Course:
    """Knows what follows what. It does no work itself: it adds the jobs that do."""

    def __init__(
        self, queue: Queue, clock: Clock, paces: Paces, keeping: Keeping, others: Others = NOBODY_ELSE
    ) -> None:
        self._queue = queue
        self._others = others
        self._clock = clock
        self._paces = paces
        self._keeping = keeping
        self._log = log.get("transcoding")

    async def open(self, conn: Connection, package: packages.PackageRow, recipe: Recipe, stage: stages.Stage) -> None:
        """Begin a stage."""
        await packages.change(conn, package.id, stage=stage.name, recipe=recipe.to_json())
        await self.add(conn, package, stage, stage.opens(recipe))

    async def add(
        self, conn: Connection, package: packages.PackageRow, stage: stages.Stage, parts: Sequence[stages.Part]
    ) -> None:
        """Add parts to a stage, and a job for each."""
        rows = [packages.PartRow(part.name, stage.name, part.weight) for part in parts]
        await packages.add_parts(conn, package.id, rows)
        for part in parts:
            await self.enqueue(conn, package, stage, part.name)

    async def enqueue(self, conn: Connection, package: packages.PackageRow, stage: stages.Stage, part: str) -> None:
        """Add the job of one part, with the priority of its video, and paused if that is held."""
        video = await videos.get(conn, package.video_id)
        if video is None:
            return
        what, _ = stages.parse(part)
        kind = PublishPackage if what == stages.PUBLISH else MakePart
        task: Task = kind(package.video_id, package.id, part)
        await self._queue.add(
            conn,
            task,
            lane=Lane.SOUND if what == stages.AUDIO else None,
            priority=video.priority + (URGENT if stage.urgent else 0),
            lock=manifests_lock(package.video_id) if kind is PublishPackage else f"part:{package.id}:{part}",
            queueing_lock=f"part:{package.id}:{part}",
            subject=subject(package.video_id),
            paused=video.held,
        )

    async def advance(self, conn: Connection, package: packages.PackageRow, recipe: Recipe) -> None:
        """Open the next stage when the present one has nothing left to do; after the last one the video is ready."""
        if any(part.stage == package.stage and part.done_at is None for part in await packages.parts(conn, package.id)):
            return
        following = stages.onward(package.stage, recipe)
        if following is None:
            await self._finish(conn, package, recipe)
        else:
            await self.open(conn, package, recipe, following)

    async def grow(self, conn: Connection, package_id: PackageId) -> None:
        """Have what stands of a video shown while its first stage goes on, if that is worth it; what is shown already,
        be added to."""
        package = await packages.get(conn, package_id)
        video = await videos.get(conn, package.video_id) if package else None
        if package is None or video is None or not package.underway or package.stage != stages.INGEST[0].name:
            return
        # A new file waits until all of it can take the old one's place. Lists for HLS alone do not say how long it is.
        if package.source_key is not None or package.protection is Protection.AES_128:
            return
        recipe = Recipe.from_json(package.recipe)
        known = [(part.name, part.facts) for part in await packages.parts(conn, package.id)]
        left = Left.of(await packages.weights(conn, package.id))
        eta = self._paces.of(package.id).estimate(left, recipe.work).eta
        shown = video.package_id == package.id
        if shown or pipeline.worth_showing(recipe, known, self._clock() - package.created_at, eta):
            await packages.add_parts(conn, package.id, [packages.PartRow(stages.GROWING, stages.GROWING, 0.0)])
            await self.enqueue(conn, package, stages.INGEST[0], stages.GROWING)

    async def _finish(self, conn: Connection, package: packages.PackageRow, recipe: Recipe) -> None:
        now = self._clock()
        await packages.change(conn, package.id, stage=stages.FINISHED, recipe=recipe.to_json(), finished_at=now)
        columns: dict[str, Any] = {"state": VideoState.READY.value, "progress": 1.0, "paused": 0, **NO_PACE}
        await videos.change(conn, package.video_id, now, **columns)
        video = await videos.get(conn, package.video_id)
        if video is not None and package.source_key is None:
            # What was made of a new file was told of when it took the old one's place.
            await announce(conn, self._queue, VideoProcessed(video.id, video.owner_id, video.title, at=now))
        await self._keeping.ready(conn, package.video_id)
        await self._others.made(conn, package.video_id)
        self._paces.forget(package.id)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A job of a video failed for good, or was cancelled: say so on the video. What plays goes on playing.

        What was made stays for a retry until it is swept away."""
        video_id = VideoId(job.payload["video_id"])
        video = await videos.get(conn, video_id)
        if video is None or video.state not in UNDERWAY or job.payload.get("part") == stages.GROWING:
            return
        if (package_id := job.payload.get("package_id")) is not None:
            package = await packages.get(conn, package_id)
            if package is None or not package.underway:
                return
        if not (isinstance(error, JobCancelled) and await self._begun_again(conn, job)):
            await self.stop(conn, video, error)

    async def stop(self, conn: Connection, video: Video, error: StreamhostError) -> None:
        """End the making of a video that is underway."""
        video_id, now = video.id, self._clock()
        video = await self._take_back(conn, video)
        new = await replacements.get(conn, video_id)
        for package in await packages.of_video(conn, video_id):
            if package.underway and (new is None or package.id != new.package_id):
                await packages.give_up(conn, package.id, now)
                self._paces.forget(package.id)
        if video.package_id is not None:
            await self.note(conn, video_id, f"Not every rendition could be made: {error}")
            ready = [rendition for rendition in video.renditions if rendition.ready]
            await videos.set_renditions(conn, video_id, video.package_id, ready)
            await videos.change(conn, video_id, now, state=VideoState.READY.value, progress=1.0, paused=0, **NO_PACE)
            await self._others.made(conn, video_id)
        else:
            words = {"error_code": error.code, "error_detail": str(error), "error_hint": error.hint}
            await videos.change(conn, video_id, now, state=VideoState.FAILED.value, paused=0, **NO_PACE, **words)
            if not isinstance(error, JobCancelled):
                event = VideoFailed(video_id, video.owner_id, video.title, error.code, str(error), at=now)
                await announce(conn, self._queue, event)
        for job in await self._queue.unfinished(conn, subject(video_id)):
            if new is None or not new.concerned_by(job.payload):
                await self._queue.cancel(conn, job.id)
        self._log.warning("a video could not be made", video=video_id, code=error.code, detail=error.detail)

    async def _take_back(self, conn: Connection, video: Video) -> Video:
        """Of a video that was shown while it was made, and whose end will not come, show nothing any more."""
        package = await packages.get(conn, video.package_id) if video.package_id else None
        if package is None or package.stage != stages.INGEST[0].name:
            return video
        columns = {"package_id": None, "playable": 0, "poster_key": None}
        await videos.change(conn, video.id, self._clock(), **columns)
        return replace(video, package_id=None, playable=False, poster_key=None)

    async def _begun_again(self, conn: Connection, job: Job) -> bool:
        """Whether the work of a cancelled job was ordered anew while it came to its end."""
        others = await self._queue.unfinished(conn, job.subject or "")
        return any(other.lock == job.lock and other.id != job.id and not other.cancel_requested for other in others)

    async def again(self, conn: Connection, video: Video) -> None:
        """Take up a video that failed, was cancelled, or could not be made whole, from where its parts stand.

        One that is underway goes on at once, where it waits for another try. Raises `SourceGone`, `NothingToRetry`."""
        if video.state in UNDERWAY:
            await videos.change(conn, video.id, self._clock(), paused=0)
            for job in await self._queue.unfinished(conn, subject(video.id)):
                await self._queue.resume(conn, job.id)
                await self._queue.retry(conn, job.id)
            return
        left = [
            p for p in await packages.of_video(conn, video.id) if p.given_up_at and video.package_id in (None, p.id)
        ]
        if video.state is VideoState.READY and not left:
            raise NothingToRetry
        if video.source_key is None:
            raise SourceGone
        fresh = {"error_code": None, "error_detail": None, "error_hint": None, "paused": 0, "progress": 0.0, **NO_PACE}
        if left:
            await videos.change(conn, video.id, self._clock(), state=VideoState.PROCESSING.value, **fresh)
            await self._go_on(conn, left[-1])
        else:
            await videos.change(conn, video.id, self._clock(), state=VideoState.RECEIVED.value, **fresh)
            await self._queue.add(
                conn, ProbeSource(video.id), priority=video.priority, lock=subject(video.id), subject=subject(video.id)
            )

    async def _go_on(self, conn: Connection, package: packages.PackageRow) -> None:
        recipe = Recipe.from_json(package.recipe)
        await packages.give_up(conn, package.id, None)
        await packages.restart_parts(conn, package.id)
        parts = await packages.parts(conn, package.id)
        await videos.set_renditions(conn, package.video_id, package.id, recipes.summaries(recipe, standing(parts)[0]))
        for part in parts:
            if part.stage == package.stage and part.done_at is None:
                await self.enqueue(conn, package, stages.stage(package.stage), part.name)
        await self.advance(conn, package, recipe)

    def forget(self, package_id: PackageId) -> None:
        """Nothing more is made of a package."""
        self._paces.forget(package_id)

    async def hold(self, conn: Connection, video_id: VideoId, why: str) -> None:
        """Keep a video to its owner because somebody objects, and say so on it and to whoever hears of events."""
        await videos.change(conn, video_id, self._clock(), visibility=Visibility.PRIVATE.value)
        await self.note(conn, video_id, why)
        if (video := await videos.get(conn, video_id)) is not None:
            held = VideoHeld(video.id, video.owner_id, video.title, why, at=self._clock())
            await announce(conn, self._queue, held)

    async def note(self, conn: Connection, video_id: VideoId, sentence: str) -> None:
        """Write on a video what was done differently than asked."""
        video = await videos.get(conn, video_id)
        if video is not None and sentence not in video.notes:
            await videos.change(
                conn, video_id, self._clock(), notes=msgspec.json.encode([*video.notes, sentence]).decode()
            )
