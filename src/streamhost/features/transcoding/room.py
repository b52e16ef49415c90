"""The jobs that turn a source into a package, and what they write into the catalog."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from streamhost import log
from streamhost.db import packages, videos
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import encoder, pipeline, stages
from streamhost.features.transcoding import recipe as recipes
from streamhost.features.transcoding.encoder import EncoderChooser, RunsMedia
from streamhost.features.transcoding.progress import ProgressNotes
from streamhost.features.transcoding.recipe import Recipe
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.media import compat, ladder, tasks, wire
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.streaming import POSTER, MediaInfo, Presentation
from streamhost.model.tasks import DeleteMedia, Job, MakePart, ProbeSource, PublishPackage, Task
from streamhost.model.videos import VideoState, package_prefix, source_prefix
from streamhost.ports import Storage

URGENT = 10
"""Priority of what somebody waits to watch, before the lower renditions of other videos (0)."""


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
        ladder_settings: ladder.LadderSettings,
        encoding: tasks.Encoding,
        copy_limits: compat.CopyLimits,
        chooser: EncoderChooser,
        keep_source: bool = True,
    ) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._run = run
        self._work = work
        self._ladder = ladder_settings
        self._encoding = encoding
        self._copy_limits = copy_limits
        self._chooser = chooser
        self._keep_source = keep_source
        self._log = log.get("transcoding")

    def start(self) -> None:
        """Remove what earlier runs left in the working directory, and find out what can encode; before any job runs."""
        self._chooser.start()
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)

    async def stop(self) -> None:
        """Let go of what `start` began."""
        await self._chooser.stop()

    async def probe(self, task: ProbeSource, job: JobContext) -> None:
        """Look into the source, choose the recipe, open the first stage."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            underway = await packages.of_video(conn, task.video_id)
        if video is None or video.source_key is None or any(p.finished_at is None for p in underway):
            return
        with self._room(task.video_id, "probe") as room:
            source = await self._storage.fetch(video.source_key, room)
            info = await self._run(tasks.Probe(str(source)), job.report, None)
        assert isinstance(info, MediaInfo)
        encoding = replace(self._encoding, encoder=(await self._chooser.chosen()).name)
        recipe = recipes.choose(info, self._ladder, encoding, self._copy_limits)
        package = packages.PackageRow(PackageId(new_id()), video.id, stages.INGEST[0].name, "", self._clock(), None)
        width, height = info.video.display_size if info.video else (None, None)
        async with self._db.write() as conn:
            changed = await videos.change(
                conn,
                video.id,
                self._clock(),
                state=VideoState.PROCESSING.value,
                duration=float(info.duration),
                width=width,
                height=height,
                notes=msgspec.json.encode([*info.warnings, *filter(None, [recipe.obstacle])]).decode(),
            )
            if changed:
                await packages.insert(conn, replace(package, recipe=recipe.to_json()))
                await videos.set_renditions(conn, video.id, package.id, recipes.planned(recipe))
                await self._open(conn, package, recipe, stages.INGEST[0])
            await job.complete(conn)

    async def make_part(self, task: MakePart, job: JobContext) -> None:
        """Do one part: run the media task, put its files into storage, then note it as done and open what follows."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            package = await packages.get(conn, task.package_id)
        if video is None or package is None or video.source_key is None:
            return
        recipe = Recipe.from_json(package.recipe)
        with self._room(package.id, task.part) as room:
            out = room / "out"
            out.mkdir()
            source = await self._storage.fetch(video.source_key, room)
            async with ProgressNotes(self._db, video.id, package.id, task.part, recipe.work, job) as notes:
                wanted = pipeline.media_task(recipe, task.part, str(source), str(out))
                try:
                    answer = await self._run(wanted, notes.report, out)
                except StreamhostError as error:
                    if not encoder.blames_encoder(recipe, task.part, error):
                        raise
                    await self._fall_back(task, recipe, error, job)
                    return
                facts = pipeline.facts(answer)
                if facts.renditions or facts.poster:
                    await self._storage.put_tree(package_prefix(video.id, package.id), out)
        what, _ = stages.parse(task.part)
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            if package is None:
                # The video was deleted or given up meanwhile: what was just stored goes too.
                await self._queue.add(conn, DeleteMedia(package_prefix(task.video_id, task.package_id)))
            elif what == stages.CHUNK and not encoder.same_encoder(recipe, Recipe.from_json(package.recipe)):
                # Meanwhile the encoder that made this has failed elsewhere.
                await job.complete(conn)
                await self._enqueue(conn, package, stages.stage(package.stage), task.part)
                return
            elif await packages.part_done(conn, package.id, task.part, wire.dumps(facts).decode(), self._clock()):
                recipe = pipeline.learn(Recipe.from_json(package.recipe), answer, self._ladder)
                await packages.change(conn, package.id, stage=package.stage, recipe=recipe.to_json())
                await self._add(conn, package, stages.stage(package.stage), stages.follow_up(recipe, what))
                if isinstance(answer, tasks.Copied) and answer.obstacle:
                    await self._note(conn, video.id, answer.obstacle)
                    await videos.set_renditions(conn, video.id, package.id, recipes.planned(recipe))
                for warning in facts.warnings:
                    await self._note(conn, video.id, warning)
                await self._advance(conn, package, recipe)
            await job.complete(conn)

    async def _fall_back(self, task: MakePart, recipe: Recipe, error: StreamhostError, job: JobContext) -> None:
        """Have libx264 encode what the chosen encoder could not, this part and those that it had made already."""
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            await job.complete(conn)
            if package is None:
                return
            again = [task.part]
            newest = Recipe.from_json(package.recipe)
            if encoder.same_encoder(recipe, newest):
                again += await encoder.unmake_chunks(conn, package)
                software = encoder.by_software(newest)
                await packages.change(conn, package.id, stage=package.stage, recipe=software.to_json())
                await self._note(conn, task.video_id, encoder.sentence(recipe, error))
            for part in again:
                await self._enqueue(conn, package, stages.stage(package.stage), part)
        self._log.warning(
            "an encoder failed, libx264 goes on", video=task.video_id, encoder=recipe.encoding.encoder,
            part=task.part, code=error.code, detail=error.detail,
        )  # fmt: skip

    async def publish(self, task: PublishPackage, job: JobContext) -> None:
        """Write the manifests of every rendition that is complete and let the package play."""
        async with self._db.read() as conn:
            video = await videos.get(conn, task.video_id)
            package = await packages.get(conn, task.package_id)
            parts = await packages.parts(conn, task.package_id)
        if video is None or package is None:
            return
        recipe = Recipe.from_json(package.recipe)
        standing, poster = pipeline.standing((p.name, p.facts if p.done_at is not None else None) for p in parts)
        prefix = package_prefix(video.id, package.id)
        texts = pipeline.manifests(standing)
        with self._room(package.id, task.part) as room:
            for name, text in texts.playlists.items():
                path = room / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
            await self._storage.put_tree(prefix, room)
        for name, text in texts.entries.items():
            await self._storage.put_bytes(prefix + name, text.encode())
        now = self._clock()
        async with self._db.write() as conn:
            package = await packages.get(conn, task.package_id)
            if package is not None and await packages.part_done(conn, package.id, task.part, "{}", now):
                await videos.change(
                    conn,
                    video.id,
                    now,
                    package_id=package.id,
                    playable=1,
                    poster_key=prefix + POSTER if poster else None,
                    duration=float(Presentation(standing).duration),
                    published_at=video.published_at or now,
                )
                await videos.set_renditions(conn, video.id, package.id, recipes.summaries(recipe, standing))
                await self._advance(conn, package, recipe)
            elif package is None:
                await self._queue.add(conn, DeleteMedia(package_prefix(video.id, task.package_id)))
            await job.complete(conn)

    async def delete_media(self, task: DeleteMedia, _job: JobContext) -> None:
        """Remove what lies below a prefix."""
        await self._storage.delete_prefix(task.prefix)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A job of a video failed for good: say so on the video. What plays already goes on playing."""
        video_id = VideoId(job.payload["video_id"])
        video = await videos.get(conn, video_id)
        if video is None or video.state in (VideoState.READY, VideoState.FAILED):
            return
        now = self._clock()
        for package in await packages.of_video(conn, video_id):
            if package.id == video.package_id:
                await packages.change(conn, package.id, stage=stages.FINISHED, recipe=package.recipe, finished_at=now)
            else:
                await packages.delete(conn, package.id)
                await self._queue.add(conn, DeleteMedia(package_prefix(video_id, package.id)))
        if video.package_id is not None:
            await self._note(conn, video_id, f"Not every rendition could be made: {error}")
            ready = [rendition for rendition in video.renditions if rendition.ready]
            await videos.set_renditions(conn, video_id, video.package_id, ready)
            await videos.change(conn, video_id, now, state=VideoState.READY.value, progress=1.0, step="")
        else:
            words = {"error_code": error.code, "error_detail": str(error), "error_hint": error.hint}
            await videos.change(conn, video_id, now, state=VideoState.FAILED.value, step="", **words)
        await self._queue.cancel_subject(conn, f"video:{video_id}")
        self._log.warning("a video could not be made", video=video_id, code=error.code, detail=error.detail)

    async def _open(self, conn: Connection, package: packages.PackageRow, recipe: Recipe, stage: stages.Stage) -> None:
        await packages.change(conn, package.id, stage=stage.name, recipe=recipe.to_json())
        await self._add(conn, package, stage, stage.opens(recipe))

    async def _add(
        self, conn: Connection, package: packages.PackageRow, stage: stages.Stage, parts: Sequence[stages.Part]
    ) -> None:
        rows = [packages.PartRow(part.name, stage.name, part.weight) for part in parts]
        await packages.add_parts(conn, package.id, rows)
        for part in parts:
            await self._enqueue(conn, package, stage, part.name)

    async def _enqueue(self, conn: Connection, package: packages.PackageRow, stage: stages.Stage, part: str) -> None:
        kind = PublishPackage if stages.parse(part)[0] == stages.PUBLISH else MakePart
        task: Task = kind(package.video_id, package.id, part)
        await self._queue.add(
            conn,
            task,
            priority=URGENT if stage.urgent else 0,
            queueing_lock=f"part:{package.id}:{part}",
            subject=f"video:{package.video_id}",
        )

    async def _advance(self, conn: Connection, package: packages.PackageRow, recipe: Recipe) -> None:
        """Open the next stage when the present one has nothing left to do; after the last one the video is ready."""
        if any(part.stage == package.stage and part.done_at is None for part in await packages.parts(conn, package.id)):
            return
        following = stages.onward(package.stage, recipe)
        if following is None:
            await self._finish(conn, package, recipe)
        else:
            await self._open(conn, package, recipe, following)

    async def _finish(self, conn: Connection, package: packages.PackageRow, recipe: Recipe) -> None:
        now = self._clock()
        await packages.change(conn, package.id, stage=stages.FINISHED, recipe=recipe.to_json(), finished_at=now)
        columns: dict[str, Any] = {"state": VideoState.READY.value, "progress": 1.0, "step": ""}
        if not self._keep_source:
            columns["source_key"] = None
            await self._queue.add(conn, DeleteMedia(source_prefix(package.video_id)))
        await videos.change(conn, package.video_id, now, **columns)

    async def _note(self, conn: Connection, video_id: VideoId, sentence: str) -> None:
        video = await videos.get(conn, video_id)
        if video is not None and sentence not in video.notes:
            await videos.change(
                conn, video_id, self._clock(), notes=msgspec.json.encode([*video.notes, sentence]).decode()
            )

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
