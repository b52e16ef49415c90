"""Attaches what lies beside a file to its video: captions, a poster, details that were changed later."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from streamhost import log
from streamhost.db import imports as rows
from streamhost.db import users, videos
from streamhost.db.core import Database
from streamhost.features.imports import contents, details
from streamhost.features.imports.details import NOTHING, Details
from streamhost.features.imports.errors import ImportUnreadable, SidecarInvalid
from streamhost.features.imports.names import caption_words
from streamhost.features.imports.neighbours import EditsVideos, TakesCaptions, TakesPosters
from streamhost.model import languages
from streamhost.model.accounts import Viewer
from streamhost.model.captions import Brought
from streamhost.model.clock import Clock
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import CaptionId, new_id
from streamhost.model.imports import ImportFile, Sidecar, SidecarKind
from streamhost.model.videos import Video

MOST_BYTES: Mapping[SidecarKind, int] = {
    SidecarKind.DETAILS: details.MAX_BYTES,
    SidecarKind.CAPTIONS: 2 * 1024**2,
    SidecarKind.POSTER: 20 * 1024**2,
}
"""Larger files are not read; the rooms that take them have limits of their own."""

_logger = log.get("imports")


class Attaching:
    """Does one sidecar after the other and writes down each; one that fails is told, and does not stop the others."""

    def __init__(
        self, db: Database, clock: Clock, captions: TakesCaptions, posters: TakesPosters, catalog: EditsVideos
    ) -> None:
        self._db = db
        self._clock = clock
        self._captions = captions
        self._posters = posters
        self._catalog = catalog

    async def said(self, file: ImportFile) -> Details:
        """What the file of details says, if there is one. Raises `SidecarInvalid`, `ImportUnreadable`."""
        found = next((one for one in file.sidecars if one.kind is SidecarKind.DETAILS), None)
        if found is None:
            return NOTHING
        return await asyncio.to_thread(lambda: details.read(found.name, _content(file, found)))

    async def attach(self, file: ImportFile) -> ImportFile:
        """Attach everything that is due; the row as it then is. Raises what is worth trying again."""
        assert file.video_id is not None
        async with self._db.read() as conn:
            video = await videos.get(conn, file.video_id)
            owner = await users.get(conn, video.owner_id) if video else None
        for one in [one for one in file.sidecars if one.due]:
            done = replace(one, done=one.mark, error=None)
            if video is not None and owner is not None:
                done = await self._one(file, one, video, Viewer(owner))
            file = await self._note(file, one, done)
        return file

    async def _one(self, file: ImportFile, one: Sidecar, video: Video, viewer: Viewer) -> Sidecar:
        done = replace(one, done=one.mark, error=None)
        try:
            match one.kind:
                case SidecarKind.CAPTIONS:
                    return await self._caption(file, one, video, viewer)
                case SidecarKind.POSTER:
                    picture = await asyncio.to_thread(_content, file, one)
                    await self._posters.send(video.id, picture, viewer, early=True)
                case SidecarKind.DETAILS:
                    said = await self.said(file)
                    changes = dict(said.fields) | ({"password": said.password} if said.password else {})
                    if changes:
                        await self._catalog.edit(video.id, viewer, _plain(changes))
        except NotFound:
            return done
        except StreamhostError as error:
            if not error.permanent and error.code in ("storage_unavailable", "catalog_unavailable"):
                raise
            _logger.warning(
                "What lies beside a file could not be attached",
                action="import_sidecar_failed",
                file=file.name,
                kind=one.kind.value,
                error=str(error),
            )
            return replace(done, error=str(error))
        return done

    async def _caption(self, file: ImportFile, one: Sidecar, video: Video, viewer: Viewer) -> Sidecar:
        """Take captions under an id that is written down first: repeated, it is the same track."""
        words = caption_words(os.fsdecode((file.path or b"").rpartition(b"/")[2]), one.name)
        language = words.language or await self._language(file) or languages.UNKNOWN
        data = await asyncio.to_thread(_content, file, one)
        fresh = CaptionId(new_id())
        if one.done is None and one.caption_id is not None:
            fresh = one.caption_id
        elif one.done is None:
            await self._note(file, one, replace(one, caption_id=fresh))
        said = Brought(language, words.label, words.forced, words.hearing_impaired, words.default)
        await self._captions.bring(fresh, video.id, viewer, data, said)
        if one.caption_id is not None and one.caption_id != fresh:
            try:
                await self._captions.delete(video.id, one.caption_id, viewer)
            except NotFound:
                _logger.debug("Captions to be replaced were gone", action="import_captions_gone", video=video.id)
        return replace(one, done=one.mark, caption_id=fresh, error=None)

    async def _language(self, file: ImportFile) -> str | None:
        """The language of the video, if its details say it."""
        try:
            return (await self.said(file)).language
        except (SidecarInvalid, ImportUnreadable):
            return None

    async def _note(self, file: ImportFile, before: Sidecar, after: Sidecar) -> ImportFile:
        async with self._db.write() as conn:
            now = await rows.get(conn, file.id)
            if now is None:
                return file
            kept = tuple(after if (one.kind, one.name) == (before.kind, before.name) else one for one in now.sidecars)
            now = replace(now, sidecars=kept, updated_at=self._clock())
            await rows.put(conn, now)
        return now


def _content(file: ImportFile, one: Sidecar) -> bytes:
    """The bytes of a file beside. Blocks. Raises `ImportUnreadable`, `SidecarInvalid` for one that is too large."""
    most = MOST_BYTES[one.kind]
    handle = contents.opened(file.folder + b"/" + os.fsencode(one.name), None)
    try:
        data = b""
        while len(data) <= most and (piece := os.read(handle, most + 1 - len(data))):
            data += piece
    except OSError as error:
        raise ImportUnreadable(f"{error.strerror}.") from error
    finally:
        os.close(handle)
    if len(data) > most:
        raise SidecarInvalid(f"It has more than {most} bytes.")
    return data


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Checked fields in the form in which a client sends them."""
    plain = dict(fields)
    if "chapters" in plain:
        plain["chapters"] = [{"start": mark.start, "title": mark.title} for mark in plain["chapters"]]
    return plain
