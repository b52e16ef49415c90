"""The storyboard and the poster: made of what all chunks of a package have taken out of their pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from streamhost.db import packages, stills
from streamhost.db.core import Connection, Database
from streamhost.features.transcoding import stages
from streamhost.features.transcoding.course import standing
from streamhost.features.transcoding.pipeline import PartFacts
from streamhost.features.transcoding.stages import CHUNK
from streamhost.jobs.queue import Queue
from streamhost.media import stills as joining
from streamhost.media import tasks, wire
from streamhost.model.ids import PackageId, VideoId
from streamhost.model.stills import TILES, ChunkStills, Stills, Storyboard
from streamhost.model.streaming import POSTER, Presentation
from streamhost.model.tasks import DeleteMedia
from streamhost.model.videos import package_prefix, package_stills
from streamhost.ports import Storage


class Pictures:
    """Keeps the stills of packages: takes them over from chunks, joins them, lets them go."""

    def __init__(self, db: Database, queue: Queue, storage: Storage) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage

    async def take(self, video_id: VideoId, package_id: PackageId, folder: Path) -> None:
        """Put what a chunk has taken into storage."""
        await self._storage.put_tree(package_stills(video_id, package_id), folder)

    async def storyboard(self, video_id: VideoId, package_id: PackageId, room: Path, out: Path) -> tasks.Task | None:
        """The task that pastes the tiles of all chunks together; see `pasting`."""
        async with self._db.read() as conn:
            parts = await packages.parts(conn, package_id)
        found = of_chunks((part.name, part.facts) for part in parts)
        if found is None:
            return None
        prefix = package_stills(video_id, package_id)
        files = [await self._storage.fetch(prefix + one.tiles, room) for one in found if one.tiles]
        return pasting(found, files, out, Presentation(standing(parts)[0]).duration)

    async def add_poster(self, video_id: VideoId, package_id: PackageId, out: Path) -> None:
        """Put the best candidate of a package beside its storyboard: the poster that is shown unless one is chosen."""
        async with self._db.read() as conn:
            found = await self._found(conn, package_id)
        best = joining.automatic(found.posters)
        if best is not None:
            still = found.posters[best]
            key = package_stills(video_id, package_id) + still.file
            pieces = [piece async for piece in self._storage.read(key, still.offset, still.offset + still.size)]
            (out / POSTER).write_bytes(b"".join(pieces))

    async def made(self, conn: Connection, video_id: VideoId, package_id: PackageId, board: Storyboard) -> None:
        """Keep the facts, in the transaction that notes the part as done; the tiles are not needed any more."""
        found = await self._found(conn, package_id)
        await stills.save(conn, package_id, wire.dumps(replace(found, storyboard=board)).decode())
        await self._queue.add(conn, DeleteMedia(f"{package_stills(video_id, package_id)}{TILES}/"))

    async def drop(self, conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
        """Have everything that was stored of a package removed."""
        for prefix in (package_prefix(video_id, package_id), package_stills(video_id, package_id)):
            await self._queue.add(conn, DeleteMedia(prefix), queueing_lock=f"delete:{prefix}")

    async def _found(self, conn: Connection, package_id: PackageId) -> Stills:
        parts = await packages.parts(conn, package_id)
        return joining.merge(of_chunks((part.name, part.facts) for part in parts) or ())


def of_chunks(parts: Iterable[tuple[str, str | None]]) -> list[ChunkStills] | None:
    """What the chunks among `parts` (names and JSON of `PartFacts`) have taken, in order of time.

    None where a chunk has nothing: it was made by a version of this program that took no stills."""
    known = [wire.loads(text, PartFacts).stills for name, text in parts if text and stages.parse(name)[0] == CHUNK]
    found = [one for one in known if one is not None]
    return sorted(found, key=lambda one: one.start) if found and len(found) == len(known) else None


def pasting(found: Sequence[ChunkStills], files: Sequence[Path], out: Path, duration: Fraction) -> tasks.Task:
    """The task that makes the storyboard of a presentation that lasts `duration` seconds, out of tiles in `files`."""
    with_tiles = [one for one in found if one.tiles]
    tiles = [
        tasks.Tiles(str(file), one.first_tile, one.tile_count) for one, file in zip(with_tiles, files, strict=True)
    ]
    return tasks.MakeStoryboard(tuple(tiles), str(out), joining.layout(duration, found[0].tile_size), duration)
