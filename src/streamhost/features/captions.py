"""Captions: what an owner adds to a video in words, one language at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from streamhost.db import captions as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.jobs.queue import Queue
from streamhost.media import captions as texts
from streamhost.model import languages
from streamhost.model.accounts import Viewer
from streamhost.model.captions import LABEL_LENGTH, MAX_CAPTIONS, Brought, Caption, Origin, caption_key, captions_prefix
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.errors import Conflict, InvalidInput, NotFound
from streamhost.model.ids import CaptionId, UserId, VideoId, is_id, new_id
from streamhost.model.tasks import DeleteMedia, RewriteManifests
from streamhost.model.videos import Video, managed, package_prefix
from streamhost.ports import Storage

MAX_BYTES = texts.MAX_BYTES
"""Largest caption file that is taken."""
LET_GO = 10 * MINUTE
"""How long the words of removed captions stay for players that have read an older manifest."""

ChecksQuota = Callable[[Connection, UserId, int, int], Awaitable[None]]
"""Raises if a user may not keep so many more bytes and videos."""


Reworded = Callable[[Connection, VideoId], Awaitable[None]]


async def nobody_is_told(_conn: Connection, _video_id: VideoId) -> None:
    """For a house in which nobody reads what people write."""


class TooManyCaptions(Conflict):
    """This video has as many caption tracks as it can have."""

    code = "too_many_captions"
    hint = "Delete one first."


class Captions:
    """Takes, lists, changes and removes captions. Manifests follow by a job; who plays meanwhile is not disturbed."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        clock: Clock,
        quota: ChecksQuota,
        reworded: Reworded = nobody_is_told,
    ) -> None:
        """`reworded` hears of each video whose captions have changed, in that transaction."""
        self._db = db
        self._queue = queue
        self._storage = storage
        self._clock = clock
        self._quota = quota
        self._reworded = reworded

    async def of(self, video: Video) -> Sequence[Caption]:
        """The caption tracks of a video that somebody may see."""
        async with self._db.read() as conn:
            return await rows.of_video(conn, video.id)

    async def add(self, video_id: VideoId, viewer: Viewer, file: bytes, words: Mapping[str, Any]) -> Caption:
        """Take an SRT or WebVTT file with `language`, perhaps `label` and `default`.

        Raises `InvalidInput`, `NotCaptions`, `TooManyCaptions`, and what the quota raises."""
        async with self._db.read() as conn:
            managed(await videos.get(conn, video_id), viewer)
        said = _checked({"language": "", **words})
        cues = await asyncio.to_thread(texts.parse, file, said["language"])
        data = texts.write(cues).encode()
        caption = Caption(
            id=CaptionId(new_id()),
            video_id=video_id,
            language=said["language"],
            label=said.get("label") or languages.name(said["language"]),
            origin=Origin.UPLOADED,
            size=len(data),
            created_at=self._clock(),
        )
        # First the words, then the row: what was acknowledged is there. Words without a row go with the video.
        await self._storage.put_bytes(caption_key(caption), data)
        async with self._db.write() as conn:
            return await self._enter(conn, caption, viewer, default=bool(said.get("default")))

    async def bring(
        self, caption_id: CaptionId, video_id: VideoId, viewer: Viewer, file: bytes, said: Brought
    ) -> Caption:
        """Take an SRT or WebVTT file that lies beside an imported video. Asked again with the same id, nothing changes.

        Raises `NotFound`, `NotCaptions`, `TooManyCaptions`, and what the quota raises."""
        cues = await asyncio.to_thread(texts.parse, file, said.language)
        data = texts.write(cues).encode()
        caption = Caption(
            id=caption_id,
            video_id=video_id,
            language=said.language,
            label=said.label or languages.name(said.language),
            origin=Origin.UPLOADED,
            size=len(data),
            created_at=self._clock(),
            forced=said.forced,
            hearing_impaired=said.hearing_impaired,
        )
        await self._storage.put_bytes(caption_key(caption), data)
        async with self._db.write() as conn:
            await self._enter(conn, caption, viewer, default=said.default)
        return caption

    async def _enter(self, conn: Connection, caption: Caption, viewer: Viewer, *, default: bool) -> Caption:
        """Enter captions whose words are stored, unless they are there already."""
        video = managed(await videos.get(conn, caption.video_id), viewer)
        known = await rows.of_video(conn, video.id)
        if any(one.id == caption.id for one in known):
            return caption
        if len(known) >= MAX_CAPTIONS:
            raise TooManyCaptions
        await self._quota(conn, video.owner_id, caption.size, 0)
        await rows.insert(conn, caption)
        if default:
            caption = await rows.make_default(conn, caption)
        await self._rewrite(conn, video.id)
        return caption

    async def edit(
        self, video_id: VideoId, caption_id: CaptionId, viewer: Viewer, changes: Mapping[str, Any]
    ) -> Caption:
        """Change `language`, `label`, `default`: only what is given. Raises `InvalidInput`, `NotFound`."""
        said = _checked(changes)
        async with self._db.write() as conn:
            caption = await self._one(conn, video_id, caption_id, viewer)
            edited = replace(
                caption,
                language=said.get("language", caption.language),
                label=said.get("label") or caption.label,
                is_default=said.get("default", caption.is_default),
            )
            await rows.change(conn, edited)
            if said.get("default"):
                await rows.make_default(conn, edited)
            await self._rewrite(conn, video_id)
        return edited

    async def delete(self, video_id: VideoId, caption_id: CaptionId, viewer: Viewer) -> None:
        """Remove a caption track. Raises `NotFound`."""
        async with self._db.write() as conn:
            caption = await self._one(conn, video_id, caption_id, viewer)
            await rows.delete(conn, caption_id)
            await self._queue.add(conn, DeleteMedia(f"{captions_prefix(video_id)}{caption_id}/"))
            if caption.package_id is not None:
                folder = f"{package_prefix(video_id, caption.package_id)}{caption.folder}/"
                await self._queue.add(conn, DeleteMedia(folder), delay=LET_GO)
            await self._rewrite(conn, video_id)

    async def _one(self, conn: Connection, video_id: VideoId, caption_id: CaptionId, viewer: Viewer) -> Caption:
        managed(await videos.get(conn, video_id), viewer)
        caption = await rows.get(conn, video_id, caption_id) if is_id(caption_id) else None
        if caption is None:
            raise NotFound("There are no such captions.")
        return caption

    async def _rewrite(self, conn: Connection, video_id: VideoId) -> None:
        lock = f"manifests:{video_id}"
        await self._queue.add(conn, RewriteManifests(video_id), lock=lock, queueing_lock=lock, subject=lock)
        await self._reworded(conn, video_id)


def _checked(words: Mapping[str, Any]) -> dict[str, Any]:
    """What was said about captions, tidied. Raises `InvalidInput` naming every wrong field."""
    problems: dict[str, str] = {}
    said: dict[str, Any] = {}
    for name, given in words.items():
        if name == "language":
            tag = languages.tag(given) if isinstance(given, str) else None
            if tag is None:
                problems[name] = "Which language are they in? A tag such as `en` or `pt-BR`."
            said[name] = tag
        elif name == "label":
            text = " ".join(given.split()) if isinstance(given, str) else None
            if text is None or len(text) > LABEL_LENGTH or not text.isprintable():
                problems[name] = f"Text of at most {LABEL_LENGTH} characters."
            said[name] = text
        elif name == "default":
            said[name] = _BOOLEANS.get(str(given).lower())
            if said[name] is None:
                problems[name] = "`true` or `false`."
        else:
            problems[name] = "There is no such field to set."
    if problems:
        raise InvalidInput(fields=problems)
    return said


_BOOLEANS = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}
"""How forms and JSON say it."""
