"""From a file at rest to a video, exactly once.

The video's id and the place in storage are chosen and written down first, with the SHA-256 of the content. Then the
content goes there, and one transaction enters the video and marks the file as imported. Killed anywhere between, the
same steps run again and find what was done. What is to be removed goes last.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamhost import log, sandbox
from streamhost.db import imports as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.features.imports import contents
from streamhost.features.imports.attaching import Attaching
from streamhost.features.imports.bringing import Bringing
from streamhost.features.imports.comparing import failure
from streamhost.features.imports.details import Details
from streamhost.features.imports.errors import (
    ImportChanged,
    ImportNoOwner,
    ImportNoRoom,
    ImportNotRemoved,
    ImportTooLarge,
    SidecarInvalid,
)
from streamhost.features.imports.listing import look
from streamhost.features.imports.neighbours import ChecksQuota, EntersVideos, Gate, RunsMedia, Told
from streamhost.features.imports.owners import Owners, Terms
from streamhost.hookspecs import Offer
from streamhost.media import tasks
from streamhost.model.clock import HOUR, MINUTE, Clock
from streamhost.model.details import MAX_TAGS
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import ImportId, VideoId, new_id
from streamhost.model.imports import ImportFile, ImportState, Policy, SidecarKind
from streamhost.model.naming import file_name, readable, source_key
from streamhost.model.videos import Replacement, Video, Visibility, media_prefix

BEHIND_UPLOADS = -10
"""Priority of imported videos: whatever somebody uploads is made first."""
TRY_AGAIN = 10 * MINUTE
"""When a file that waits for room, a quota or an owner is looked at again."""
NAME = "import"
OFFERED = ("title", "description", "visibility", "protection")
"""What plugins are told of a file besides its name and size, as of an upload."""

_logger = log.get("imports")


class _Waits(Exception):
    """The file has to wait for something that is not its fault."""

    def __init__(self, error: StreamhostError) -> None:
        super().__init__(error)
        self.error = error


class Taking:
    """Takes files in, one at a time."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        owners: Owners,
        bringing: Bringing,
        attaching: Attaching,
        entering: EntersVideos,
        run: RunsMedia,
        work: Path,
        *,
        quota: ChecksQuota,
        hashed: Callable[[str], Awaitable[str]],
        gate: Gate,
        max_size: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._owners = owners
        self._bringing = bringing
        self._attaching = attaching
        self._entering = entering
        self._run = run
        self._work = work
        self._quota = quota
        self._hashed = hashed
        self._gate = gate
        self._max_size = max_size

    async def take(self, file_id: ImportId, told: Told) -> None:
        """Make a file a video, attach what lies beside it, remove what was moved. What it waits for, or why it cannot
        be, is written down; raised is what may go better at the next attempt."""
        async with self._db.read() as conn:
            file = await rows.get(conn, file_id)
        if file is not None and file.state is ImportState.TAKING:
            file = await self._taken(file, told)
        if file is not None and file.owed:
            file = await self._attaching.attach(file)
            await self._tidy(file)

    async def gave_up(self, conn: Connection, file_id: ImportId, error: StreamhostError) -> None:
        """No further attempt is made: the file says why."""
        file = await rows.get(conn, file_id)
        if file is not None and file.state is ImportState.TAKING:
            await rows.put(
                conn, replace(file, state=ImportState.FAILED, error=failure(error), updated_at=self._clock())
            )
        elif file is not None and file.owed:
            later = self._clock() + HOUR
            await rows.put(conn, replace(file, error=failure(error), retry_at=later, updated_at=self._clock()))

    async def _taken(self, file: ImportFile, told: Told) -> ImportFile | None:
        """The row of a file that has become a video; None where it has not, which is then written down."""
        try:
            return await self._steps(file, told)
        except _Waits as waits:
            await self._end(file, ImportState.WAITING, waits.error, retry_at=self._clock() + TRY_AGAIN)
        except (ImportNoRoom, ImportNoOwner) as error:
            await self._end(file, ImportState.WAITING, error, retry_at=self._clock() + TRY_AGAIN)
        except ImportChanged:
            await self._end(file, ImportState.SETTLING, None)
        except StreamhostError as error:
            if not error.permanent and not isinstance(error, sandbox.ChildError):
                raise
            if isinstance(error, sandbox.ChildNotStarted):
                raise
            await self._end(file, ImportState.FAILED, error)
        finally:
            await self._bringing.drop(file)
        return None

    async def _steps(self, file: ImportFile, told: Told) -> ImportFile | None:
        terms = await self._owners.terms(file)
        if not await self._bringing.stored(file):
            ready = await self._ready(file, terms, told)
            if ready is None:
                return None
            file = ready
        said = await self._attaching.said(file) if file.path is not None else Details()
        return await self._enter(file, terms, said)

    async def _ready(self, file: ImportFile, terms: Terms, told: Told) -> ImportFile | None:
        """Look into the file and bring it into storage; None where there is nothing to bring, or a video has it."""
        assert file.path is not None
        mark = await asyncio.to_thread(look, file.path)
        if mark is None:
            await self._lost(file)
            return None
        if not mark.same(file.mark):
            raise ImportChanged
        if mark.size > self._max_size:
            raise ImportTooLarge(f"Files may have up to {self._max_size} bytes; this one has {mark.size}.")
        if file.imported_at is not None and not await self._has_video(file):
            # Its video was deleted here: that counts for later versions of the file, too.
            await self._end(file, ImportState.IMPORTED, None)
            return None
        said = await self._attaching.said(file)
        await self._gate(_offer(file, terms, said))
        await self._probe(file, told)
        if file.fingerprint is None:
            file = replace(file, fingerprint=await asyncio.to_thread(contents.fingerprint, file.path, mark))
        if await self._known_content(file, terms, told):
            return None
        async with self._db.read() as conn:
            await self._check_quota(conn, file, terms)
        prepared, sha256 = await self._bringing.prepared(file, terms.policy, told)
        video_id = file.video_id or VideoId(new_id())
        key = file.staged_key or _place(file, video_id)
        file = replace(file, sha256=sha256, video_id=video_id, staged_key=key, updated_at=self._clock())
        await self._put(file)
        await self._bringing.put(key, prepared)
        return file

    async def _has_video(self, file: ImportFile) -> bool:
        async with self._db.read() as conn:
            return file.video_id is not None and await videos.get(conn, file.video_id) is not None

    async def _probe(self, file: ImportFile, told: Told) -> None:
        """Look into the file where it lies: what is no video stays there. Raises what the child reports."""
        assert file.path is not None
        room = self._work / f"{NAME}-{file.id}"
        await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)
        # By a name of our own: not every name is text, and a child is asked in text.
        link = room / Path(source_key(VideoId("x"), file.name)).name
        try:
            await asyncio.to_thread(_link, file.path, link)
            await self._run(tasks.Probe(str(link)), told, None)
        finally:
            await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)

    async def _known_content(self, file: ImportFile, terms: Terms, told: Told) -> bool:
        """Whether a video of the same owner has just this content: a file that went elsewhere, or a duplicate."""
        if file.fingerprint is None or file.imported_at is not None:
            return False
        async with self._db.read() as conn:
            alike = await rows.like(conn, file, file.fingerprint)
            owners = {one.id: await videos.get(conn, one.video_id) for one in alike if one.video_id}
        alike = [one for one in alike if (video := owners.get(one.id)) and video.owner_id == terms.owner.id]
        if not alike:
            return False
        sha256 = await self._bringing.digest(file, told)
        same = next((one for one in alike if one.sha256 == sha256), None)
        if same is None:
            return False
        await self._join(file, same)
        return True

    async def _join(self, file: ImportFile, same: ImportFile) -> None:
        """Two rows of one content: where the older one's file is gone it was moved here, else this is a duplicate."""
        gone = same.path is not None and await asyncio.to_thread(look, same.path) is None
        async with self._db.write() as conn:
            if not gone:
                duplicate = replace(file, state=ImportState.DUPLICATE, video_id=same.video_id)
                await rows.put(conn, replace(duplicate, updated_at=self._clock()))
                return
            await rows.delete(conn, file.id)
            here = {name: getattr(file, name) for name in ("root", "folder", "path", "name", "mark")}
            moved = replace(same, **here, state=ImportState.IMPORTED, error=None, updated_at=self._clock())
            await rows.put(conn, moved)
        _logger.info("A file was found again elsewhere", action="import_moved", file=file.name, video=same.video_id)

    async def _check_quota(self, conn: Connection, file: ImportFile, terms: Terms) -> None:
        try:
            await self._quota(conn, terms.owner.id, file.mark.size, 0 if file.imported_at else 1)
        except StreamhostError as error:
            raise _Waits(error) from error

    async def _enter(self, file: ImportFile, terms: Terms, said: Details) -> ImportFile:
        """Enter what the file has become and mark it as imported: all or nothing."""
        assert file.video_id is not None and file.staged_key is not None
        now = self._clock()
        fields: dict[str, Any] = {}
        if file.imported_at is None:
            fields = await self._fields(file, terms, said)
        done = replace(
            file,
            state=ImportState.IMPORTED,
            imported_at=now,
            policy=terms.policy,
            staged_key=None,
            error=None,
            retry_at=None,
            sidecars=tuple(
                replace(one, done=one.mark, error=None) if one.kind is SidecarKind.DETAILS else one
                for one in file.sidecars
            ),
            updated_at=now,
        )
        async with self._db.write() as conn:
            known = await rows.get(conn, file.id)
            if known is None or known.staged_key != file.staged_key:
                raise ImportChanged
            await self._check_quota(conn, file, terms)
            if file.imported_at is None:
                await self._entering.video(conn, _video(file, terms, fields, now))
            else:
                await self._entering.replacement(conn, _replacement(file, now), BEHIND_UPLOADS)
            await rows.put(conn, done)
        _logger.info(
            "A file was imported",
            action="imported",
            file=file.name,
            video=file.video_id,
            bytes=file.mark.size,
            policy=terms.policy.value,
            replaced=file.imported_at is not None,
        )
        return done

    async def _fields(self, file: ImportFile, terms: Terms, said: Details) -> dict[str, Any]:
        """What the video is called, who may watch it, and all else that is said of it."""
        fields = {"title": readable(file.name), "visibility": terms.visibility, **said.fields}
        fields["tags"] = tuple(dict.fromkeys([*said.fields.get("tags", ()), *terms.tags]))[:MAX_TAGS]
        if said.password is not None:
            fields["password_hash"] = await self._hashed(said.password)
        if fields["visibility"] is Visibility.PASSWORD and said.password is None:
            raise SidecarInvalid("password: Set the password that opens it.")
        if "chapters" in fields:
            fields["chapters_edited"] = True
        if said.published_at is not None:
            fields["published_at"] = said.published_at
        return fields

    async def _lost(self, file: ImportFile) -> None:
        """The file went before it was taken in."""
        async with self._db.write() as conn:
            if file.imported_at is None:
                await rows.delete(conn, file.id)
            else:
                missing = replace(file, state=ImportState.MISSING, staged_key=None, updated_at=self._clock())
                await rows.put(conn, missing)

    async def _tidy(self, file: ImportFile) -> None:
        """Remove a file that was moved, with what lay beside it and was attached; each only if it is still the same."""
        if file.policy is not Policy.MOVE or file.path is None or any(one.due for one in file.sidecars):
            return
        beside = [one for one in file.sidecars if one.error is None]
        gone = await asyncio.to_thread(contents.removed, file.path, file.mark)
        for one in beside:
            path = file.folder + b"/" + os.fsencode(one.name)
            gone = await asyncio.to_thread(contents.removed, path, one.mark) and gone
        error = None if gone else ImportNotRemoved()
        async with self._db.write() as conn:
            now = await rows.get(conn, file.id)
            if now is not None:
                later = None if error is None else self._clock() + HOUR
                path_left = None if error is None else now.path
                told = failure(error) if error else None
                await rows.put(conn, replace(now, path=path_left, error=told, retry_at=later, updated_at=self._clock()))

    async def _put(self, file: ImportFile) -> None:
        async with self._db.write() as conn:
            await rows.put(conn, file)

    async def _end(
        self, file: ImportFile, state: ImportState, error: StreamhostError | None, retry_at: float | None = None
    ) -> None:
        """Write down where a file stands that was not taken in. What is in storage already stays its own."""
        _logger.info(
            "A file was not imported",
            action="not_imported",
            file=file.name,
            state=state.value,
            code=error.code if error else None,
        )
        async with self._db.write() as conn:
            now = await rows.get(conn, file.id)
            if now is None or now.state is not ImportState.TAKING:
                return
            told = failure(error) if error else None
            # What was read of a file that is to be read again no longer counts.
            sha256 = None if state is ImportState.SETTLING else now.sha256
            await rows.put(
                conn,
                replace(now, state=state, error=told, sha256=sha256, retry_at=retry_at, updated_at=self._clock()),
            )


def _link(path: bytes, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(path, os.fsencode(link))


def _offer(file: ImportFile, terms: Terms, said: Details) -> Offer:
    """What plugins are told of a file before anything is done with it."""
    words = {"title": readable(file.name), "visibility": terms.visibility.value}
    words |= {name: str(said.fields[name]) for name in OFFERED if name in said.fields}
    return Offer(terms.owner.id, file_name(file.name), file.mark.size, words)


def _place(file: ImportFile, video_id: VideoId) -> str:
    """Where the file comes to lie: one that replaces another beside it until it does."""
    key = source_key(video_id, file.name)
    if file.imported_at is None:
        return key
    return f"{media_prefix(video_id)}source-{new_id()}/{key.rpartition('/')[2]}"


def _video(file: ImportFile, terms: Terms, fields: dict[str, Any], now: float) -> Video:
    assert file.video_id is not None
    return Video(
        id=file.video_id,
        owner_id=terms.owner.id,
        created_at=now,
        updated_at=now,
        source_key=file.staged_key,
        source_name=file_name(file.name),
        source_size=file.mark.size,
        source_sha256=file.sha256,
        priority=BEHIND_UPLOADS,
        **fields,
    )


def _replacement(file: ImportFile, now: float) -> Replacement:
    assert file.video_id is not None and file.staged_key is not None
    return Replacement(
        video_id=file.video_id,
        source_key=file.staged_key,
        source_name=file_name(file.name),
        source_size=file.mark.size,
        source_sha256=file.sha256,
        created_at=now,
    )
