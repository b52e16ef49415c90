"""The jobs that turn a source into a package, and what they write into the catalog."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from streamhost import log
from streamhost.db import captions as caption_rows
from streamhost.db import packages, replacements, stills, videos
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import encoder, pipeline, publishing, stages, words
from streamhost.features.transcoding import recipe as recipes
from streamhost.features.transcoding.course import Course
from streamhost.features.transcoding.encoder import EncoderChooser, RunsMedia
from streamhost.features.transcoding.keeping import Keeping
from streamhost.features.transcoding.others import NOBODY_ELSE, Others
from streamhost.features.transcoding.pace import Estimate
from streamhost.features.transcoding.pictures import Pictures
from streamhost.features.transcoding.progress import Paces, ProgressNotes
from streamhost.features.transcoding.recipe import Recipe, Rules
from streamhost.features.transcoding.replacing import Replacing
from streamhost.features.transcoding.sources import Sources
from streamhost.features.transcoding.switching import GivesKeys, Switching
from streamhost.jobs.announcing import announce
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.media import ladder, tasks, wire
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.events import VideoPublished
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.keeping import ALWAYS
from streamhost.model.stills import Storyboard
from streamhost.model.streaming import POSTER, MediaInfo, Rung
from streamhost.model.tasks import (
    DeleteMedia,
    ExtractCaptions,
    Job,
    MakePart,
    ProbeSource,
    PublishPackage,
    RewriteManifests,
)
from streamhost.model.videos import VideoState, Visibility, package_prefix
from streamhost.ports import Storage

FETCHING = "fetch"
"""The step in which a file is brought to this machine; where it lies here it is over at once."""


class Transcoding:
    """Leads every video from its source to a package that plays. All handlers may be killed anywhere and run again."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        clock: Clock,
        run: RunsMedia,
        work: Path,
        *,
        rules: Rules,
        chooser: EncoderChooser,
        protecting: GivesKeys,
        keep_source: str = ALWAYS,
        grants_live: float = 0.0,
        others: Others = NOBODY_ELSE,
    ) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage
        self._pictures = Pictures(db, queue, storage)
        self._sources = Sources(storage, work)
        self._clock = clock
        self._run = run
        self._work = work
        self._rules = rules
        self._chooser = chooser
        self._protecting = protecting
        self._others = others
        self._paces = Paces()
        self.keeping = Keeping(db, queue, clock, keep_source)
        self.course = Course(queue, clock, self._paces, self.keeping, others)
        self.replacing = Replacing(queue, clock, self._pictures, grants_live, self.course, others)
        self._log = log.get("transcoding")

    def switching(self, grants_live: float) -> Switching:
        """What changes the protection of finished videos, with the same means."""
        return Switching(
            self._db,
            self._queue,
            self._storage,
            self._clock,
            self._run,
            self._work,
            self.course,
            self._protecting,
            grants_live,
        )

    def start(self) -> None:
        """Remove what earlier runs left in the working directory, and find out what can encode; before any job runs."""
        self._chooser.start()
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)

    async def stop(self) -> None:
        """Let go of what `start` began."""
        await self._chooser.stop()
        await self._sources.stop()

    async def probe(self, task: ProbeSource, job: JobContext) -> None:
        """Look into the source, choose the recipe, open the first stage."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            underway = await packages.of_video(conn, task.video_id)
            awaited = await replacements.get(conn, task.video_id)
        new = awaited if task.source_key else None
        if awaited is not None:
            underway = [package for package in underway if package.id != awaited.package_id]
        key = task.source_key or (video.source_key if video else None)
        if video is None or key is None:
            return
        if new is None and (task.source_key or video.package_id or any(p.underway for p in underway)):
            # Made already, perhaps from a newer file.
            return
        if new is not None and (new.source_key != key or new.package_id is not None or new.error is not None):
            return
        job.report(0.0, FETCHING)
        async with self._sources.lent(key) as source:
            info = await self._run(tasks.Probe(str(source)), job.report, None)
        assert isinstance(info, MediaInfo)
        encoding = replace(self._rules.encoding, encoder=(await self._chooser.chosen()).name)
        recipe = recipes.choose(info, self._rules.ladder, encoding, self._rules.copy_limits)
        recipe = replace(recipe, rungs=await self._others.ladder(recipe.rungs, info))
        package = packages.PackageRow(
            PackageId(new_id()), video.id, stages.INGEST[0].name, "", self._clock(), None, protection=video.protection
        )
        if new is not None:
            await self._begin_replacement(replace(package, recipe=recipe.to_json(), source_key=key), recipe, job)
            return
        width, height = info.video.display_size if info.video else (None, None)
        async with self._db.write() as conn:
            # Looking into a file takes its time, and what somebody has edited meanwhile counts.
            if (video := await videos.get(conn, task.video_id)) is not None:
                await videos.change(
                    conn,
                    video.id,
                    self._clock(),
                    state=VideoState.PROCESSING.value,
                    duration=float(info.duration),
                    width=width,
                    height=height,
                    chapters=videos.chapters_text(words.chapters_of(video, info)),
                    notes=msgspec.json.encode([*info.warnings, *filter(None, [recipe.obstacle])]).decode(),
                )
                package = replace(package, recipe=recipe.to_json(), protection=video.protection)
                await packages.insert(conn, package)
                await videos.set_renditions(conn, video.id, package.id, recipes.planned(recipe))
                await self.course.open(conn, package, recipe, stages.INGEST[0])
                await words.ask_for_captions(conn, self._queue, package, info)
            await job.complete(conn)

    async def _begin_replacement(self, package: packages.PackageRow, recipe: Recipe, job: JobContext) -> None:
        """Open the first stage of what is made from a new file; of the video nothing changes yet."""
        async with self._db.write() as conn:
            new = await replacements.get(conn, package.video_id)
            if new is not None and new.source_key == package.source_key and new.error is None:
                await packages.insert(conn, package)
                await replacements.started(conn, package.video_id, package.id)
                await self.course.open(conn, package, recipe, stages.INGEST[0])
            await job.complete(conn)

    async def make_part(self, task: MakePart, job: JobContext) -> None:
        """Do one part: run the media task, put its files into storage, then note it as done and open what follows."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            package = await packages.get(conn, task.package_id)
            new = await replacements.of_package(conn, task.package_id)
        key = (package.source_key if package else None) or (video.source_key if video else None)
        if video is None or package is None or not package.underway or key is None:
            return
        recipe = Recipe.from_json(package.recipe)
        what, _ = stages.parse(task.part)
        with self._room(package.id, task.part) as room:
            out, aside = room / "out", room / "out" / "stills"
            aside.mkdir(parents=True)
            told = partial(self._told, video.id, package.id if new is not None else None)
            pace = self._paces.of(package.id)
            async with (
                ProgressNotes(self._db, package.id, task.part, recipe.work, job, pace, self._clock, told) as notes,
                contextlib.AsyncExitStack() as lent,
            ):
                if what == stages.STORYBOARD:
                    wanted = await self._pictures.storyboard(video.id, package.id, room, out)
                else:
                    notes.report(0.0, FETCHING)
                    source = await lent.enter_async_context(self._sources.lent(key))
                    guard = await self._protecting(package.id, package.protection)
                    wanted = pipeline.media_task(recipe, task.part, str(source), str(out), guard, str(aside))
                try:
                    answer = await self._run(wanted, notes.report, out) if wanted else None
                except StreamhostError as error:
                    if not encoder.blames_encoder(recipe, task.part, error):
                        raise
                    await self._fall_back(task, recipe, error, job)
                    return
                facts = pipeline.facts(answer)
                if facts.stills:
                    await self._pictures.take(video.id, package.id, aside)
                shutil.rmtree(aside, ignore_errors=True)
                if isinstance(answer, Storyboard):
                    await self._pictures.add_poster(video.id, package.id, out)
                if facts.renditions or facts.poster:
                    await self._storage.put_tree(package_prefix(video.id, package.id), out)
        full: tuple[Rung, ...] = ()
        if isinstance(answer, tasks.Copied) and answer.obstacle:
            full = await self._others.ladder(ladder.ladder(recipe.info, self._rules.ladder), recipe.info)
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            if package is None:
                # The video was deleted or given up meanwhile: what was just stored goes too.
                await self.replacing.gone(conn, task.video_id, task.package_id)
            elif what == stages.CHUNK and not encoder.same_encoder(recipe, Recipe.from_json(package.recipe)):
                # Meanwhile the encoder that made this has failed elsewhere.
                await job.complete(conn)
                await self.course.enqueue(conn, package, stages.stage(package.stage), task.part)
                return
            elif package.underway and await packages.part_done(
                conn, package.id, task.part, wire.dumps(facts).decode(), self._clock()
            ):
                recipe = pipeline.learn(Recipe.from_json(package.recipe), answer, self._rules.ladder)
                recipe = replace(recipe, rungs=full) if full else recipe
                await packages.change(conn, package.id, stage=package.stage, recipe=recipe.to_json())
                await self.course.add(conn, package, stages.stage(package.stage), stages.follow_up(recipe, what))
                if isinstance(answer, tasks.Copied) and answer.obstacle and new is None:
                    await self.course.note(conn, video.id, answer.obstacle)
                    await videos.set_renditions(conn, video.id, package.id, recipes.planned(recipe))
                if isinstance(answer, Storyboard):
                    await self._pictures.made(conn, video.id, package.id, answer)
                for warning in facts.warnings if new is None else ():
                    await self.course.note(conn, video.id, warning)
                await self.course.advance(conn, package, recipe)
                if what in (stages.CHUNK, stages.AUDIO):
                    await self.course.grow(conn, package.id)
            await job.complete(conn)

    async def _fall_back(self, task: MakePart, recipe: Recipe, error: StreamhostError, job: JobContext) -> None:
        """Have libx264 encode what the chosen encoder could not, this part and those that it had made already."""
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            await job.complete(conn)
            if package is None or not package.underway:
                return
            again = [task.part]
            newest = Recipe.from_json(package.recipe)
            if encoder.same_encoder(recipe, newest):
                again += await encoder.unmake_chunks(conn, package)
                software = encoder.by_software(newest)
                await packages.change(conn, package.id, stage=package.stage, recipe=software.to_json())
                await self.course.note(conn, task.video_id, encoder.sentence(recipe, error))
            for part in again:
                await self.course.enqueue(conn, package, stages.stage(package.stage), part)
        self._log.warning(
            "an encoder failed, libx264 goes on", video=task.video_id, encoder=recipe.encoding.encoder,
            part=task.part, code=error.code, detail=error.detail,
        )  # fmt: skip

    async def publish(self, task: PublishPackage, job: JobContext) -> None:
        """Write the manifests of every rendition that is complete and let the package play."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            package = await packages.get(conn, task.package_id)
        if video is None or package is None or not package.underway or stages.too_late(task.part, package.stage):
            return
        recipe = Recipe.from_json(package.recipe)
        with self._room(package.id, task.part) as room:
            made = await publishing.write(self._db, self._storage, room, video.id, package.id, self._clock())
        objection = None if video.playable else await self._others.objection(video)
        now = self._clock()
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            duration = float(made.shown.duration)
            if package and package.underway and await self.replacing.waits(conn, package, task.part, duration):
                await job.complete(conn)
                return
            if package is not None and await publishing.noted(conn, package, task.part, now):
                video = await videos.get(conn, video.id) or video
                new = await replacements.of_package(conn, package.id)
                whole = task.part == stages.LAST_PART
                if new is not None and video.package_id is not None and not whole:
                    # The old file plays until all of the new one stands.
                    await self.course.advance(conn, package, recipe)
                    await job.complete(conn)
                    return
                if new is not None:
                    await self.replacing.take_over(conn, video, package, new, whole=whole)
                choice = await stills.chosen(conn, video.id)
                shown = package_prefix(video.id, choice.set_id if choice else package.id)
                await videos.change(
                    conn,
                    video.id,
                    now,
                    package_id=package.id,
                    playable=1,
                    poster_key=shown + POSTER if made.poster or choice else None,
                    duration=duration,
                    published_at=video.published_at or now,
                )
                if objection is not None and not video.playable:
                    await self.course.hold(conn, video.id, objection)
                await videos.set_renditions(conn, video.id, package.id, recipes.summaries(recipe, made.whole))
                seen = video.visibility is not Visibility.PRIVATE and replace(video, playable=True).shown
                if video.published_at is None and seen:
                    await announce(conn, self._queue, VideoPublished(video.id, video.owner_id, video.title, at=now))
                await caption_rows.published(conn, made.captions, package.id)
                await self.course.advance(conn, package, recipe)
            elif package is None:
                await self.replacing.gone(conn, video.id, task.package_id)
            await job.complete(conn)

    async def rewrite(self, task: RewriteManifests, job: JobContext) -> None:
        """Write the manifests of the set that plays anew; who plays already goes on with what was read."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
        if video is None or video.package_id is None:
            return
        with self._room(video.id, "manifests") as room:
            made = await publishing.write(self._db, self._storage, room, video.id, video.package_id, self._clock())
        async with self._db.write() as conn:
            await caption_rows.published(conn, made.captions, video.package_id)
            await job.complete(conn)

    async def extract(self, task: ExtractCaptions, job: JobContext) -> None:
        """Make captions of the text subtitles in the source. A file without its source any more has none to give."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            package = await packages.get(conn, task.package_id)
        key = (package.source_key if package else None) or (video.source_key if video else None)
        if video is None or package is None or key is None:
            return
        info = Recipe.from_json(package.recipe).info
        with self._room(package.id, "captions") as room:
            out = room / "out"
            out.mkdir()
            async with self._sources.lent(key) as source:
                answer = await self._run(tasks.ExtractText(str(source), str(out), info), job.report, out)
            assert isinstance(answer, tasks.Extracted)
            captions = words.captions_of(video.id, package.id, info, answer, self._clock())
            await words.store(self._storage, captions, answer, out)
        async with self._db.write() as conn:
            if await packages.get(conn, package.id) is not None:
                await words.replace_extracted(conn, self._queue, video.id, captions)
                await self._others.reworded(conn, video.id)
                for warning in answer.warnings:
                    await self.course.note(conn, video.id, warning)
            else:
                await words.discard(conn, self._queue, captions)
            await job.complete(conn)

    async def no_captions(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """The subtitles could not be taken out of the file: a pity, and nothing more."""
        await self.course.note(conn, VideoId(job.payload["video_id"]), words.not_taken(error))

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A job failed for good, or was cancelled: a new file goes, or the video says that it could not be made."""
        if not await self.replacing.failed(conn, job, error):
            await self.course.gave_up(conn, job, error)

    async def delete_media(self, task: DeleteMedia, _job: JobContext) -> None:
        """Remove what lies below a prefix."""
        await self._storage.delete_prefix(task.prefix)

    async def _told(
        self, video_id: VideoId, new: PackageId | None, conn: Connection, share: float, step: str, estimate: Estimate
    ) -> None:
        if new is not None:
            await replacements.progress(conn, new, share, step)
            return
        await videos.progress(conn, video_id, share, step, estimate.speed, estimate.eta)

    @contextmanager
    def _room(self, *names: str) -> Iterator[Path]:
        """A fresh directory of one job's own, gone afterwards however the job ends."""
        room = self._work.joinpath("-".join(names))
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
