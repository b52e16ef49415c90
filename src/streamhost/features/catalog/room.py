"""The catalog as people see it: find, read and edit videos, and watch one being made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from streamhost.caching.cache import Cache
from streamhost.db import replacements
from streamhost.db import videos as rows
from streamhost.db.core import Connection, Database
from streamhost.features.catalog import pages
from streamhost.features.catalog.asking import (
    Admits,
    Gate,
    Reworded,
    Switch,
    admits_nobody,
    nobody_is_told,
    nothing_to_do,
    open_gate,
)
from streamhost.features.catalog.noting import note
from streamhost.features.catalog.publishing import Publishing, timed
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.jobs.withdrawing import Withdrawn, withdraw
from streamhost.model.accounts import Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.cached import METADATA
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.details import ANY_ORIGIN, checked_details
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.events import VideoPublished
from streamhost.model.ids import UserId, VideoId, is_id
from streamhost.model.tasks import DeleteMedia, JobState
from streamhost.model.videos import (
    SCREENING,
    Video,
    VideoState,
    Visibility,
    check_manageable,
    download_prefix,
    may_view,
)

UNDERWAY = (VideoState.RECEIVED, VideoState.PROCESSING)
SETTLED = (VideoState.READY, VideoState.FAILED, VideoState.REJECTED)
"""Stages in which nothing more happens by itself; a review may end at any moment."""
WORDS = frozenset(("title", "description", "tags", "add_tags", "remove_tags", "chapters"))
SIGN_OF_LIFE = 15.0
"""Seconds after which a follower hears something even if nothing changed, so that proxies keep the line open."""
LOOK_EVERY = 0.5
"""Seconds between two looks at a video that somebody watches being made: one indexed read each."""


class Catalog:
    """Finds, shows and edits videos. Who may see what is decided by `model.videos` and nowhere else."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        withdrawn: Withdrawn = lambda *_: None,
        admits: Admits = admits_nobody,
        hashed: Callable[[str], Awaitable[str]] | None = None,
        switch: Switch = nothing_to_do,
        gate: Gate = open_gate,
        cache: Cache | None = None,
        reworded: Reworded = nobody_is_told,
    ) -> None:
        """`withdrawn` hears of each video that others may no longer play, and since when: older grants must end.

        `admits` says whether somebody may watch what is closed to them, `hashed` makes the hash of a password, `switch`
        begins to package a video anew because its protection has changed, `gate` is asked before others may watch,
        `reworded` hears of each video whose words have changed, in that transaction."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._withdrawn = withdrawn
        self._admits = admits
        self._hashed = hashed
        self._switch = switch
        self._gate = gate
        self._cache = cache or Cache()
        self._reworded = reworded
        self.publishing = Publishing(db, queue, clock, gate)

    async def start(self, look_back: float) -> None:
        """Withdraw again what was withdrawn in the last `look_back` seconds: a restart must not bring it back."""
        async with self._db.read() as conn:
            for video_id, moment in await rows.withdrawn_since(conn, self._clock() - look_back):
                self._withdrawn(video_id, moment)

    async def get(self, video_id: VideoId, viewer: Viewer) -> Video:
        """One video. Raises `NotFound` also for one that the viewer may not see, and what `admits` raises."""
        if not is_id(video_id):
            raise NotFound
        video = await self._cache.get(METADATA, f"video:{video_id}", lambda: self._row(video_id), Video)
        admitted = may_view(video, viewer)
        if admitted and video.stage not in UNDERWAY and video.replacement is None:
            return video
        async with self._db.read() as conn:
            if not admitted:
                admission = await self._admits(conn, video, viewer)
                if admission is None:
                    raise NotFound
                video = replace(video, admission=admission)
            return await self._with_work(conn, video)

    async def managed(self, video_id: VideoId, viewer: Viewer) -> Video:
        """One video, for whoever may change it. Raises `Forbidden`, and as `get`."""
        video = await self.get(video_id, viewer)
        check_manageable(video, viewer)
        return video

    async def _row(self, video_id: VideoId) -> Video:
        """The row, with the file that is to take its place."""
        async with self._db.read() as conn:
            video = await _with_replacement(conn, video_id)
        if video is None:
            raise NotFound
        return video

    async def known(self, video_id: VideoId) -> Video | None:
        """One video, whoever asks: for commands on the data directory."""
        async with self._db.read() as conn:
            video = await _with_replacement(conn, video_id)
            return await self._with_work(conn, video) if video is not None else None

    async def _with_work(self, conn: Connection, video: Video) -> Video:
        """The video with the reason for which nothing is being done for it at the moment."""
        if video.stage not in UNDERWAY and video.replacement is None:
            return video
        step = video.replacement.step if video.replacement else video.doing
        about = "screen" if step == SCREENING else "video"
        return replace(video, waiting=await self._why_waiting(conn, f"{about}:{video.id}"))

    async def _why_waiting(self, conn: Connection, subject: str) -> str | None:
        """The cause for which the first waiting job about a video waits; None while one of them runs."""
        states = (JobState.RUNNING, JobState.QUEUED)
        jobs = await self._queue.list(conn, states, subject=subject)
        if not jobs or any(job.state is JobState.RUNNING for job in jobs):
            return None
        wait = await self._queue.wait(conn, min(jobs, key=lambda job: job.run_at))
        return wait.cause if wait else None

    async def listed(self, cursor: str | None = None, limit: int = 24) -> pages.Page:
        """Public videos that can be played, newest first."""
        place, rows_asked = pages.place(cursor), pages.one_more(limit)

        async def look() -> list[Video]:
            async with self._db.read() as conn:
                return await rows.listed(conn, place, rows_asked)

        first = f"newest:{rows_asked}"
        found = await (look() if place else self._cache.get(METADATA, first, look, list[Video]))
        return pages.page(found, limit, lambda video: video.published_at)

    async def owned(self, owner: UserId, cursor: str | None = None, limit: int = 24) -> pages.Page:
        """Everything of one owner in every state, newest first."""
        async with self._db.read() as conn:
            found = await rows.owned(conn, owner, pages.place(cursor), pages.one_more(limit))
        return pages.page(found, limit, lambda video: video.created_at)

    async def tags(self, owner: UserId) -> list[str]:
        """The tags on the videos of an owner, those that are used most first."""
        async with self._db.read() as conn:
            return await rows.tags_of(conn, owner)

    async def everything(
        self, owner: UserId | None = None, state: VideoState | None = None, cursor: str | None = None, limit: int = 24
    ) -> pages.Page:
        """What there is of everybody or one owner, in one state or any, newest first: for whoever holds the data
        directory."""
        async with self._db.read() as conn:
            found = await rows.everything(conn, owner, state, pages.place(cursor), pages.one_more(limit))
        return pages.page(found, limit, lambda video: video.created_at)

    async def edit(self, video_id: VideoId, viewer: Viewer, changes: Mapping[str, Any], address: str = "") -> Video:
        """Change title, description, tags, chapters, who may watch, where and from when, protection, download, keeping.

        Raises `InvalidInput` with the fields that are wrong. `address`: where the viewer is, for the audit log, which
        tells who changed what is somebody else's."""
        known = await self.managed(video_id, viewer)
        details = checked_details(changes)
        password = details.pop("password", None)
        if password is not None and self._hashed is not None:
            details["password_hash"] = await self._hashed(password)
        if "chapters" in details:
            details["chapters_edited"] = True
        wanted = _edited(known, details, self._clock()).visibility
        if known.visibility is Visibility.PRIVATE and wanted is not Visibility.PRIVATE and known.shown:
            await self._gate(replace(known, visibility=wanted))
        async with self._db.write() as conn:
            # Read again inside the transaction: what another edit has just set must not be undone by this one.
            video = await rows.get(conn, video_id)
            if video is None or video.deleted_at is not None:
                raise NotFound
            edited = _edited(video, details, self._clock())
            if edited.visibility is Visibility.PASSWORD and edited.password_hash is None:
                raise InvalidInput(fields={"password": "Set the password that opens it."})
            if edited.protection is not video.protection:
                await self._switch(conn, edited)
            await rows.replace(conn, edited)
            await self.publishing.plan(conn, video, edited)
            if video.allow_download and not edited.allow_download and video.package_id is not None:
                await self._queue.add(conn, DeleteMedia(download_prefix(video.id, video.package_id)))
            by = Actor.of(viewer, address)
            await note(conn, edited.updated_at, Act.VIDEO_EDITED, video, by, fields=" ".join(details))
            if WORDS & set(details):
                await self._reworded(conn, video.id)
            if video.shown and video.visibility is Visibility.PRIVATE is not edited.visibility:
                await announce(
                    conn,
                    self._queue,
                    VideoPublished(video.id, video.owner_id, edited.title, at=edited.updated_at),
                )
            if _narrower(edited, video):
                await withdraw(conn, self._queue, self._clock, video.id, self._withdrawn)
        return edited

    async def follow(self, video_id: VideoId, viewer: Viewer) -> AsyncIterator[Video]:
        """The video now, after each change, and unchanged now and then, until it is ready or failed or gone."""
        before: Video | None = None
        quiet = 0.0
        while True:
            try:
                video = await self.get(video_id, viewer)
            except NotFound:
                if before is None:
                    raise
                return
            if video != before or quiet >= SIGN_OF_LIFE:
                yield video
                before, quiet = video, 0.0
            coming = video.replacement is not None and video.replacement.moving
            if video.stage in SETTLED and not coming:
                return
            await asyncio.sleep(LOOK_EVERY)
            quiet += LOOK_EVERY


async def _with_replacement(conn: Connection, video_id: VideoId) -> Video | None:
    """The row, with the file that is to take its place, both as of one moment."""
    before = await replacements.get(conn, video_id)
    while (video := await rows.get(conn, video_id)) is not None:
        after = await replacements.get(conn, video_id)
        if after == before:
            return replace(video, replacement=after)
        before = after
    return None


def _edited(video: Video, details: Mapping[str, Any], now: Timestamp) -> Video:
    """The video with what was said of it. Raises `InvalidInput` for what does not fit together."""
    said = dict(details)
    added, dropped = said.pop("add_tags", ()), said.pop("remove_tags", ())
    if added or dropped:
        tags = [tag for tag in (*said.get("tags", video.tags), *added) if tag not in dropped]
        said |= checked_details({"tags": tags})
    return timed(replace(video, **said, updated_at=now), said, now)


def _narrower(edited: Video, before: Video) -> bool:
    """Whether somebody who may play now may not any more, or on a site where it may no longer be shown."""
    if ANY_ORIGIN not in edited.embed_origins and not set(before.embed_origins) <= set(edited.embed_origins):
        return True
    closed = edited.visibility in (Visibility.PRIVATE, Visibility.PASSWORD)
    return closed and (edited.visibility, edited.password_hash) != (before.visibility, before.password_hash)
