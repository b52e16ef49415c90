"""Posters: the owner picks a picture of the video, or sends one; the choice outlives every new packaging."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from streamhost.db import stills as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.jobs.queue import Queue
from streamhost.media import stills, tasks, wire
from streamhost.media.rewriting import RunsMedia, content, written_anew
from streamhost.model.accounts import Viewer
from streamhost.model.clock import HOUR, Clock
from streamhost.model.errors import Conflict, InvalidInput, NotFound
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.posters import Candidate, Posters
from streamhost.model.stills import Still, Stills
from streamhost.model.streaming import POSTER
from streamhost.model.tasks import DeleteMedia
from streamhost.model.videos import Video, check_watchable, managed, package_prefix, package_stills
from streamhost.ports import Storage

MAX_BYTES = 20 * 1024**2
"""Largest picture file that is taken: more than any camera's JPEG has."""
LET_GO = HOUR
"""How long a poster that is shown no more stays: browsers keep its address about so long."""
NAME = "posters"


class NoPoster(Conflict):
    """This video has no picture to choose a poster for yet."""

    code = "no_poster"
    hint = "Wait until it plays."


Shown = Callable[[Connection, VideoId], Awaitable[None]]


async def nobody_is_told(_conn: Connection, _video_id: VideoId) -> None:
    """For a house in which nobody looks at what people send."""


class PosterDesk:
    """Shows candidates to those who may edit the video, and nobody else, and puts their choice in its place."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        clock: Clock,
        run: RunsMedia,
        work: Path,
        shown: Shown = nobody_is_told,
    ) -> None:
        """`shown` hears of each video that shows another picture, in that transaction."""
        self._db = db
        self._shown = shown
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._run = run
        self._work = work
        self._one_at_a_time = asyncio.Lock()

    async def of(self, video_id: VideoId, viewer: Viewer) -> tuple[Video, Posters]:
        """The video, and what there is to choose from. Raises `NotFound`, `Forbidden`."""
        async with self._db.read() as conn:
            video = managed(await videos.get(conn, video_id), viewer)
            found = await _stills(conn, video)
            choice = await rows.chosen(conn, video.id)
        candidates = [Candidate(n, float(still.at), still.score) for n, still in enumerate(found.posters)]
        chosen = next((c.number for c in candidates if choice and c.at == choice.at), None)
        sent = choice is not None and choice.at is None
        return video, Posters(candidates, stills.automatic(found.posters), chosen, sent)

    async def picture(self, video_id: VideoId, number: int, viewer: Viewer) -> bytes:
        """A candidate's JPEG. Raises `NotFound`, `Forbidden`."""
        async with self._db.read() as conn:
            video = managed(await videos.get(conn, video_id), viewer)
            check_watchable(video, viewer)
            still = await _candidate(conn, video, number)
        return await self._read(video, still)

    async def choose(self, video_id: VideoId, number: int, viewer: Viewer) -> Video:
        """Make a candidate the poster. Raises `NotFound`, `Forbidden`, `InvalidInput` for one that is not there."""
        async with self._db.read() as conn:
            video = managed(await videos.get(conn, video_id), viewer)
            try:
                still = await _candidate(conn, video, number)
            except NotFound:
                raise InvalidInput(fields={"candidate": "There is no such candidate."}) from None
        return await self._put(video, viewer, await self._read(video, still), float(still.at))

    async def send(self, video_id: VideoId, file: bytes, viewer: Viewer, *, early: bool = False) -> Video:
        """Make a poster of a picture file: decoded in a process of its own and written anew.

        `early`: also for a video of which nothing plays yet; it is shown then from the beginning.

        Raises `NotFound`, `Forbidden`, and `not_picture` for a file that is no JPEG, PNG or WebP."""
        async with self._db.read() as conn:
            video = managed(await videos.get(conn, video_id), viewer)
        if video.package_id is None and not early:
            raise NoPoster
        async with self._one_at_a_time:
            data = await self._written_anew(file)
        return await self._put(video, viewer, data, None)

    async def leave(self, video_id: VideoId, viewer: Viewer) -> Video:
        """Leave the choice to the house: the best candidate. Raises `NotFound`, `Forbidden`."""
        async with self._db.write() as conn:
            video = managed(await videos.get(conn, video_id), viewer)
            before = await rows.chosen(conn, video.id)
            if before is None or video.package_id is None:
                return video
            await rows.unchoose(conn, video.id)
            await self._let_go(conn, video, before.set_id)
            return await self._show(conn, video, video.package_id)

    async def _put(self, video: Video, viewer: Viewer, data: bytes, at: float | None) -> Video:
        """Store the picture as a set of its own, then point the video at it; links to it are new ones."""
        set_id = PackageId(new_id())
        await self._storage.put_bytes(package_prefix(video.id, set_id) + POSTER, data)
        async with self._db.write() as conn:
            video = managed(await videos.get(conn, video.id), viewer)
            before = await rows.chosen(conn, video.id)
            await rows.choose(conn, video.id, rows.Choice(set_id, at), self._clock())
            if before is not None:
                await self._let_go(conn, video, before.set_id)
            return await self._show(conn, video, set_id)

    async def _show(self, conn: Connection, video: Video, set_id: PackageId) -> Video:
        await videos.change(conn, video.id, self._clock(), poster_key=package_prefix(video.id, set_id) + POSTER)
        await self._shown(conn, video.id)
        changed = await videos.get(conn, video.id)
        assert changed is not None, "read in this transaction"
        return changed

    async def _let_go(self, conn: Connection, video: Video, set_id: PackageId) -> None:
        await self._queue.add(conn, DeleteMedia(package_prefix(video.id, set_id)), delay=LET_GO)

    async def _read(self, video: Video, still: Still) -> bytes:
        assert video.package_id is not None, "only packages have candidates"
        key = package_stills(video.id, video.package_id) + still.file
        return b"".join([piece async for piece in self._storage.read(key, still.offset, still.offset + still.size)])

    async def _written_anew(self, file: bytes) -> bytes:
        async with written_anew(self._run, self._work / NAME, file, tasks.ReadPicture) as (_, out):
            return await asyncio.to_thread(content, out, POSTER)


async def _stills(conn: Connection, video: Video) -> Stills:
    text = await rows.of_package(conn, video.package_id) if video.package_id else None
    return wire.loads(text, Stills) if text else Stills()


async def _candidate(conn: Connection, video: Video, number: int) -> Still:
    found = (await _stills(conn, video)).posters
    if not 0 <= number < len(found):
        raise NotFound
    return found[number]
