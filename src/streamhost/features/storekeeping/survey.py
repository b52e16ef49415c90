"""Goes through everything that is stored and compares it with the catalog: what nobody names, what is missing, whose
it is. Nothing is changed but by `remove`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from streamhost.db import inventory
from streamhost.db.core import Connection, Database
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, Clock
from streamhost.model.ids import VideoId
from streamhost.model.objects import EVIDENCE, STILLS, VIDEOS, Findings, Loss, Named, Orphan, Owned, Usage
from streamhost.model.tasks import DeleteMedia, JobState
from streamhost.ports import NotStored, Storage, StoredObject

NamesOf = Callable[[Connection, VideoId], Awaitable[Named]]
"""What must be stored of a video, and what may be."""
Told = Callable[[int, int], None]
"""Hears how many objects, and bytes, were looked at so far."""

RECENT = DAY
"""An object that nobody names may be about to be named; after so long it is not."""
MANY = 100_000
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Group:
    """All objects below `videos/<id>/` or `stills/<id>/`; `video_id` is None for anything else."""

    top: str
    video_id: VideoId | None
    objects: list[StoredObject]


class Survey:
    """Looks through a storage."""

    def __init__(self, db: Database, queue: Queue, storage: Storage, clock: Clock, names: NamesOf) -> None:
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._names = names

    async def fsck(self, told: Told = lambda _objects, _size: None) -> Findings:
        """Orphans and losses. What changes meanwhile is looked at again before it counts."""
        found = Findings()
        async with self._db.read() as conn:
            known = {video.id for video in await inventory.owned(conn)} | await inventory.arriving(conn)
        suspects: list[tuple[VideoId, str]] = []
        unseen = {(top, video_id) for top in (VIDEOS, STILLS) for video_id in known}
        async for group in self._groups():
            found.objects += len(group.objects)
            found.size += sum(one.size for one in group.objects)
            told(found.objects, found.size)
            if group.video_id is None:
                found.strange += sum(not one.key.startswith(f"{EVIDENCE}/") for one in group.objects)
                continue
            unseen.discard((group.top, group.video_id))
            named = await self._named(group.video_id)
            suspects += [(group.video_id, key) for key in _missing(named, group.top, group.objects)]
            self._sort_out(found, named, group.objects, arriving=group.video_id in known and not named.files)
        for top, video_id in sorted(unseen):
            suspects += [(video_id, key) for key in _missing(await self._named(video_id), top, ())]
        found.losses = [loss for suspect in suspects if (loss := await self._lost(*suspect)) is not None]
        found.orphans = await self._still_orphans(found.orphans)
        return found

    async def remove(self, orphans: Iterable[Orphan]) -> int:
        """Remove objects that nobody names, each looked at once more; how many went."""
        going = iter(await self._still_orphans(list(orphans)))
        gone = 0

        async def work() -> None:
            nonlocal gone
            for orphan in going:
                try:
                    if (await self._storage.stat(orphan.key)).modified > orphan.modified:
                        continue
                except NotStored:
                    continue
                await self._storage.delete(orphan.key)
                gone += 1

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return gone

    async def usage(self, told: Told = lambda _objects, _size: None) -> list[Usage]:
        """What each video has stored, the most first; at the end, if there is any, what belongs to none."""
        async with self._db.read() as conn:
            known = {video.id: video for video in await inventory.owned(conn)}
        usages: dict[VideoId | None, Usage] = {}
        objects = size = 0
        async for group in self._groups():
            owner: Owned | None = known.get(group.video_id) if group.video_id else None
            usage = usages.setdefault(owner.id if owner else None, Usage(owner))
            for one in group.objects:
                usage.objects += 1
                kind = one.key.split("/")[2] if group.top == VIDEOS and group.video_id else ""
                if kind == "source":
                    usage.source += one.size
                elif kind and kind != "captions":
                    usage.streams += one.size
                else:
                    usage.other += one.size
            objects, size = objects + len(group.objects), size + sum(one.size for one in group.objects)
            told(objects, size)
        return sorted(usages.values(), key=lambda usage: (usage.video is None, -usage.size))

    def _sort_out(self, found: Findings, named: Named, objects: Iterable[StoredObject], *, arriving: bool) -> None:
        """Tell orphans from what is named, and from what is new or of a video that is just coming."""
        for one in objects:
            if named.claims(one.key):
                continue
            if arriving or one.modified > self._clock() - RECENT:
                found.recent += 1
            else:
                found.orphans.append(Orphan(one.key, one.size, one.modified))

    async def _still_orphans(self, orphans: list[Orphan]) -> list[Orphan]:
        """Those that nobody names now either, and that no waiting job is to remove."""
        async with self._db.read() as conn:
            jobs = await self._queue.list(conn, (JobState.QUEUED, JobState.RUNNING), kind=DeleteMedia.kind, limit=MANY)
            going = tuple(str(job.payload["prefix"]) for job in jobs)
            names: dict[VideoId, Named] = {}
            left = []
            for orphan in orphans:
                video_id = VideoId(orphan.key.split("/")[1])
                if video_id not in names:
                    names[video_id] = await self._names(conn, video_id)
                if not names[video_id].claims(orphan.key) and not orphan.key.startswith(going):
                    left.append(orphan)
        return left

    async def _lost(self, video_id: VideoId, key: str) -> Loss | None:
        """A suspect that is named and missing at this moment too."""
        named = await self._named(video_id)
        if key not in named.files:
            return None
        expected = named.files[key]
        try:
            size = (await self._storage.stat(key)).size
        except NotStored:
            return Loss(key, video_id, expected, None)
        return Loss(key, video_id, expected, size) if expected not in (None, size) else None

    async def _named(self, video_id: VideoId) -> Named:
        async with self._db.read() as conn:
            return await self._names(conn, video_id)

    async def _groups(self) -> AsyncIterator[_Group]:
        group: _Group | None = None
        async for one in self._storage.list():
            parts = one.key.split("/")
            mine = len(parts) > 2 and parts[0] in (VIDEOS, STILLS)
            top, video_id = (parts[0], VideoId(parts[1])) if mine else ("", None)
            if group is None or (group.top, group.video_id) != (top, video_id) or len(group.objects) > MANY:
                if group is not None:
                    yield group
                group = _Group(top, video_id, [])
            group.objects.append(one)
        if group is not None:
            yield group


def _missing(named: Named, top: str, objects: Iterable[StoredObject]) -> list[str]:
    """Named files of one folder at the top that are not among these, or have another size."""
    there = {one.key: one.size for one in objects}
    return [
        key
        for key, size in named.files.items()
        if key.startswith(f"{top}/") and (key not in there or size not in (None, there[key]))
    ]
