"""Puts a finished video under another protection: its renditions are written anew, nothing is encoded.

The old package plays until one commit puts the new one in its place. It stays, with its keys, until every grant for it
has run out: who plays on does not notice, and who asks anew gets the new one.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

import msgspec

from streamhost import log
from streamhost.db import captions as caption_rows
from streamhost.db import packages, stills, verdicts, videos
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import pipeline, publishing, stages
from streamhost.features.transcoding.bringing import folder_with
from streamhost.features.transcoding.course import Course, standing, subject
from streamhost.features.transcoding.encoder import RunsMedia
from streamhost.features.transcoding.errors import StillBeingMade
from streamhost.features.transcoding.pace import Estimate
from streamhost.features.transcoding.pictures import Pictures
from streamhost.features.transcoding.progress import Paces, ProgressNotes
from streamhost.jobs.announcing import announce
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.media import tasks, wire
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.events import ProtectionChanged
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.protection import Protecting
from streamhost.model.streaming import POSTER, Rendition
from streamhost.model.tasks import Job, RepackageVideo, RetirePackage
from streamhost.model.videos import DOWNLOADS, Protection, Video, package_prefix, package_stills
from streamhost.ports import Storage

PART = "repackage"
"""Name of the one part that has the renditions, and of the stage."""
MANIFESTS = (".m3u8", ".mpd")
"""Written anew: they say what the segments are under."""
GRACE = 5 * MINUTE
"""How much longer than a grant lives an old package stays: clocks and last requests."""


class GivesKeys(Protocol):
    """Tells how a package is encrypted."""

    def __call__(self, package_id: PackageId, protection: Protection) -> Awaitable[Protecting | None]:
        """The keys of the package, the same at every asking; None where nothing is to be encrypted."""
        ...


class Switching:
    """Changes how a video is protected. Killed anywhere it is taken up again, and what plays goes on."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        clock: Clock,
        run: RunsMedia,
        work: Path,
        course: Course,
        protecting: GivesKeys,
        grants_live: float,
    ) -> None:
        """`grants_live`: for how long a grant for the old package may still be used, in seconds."""
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._run = run
        self._work = work
        self._course = course
        self._protecting = protecting
        self._grants_live = grants_live
        self._pictures = Pictures(db, queue, storage)
        self._paces = Paces()
        self._log = log.get("transcoding")

    async def begin(self, conn: Connection, video: Video) -> None:
        """Have a video packaged as its `protection` says, in the transaction that sets it.

        Another change that is under way is dropped. Raises `StillBeingMade`."""
        for package in await packages.of_video(conn, video.id):
            if package.underway and package.replaces is not None:
                await self._drop(conn, package)
            elif package.underway:
                raise StillBeingMade
        current = await packages.get(conn, video.package_id) if video.package_id else None
        if current is None or current.protection is video.protection:
            return
        fresh = packages.PackageRow(
            PackageId(new_id()),
            video.id,
            PART,
            current.recipe,
            self._clock(),
            None,
            protection=video.protection,
            replaces=current.id,
        )
        await packages.insert(conn, fresh)
        await packages.add_parts(conn, fresh.id, [packages.PartRow(PART, PART, 1.0)])
        lock = f"part:{fresh.id}:{PART}"
        await self._queue.add(
            conn, RepackageVideo(video.id, fresh.id), lock=lock, queueing_lock=lock, subject=subject(video.id)
        )

    async def repackage(self, task: RepackageVideo, job: JobContext) -> None:
        """Write the new package beside the old one, then let it take the old one's place."""
        async with self._db.read() as conn:
            fresh = await packages.get(conn, task.package_id)
            old = await packages.get(conn, fresh.replaces) if fresh and fresh.replaces else None
            parts = await packages.parts(conn, old.id) if old else []
        if fresh is None or old is None or not fresh.underway:
            return
        room = self._work / f"{fresh.id}-{PART}"
        shutil.rmtree(room, ignore_errors=True)
        try:
            (room / "out").mkdir(parents=True)
            renditions, poster = standing(parts)
            # What stands, in an order of its own: the same places at every attempt.
            names = tuple(sorted(rendition.name for rendition in renditions))
            source = await self._folder(task.video_id, old.id, room / "in")
            order = tasks.Repackage(
                str(source),
                str(room / "out"),
                renditions,
                opening=await self._keys(old, names),
                protecting=await self._keys(fresh, names),
            )
            async with ProgressNotes(
                self._db, fresh.id, PART, 1.0, job, self._paces.of(fresh.id), self._clock, _nobody_is_told
            ) as notes:
                made = await self._run(order, notes.report, room / "out")
            assert isinstance(made, tasks.Encoded)
            await self._store(fresh, old, made.renditions, room / "out")
            await self._note_parts(fresh, old, pipeline.PartFacts(made.renditions, poster, made.warnings), parts)
            (room / "texts").mkdir()
            published = await publishing.write(
                self._db, self._storage, room / "texts", task.video_id, fresh.id, self._clock()
            )
        finally:
            shutil.rmtree(room, ignore_errors=True)
            self._paces.forget(fresh.id)
        await self._take_over(task, job, published)

    async def _note_parts(
        self,
        fresh: packages.PackageRow,
        old: packages.PackageRow,
        facts: pipeline.PartFacts,
        parts: list[packages.PartRow],
    ) -> None:
        """What the new package consists of: the renditions, and what parts of the old one know besides them."""
        now = self._clock()
        async with self._db.write() as conn:
            if await packages.get(conn, fresh.id) is None:
                return
            pictures = await stills.of_package(conn, old.id)
            if pictures is not None:
                await stills.save(conn, fresh.id, pictures)
            await packages.part_done(conn, fresh.id, PART, wire.dumps(facts).decode(), now)
            for part in parts:
                if part.name not in (PART, stages.GROWING) and part.done_at is not None and part.facts:
                    await packages.add_parts(conn, fresh.id, [packages.PartRow(part.name, part.stage, part.weight)])
                    await packages.part_done(conn, fresh.id, part.name, without_renditions(part.facts), now)

    async def _take_over(self, task: RepackageVideo, job: JobContext, published: publishing.Published) -> None:
        """The one commit after which the new package plays."""
        now = self._clock()
        async with self._db.write() as conn:
            fresh = await packages.get(conn, task.package_id)
            video = await videos.get(conn, task.video_id)
            if fresh is None or video is None or video.package_id != fresh.replaces:
                await self._pictures.drop(conn, task.video_id, task.package_id)
            elif fresh.underway:
                await packages.change(conn, fresh.id, stage=stages.FINISHED, recipe=fresh.recipe, finished_at=now)
                columns: dict[str, str] = {"package_id": fresh.id}
                if video.poster_key == package_prefix(video.id, PackageId(fresh.replaces or "")) + POSTER:
                    columns["poster_key"] = package_prefix(video.id, fresh.id) + POSTER
                await videos.change(conn, video.id, now, **columns)
                await verdicts.repackaged(conn, video.id, PackageId(fresh.replaces or ""), fresh.id)
                await videos.set_renditions(conn, video.id, fresh.id, video.renditions)
                await caption_rows.published(conn, published.captions, fresh.id)
                # Captions may have come or gone while the new manifests were written.
                await publishing.ask_to_rewrite(conn, self._queue, video.id)
                await self._queue.add(
                    conn, RetirePackage(video.id, PackageId(fresh.replaces or "")), delay=self._grants_live + GRACE
                )
                changed = ProtectionChanged(video.id, video.owner_id, video.title, fresh.protection.value, at=now)
                await announce(conn, self._queue, changed)
            await job.complete(conn)

    async def retire(self, task: RetirePackage, _job: JobContext) -> None:
        """Remove a package that nobody has a grant for any more, with its keys."""
        async with self._db.write() as conn:
            video = await videos.get(conn, task.video_id)
            if video is not None and video.package_id != task.package_id:
                await packages.delete(conn, task.package_id)
                await self._pictures.drop(conn, task.video_id, task.package_id)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """It cannot be done, or was cancelled: the old package plays on, and the video says that it is as it was."""
        video = await videos.get(conn, VideoId(job.payload["video_id"]))
        fresh = await packages.get(conn, PackageId(job.payload["package_id"]))
        if video is None or fresh is None or not fresh.underway:
            return
        await self._drop(conn, fresh)
        current = await packages.get(conn, video.package_id) if video.package_id else None
        protection = current.protection if current else Protection.NONE
        await videos.change(conn, video.id, self._clock(), protection=protection.value)
        await self._course.note(conn, video.id, f"The protection could not be changed: {error}")
        self._log.warning("a protection could not be changed", video=video.id, code=error.code, detail=error.detail)

    async def _drop(self, conn: Connection, package: packages.PackageRow) -> None:
        await packages.delete(conn, package.id)
        await self._pictures.drop(conn, package.video_id, package.id)

    async def _keys(self, package: packages.PackageRow, names: tuple[str, ...]) -> Protecting | None:
        keys = await self._protecting(package.id, package.protection)
        return keys.naming(names) if keys else None

    async def _folder(self, video_id: VideoId, package_id: PackageId, otherwise: Path) -> Path:
        """Where a package lies on local disk: its own place, or a copy made below `otherwise`."""
        prefix = package_prefix(video_id, package_id)
        names = [stored.key.removeprefix(prefix) async for stored in self._storage.list(prefix)]
        needed = [name for name in names if not name.endswith(MANIFESTS) and not name.startswith(DOWNLOADS)]
        return await folder_with(self._storage, prefix, needed, otherwise)

    async def _store(
        self, fresh: packages.PackageRow, old: packages.PackageRow, made: tuple[Rendition, ...], out: Path
    ) -> None:
        """Put what was made into storage, and beside it what stays the same."""
        before, after = (package_prefix(fresh.video_id, one.id) for one in (old, fresh))
        await self._storage.put_tree(after, out)
        # What was put together to be taken along is under the old protection.
        folders = (*(f"{rendition.name}/" for rendition in made), DOWNLOADS)
        async for stored in self._storage.list(before):
            name = stored.key.removeprefix(before)
            if not name.startswith(folders) and not name.endswith(MANIFESTS):
                await self._copy(stored.key, after + name)
        before, after = (package_stills(fresh.video_id, one.id) for one in (old, fresh))
        async for stored in self._storage.list(before):
            await self._copy(stored.key, after + stored.key.removeprefix(before))

    async def _copy(self, key: str, to: str) -> None:
        data = b"".join([piece async for piece in self._storage.read(key)])
        await self._storage.put_bytes(to, data)


async def _nobody_is_told(_conn: Connection, _share: float, _step: str, _estimate: Estimate) -> None:
    """The video's own progress is that of its first making."""


def without_renditions(facts: str) -> str:
    """The JSON text of what a part left behind, but for its renditions."""
    return wire.dumps(msgspec.structs.replace(wire.loads(facts, pipeline.PartFacts), renditions=())).decode()
