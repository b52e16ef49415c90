"""Receives files, chunk by chunk, and never loses a byte that it has acknowledged.

The offset lives in the catalog. It is stored only after `fdatasync` of the bytes that it counts, and the catalog's
commit is synced too: whatever a client was told survives kill -9 and power loss. Bytes on disk beyond it were never
promised to anyone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from streamhost import log
from streamhost.config import UploadSettings
from streamhost.db import uploads as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.features.uploads import describe
from streamhost.features.uploads.checksums import Checksum
from streamhost.features.uploads.entering import Clears, Entering, cleared_for_all
from streamhost.features.uploads.errors import (
    FinalUpload,
    InvalidParts,
    OffsetMismatch,
    UploadBusy,
    UploadGone,
    UploadNotFound,
    UploadTooLarge,
)
from streamhost.features.uploads.finishing import Finisher
from streamhost.features.uploads.intake import Body, Pace
from streamhost.features.uploads.locks import Hold, Locks
from streamhost.features.uploads.parts import usable
from streamhost.features.uploads.receiving import ONE_REQUEST, Receiver, chosen_video, completed
from streamhost.features.uploads.room import Gate, Quota, Room, open_gate, unlimited
from streamhost.features.uploads.spool import Spool
from streamhost.jobs.queue import Queue
from streamhost.model.clock import HOUR, Clock
from streamhost.model.errors import NotFound
from streamhost.model.ids import UploadId, UserId, is_id, new_id
from streamhost.model.uploads import Upload, UploadKind
from streamhost.model.videos import Video
from streamhost.ports import Storage

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds for which an answer waits until a complete file is a video: below the minute after which proxies give up."""
GRACE = 5.0
"""Seconds that files by one request have to arrive when the server stops."""
FORM_BYTES = 16 * 1024
"""What a form may add to the file in it: so much is not held against somebody whose file just fits."""
MAX_PARTS = 1000
"""More parts than any client makes; each is a row and a file."""

_logger = log.get("uploads")


class Uploads:
    """The room where files come in."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        storage: Storage,
        directory: Path,
        settings: UploadSettings,
        clock: Clock,
        *,
        quota: Quota = unlimited,
        gate: Gate = open_gate,
        clears: Clears = cleared_for_all,
        pace: Pace | None = None,
    ) -> None:
        self._db, self._gate = db, gate
        self._clock = clock
        self._life = settings.expire_hours * HOUR
        self._spool = Spool(directory)
        self._locks = Locks()
        self._room = Room(db, self._spool, clock, settings.max_size, settings.keep_free, quota)
        self._receiver = Receiver(db, self._spool, self._room, clock, pace or Pace(), self._life)
        self.entering = Entering(queue, clears)
        self._finisher = Finisher(db, self.entering, storage, self._spool, clock, self._life)
        self._working: dict[asyncio.Task[Any], tuple[Hold, bool]] = {}
        self._closing = False

    @property
    def max_size(self) -> int:
        """Largest file, in bytes."""
        return self._room.max_size

    async def create(
        self,
        owner_id: UserId,
        length: int | None,
        *,
        kind: UploadKind = UploadKind.WHOLE,
        metadata: Mapping[str, str] | None = None,
        metadata_header: str = "",
    ) -> Upload:
        """Accept a new upload of `length` bytes, None if that is not known yet. One of 0 bytes is complete at once.

        Raises `InvalidInput` for words that a video cannot have, `UploadTooLarge`, `NoRoom`, or the quota's error."""
        upload = await self._offered(owner_id, length, kind, metadata, metadata_header)
        return await self._settled(await self._accept(upload))

    async def create_with(
        self,
        owner_id: UserId,
        length: int | None,
        body: Body,
        *,
        size: int | None = None,
        checksum: Checksum | None = None,
        kind: UploadKind = UploadKind.WHOLE,
        metadata: Mapping[str, str] | None = None,
        metadata_header: str = "",
    ) -> Upload:
        """Accept a new upload together with its first bytes; the client learns its address from the answer.

        Raises what `create` and `append` raise; nothing stays then, for nobody could continue it."""
        upload = await self._offered(owner_id, length, kind, metadata, metadata_header)

        async def first(upload: Upload, hold: Hold) -> Upload:
            return await self._append(upload, hold, 0, body, size, None, checksum, unknown=True)

        return await self._settled(await self._whole_or_nothing(upload, first))

    async def join(
        self,
        owner_id: UserId,
        parts: Sequence[UploadId],
        *,
        metadata: Mapping[str, str] | None = None,
        metadata_header: str = "",
    ) -> Upload:
        """Make one upload of finished partial ones, which it uses up. Asked again for the same parts, it is the same.

        Raises `InvalidParts`, `PartsUnfinished`, `UploadNotFound` for a missing part, `UploadGone` for one that has
        expired, and what `create` raises."""
        if not parts or len(set(parts)) != len(parts) or len(parts) > MAX_PARTS:
            raise InvalidParts(f"From 1 to {MAX_PARTS} different parts are needed.")
        final = await self._offered(owner_id, None, UploadKind.FINAL, metadata, metadata_header)
        free = await self._room.free()
        async with self._db.write() as conn:
            known = await rows.final_of(conn, owner_id, parts)
            if known is None:
                now = self._clock()
                sizes = [usable(await rows.get(conn, part_id), part_id, owner_id, now) for part_id in parts]
                self._room.fits(sum(sizes))
                await check_target(conn, final)
                video_id = chosen_video(final)
                final = replace(final, length=sum(sizes), parts=tuple(parts), video_id=video_id)
                await self._room.promise(conn, final, free, max(sizes))
                await rows.insert(conn, final)
                await rows.claim_parts(conn, parts, video_id)
        return await self._settled(known or final)

    async def append(
        self,
        upload_id: UploadId,
        owner_id: UserId,
        offset: int,
        body: Body,
        *,
        size: int | None = None,
        length: int | None = None,
        checksum: Checksum | None = None,
    ) -> Upload:
        """Add the bytes of `body` at `offset`, which must be where the upload stands; the upload as it then is.

        `size`: how many bytes the request says it brings. `length`: the whole file's, said now for the first time.
        With a `checksum` all of the bytes are kept, or none. Another request for the same upload is asked to let go.
        Raises `UploadNotFound`, `UploadGone`, `OffsetMismatch`, `LengthNotChangeable`, `UploadTooLarge`, `NoRoom`,
        `ChecksumMismatch`, `FinalUpload`, `UploadInterrupted`, `UploadBusy`, `ClientGone`, `ClientSilent`."""
        hold = Hold()

        async def work() -> Upload:
            async with self._locks.hold(upload_id, hold):
                upload = await self._mine(upload_id, owner_id)
                return await self._append(upload, hold, offset, body, size, length, checksum)

        return await self._settled(await self._apart(work(), hold, resumable=True))

    async def _append(
        self,
        upload: Upload,
        hold: Hold,
        offset: int,
        body: Body,
        size: int | None,
        length: int | None,
        checksum: Checksum | None,
        *,
        unknown: bool = False,
    ) -> Upload:
        if upload.kind is UploadKind.FINAL:
            raise FinalUpload
        if offset != upload.offset:
            raise OffsetMismatch(upload.offset)
        if length is not None:
            upload = await self._receiver.announce(upload, length)
        if upload.complete:
            if size:
                raise UploadTooLarge("The upload is complete.")
            return upload
        limit = self.max_size if upload.length is None else upload.length
        if size is not None:
            if offset + size > limit:
                raise UploadTooLarge(f"{limit - offset} bytes are missing, {size} were to come.")
            await self._room.hold_out(upload, size)
        return await self._receiver.receive(upload, hold, body, limit=limit, checksum=checksum, unknown=unknown)

    async def status(self, upload_id: UploadId, owner_id: UserId) -> Upload:
        """Where an upload stands; whoever adds to it is asked to let go first, so that it stands still."""
        async with self._locks.hold(upload_id, Hold()):
            upload = await self._mine(upload_id, owner_id)
        return await self._settled(upload)

    async def terminate(self, upload_id: UploadId, owner_id: UserId) -> None:
        """End an upload and free its room. A video that it has become stays."""
        async with self._locks.hold(upload_id, Hold()):
            upload = await self._mine(upload_id, owner_id)
            if upload.kind is UploadKind.PARTIAL and upload.video_id and not upload.finished:
                raise UploadBusy("It is being joined with other parts.")
            if upload.video_id and not (await self._settled(upload)).finished:
                raise UploadBusy("It is becoming a video.")
            await self._drop(upload_id)

    async def receive(
        self, owner_id: UserId, body: Body, metadata: Callable[[], Mapping[str, str]], size: int = 0
    ) -> tuple[Upload, Video]:
        """Take a whole file in by one request. `metadata` is asked when the body has ended; `size` is about what comes.

        Nothing stays of a request that fails. Raises what `create` and `append` raise, except about offsets."""
        upload = self._new(owner_id, None, UploadKind.WHOLE, None, "")

        async def everything(upload: Upload, hold: Hold) -> Upload:
            await self._room.hold_out(upload, max(0, size - FORM_BYTES))
            came = await self._receiver.receive(upload, hold, body, limit=self.max_size, unknown=True)
            words = describe.known_keys(metadata())
            describe.check(words)
            whole = completed(replace(came, length=came.offset, metadata=words))
            await self._gate(whole)
            async with self._db.write() as conn:
                await check_target(conn, whole)
                await rows.describe(conn, whole.id, words)
                await rows.advance(conn, whole)
            return whole

        done = await self._finisher.settled_or_gone(await self._whole_or_nothing(upload, everything))
        assert done.video_id is not None
        async with self._db.read() as conn:
            if (video := await videos.get(conn, done.video_id)) is None:
                raise NotFound("The video was deleted at once.")
        return done, video

    async def sweep(self) -> None:
        """Remove expired uploads and files that belong to none, and take up what was not finished. Safe to repeat."""
        names = await self._spool.names()
        async with self._db.read() as conn:
            over = await rows.expired(conn, self._clock())
            known = await rows.known(conn, names)
        for upload_id in filter(self._locks.free, over):
            async with self._locks.hold(upload_id, Hold()):
                async with self._db.read() as conn:
                    still = upload_id in await rows.expired(conn, self._clock())
                if still:
                    await self._drop(upload_id)
        orphans = [name for name in names if name not in known]
        for name in orphans:
            await self._spool.remove(name)
        await self._finisher.recover()
        if over or orphans:
            _logger.info(
                "Old uploads were removed", action="sweep_uploads", expired=len(over), files_without_upload=len(orphans)
            )

    async def start(self) -> None:
        """Finish what a crash interrupted, in the background."""
        await self._finisher.recover()

    async def close(self) -> None:
        """Put on disk what is still arriving, and stop. Who can continue later is asked to let go at once, files by one
        request get a little time."""
        self._closing = True
        for task, (hold, resumable) in self._working.items():
            if resumable and not task.done():
                hold.ask()
        if self._working:
            await asyncio.wait(self._working, timeout=GRACE)
        for hold, _ in self._working.values():
            hold.ask()
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._finisher.close()
        self._spool.close()

    async def _offered(self, *said: Any) -> Upload:
        """A new upload that the gate lets in."""
        await self._gate(upload := self._new(*said))
        return upload

    def _new(
        self, owner_id: UserId, length: int | None, kind: UploadKind, metadata: Mapping[str, str] | None, header: str
    ) -> Upload:
        """A new upload with its length and words checked; those of a part are nobody's business."""
        self._room.fits(length or 0)
        words = describe.known_keys(metadata or {})
        if kind is not UploadKind.PARTIAL:
            describe.check(words)
        now = self._clock()
        return Upload(
            id=UploadId(new_id()),
            owner_id=owner_id,
            created_at=now,
            expires_at=now + self._life,
            length=length,
            kind=kind,
            metadata=words,
            metadata_header=header,
        )

    async def _accept(self, upload: Upload) -> Upload:
        upload = completed(upload)
        free = await self._room.free()
        async with self._db.write() as conn:
            await check_target(conn, upload)
            await self._room.promise(conn, upload, free)
            await rows.insert(conn, upload)
        return upload

    async def _whole_or_nothing(
        self, upload: Upload, work: Callable[[Upload, Hold], Coroutine[Any, Any, Upload]]
    ) -> Upload:
        """Accept an upload and do the first work on it; drop it if that fails."""
        hold = Hold()

        async def attempt() -> Upload:
            accepted = await self._accept(replace(upload, expires_at=self._clock() + ONE_REQUEST))
            async with self._locks.hold(accepted.id, hold):
                try:
                    return await work(accepted, hold)
                except BaseException:
                    await self._drop(accepted.id)
                    raise

        return await self._apart(attempt(), hold, resumable=False)

    async def _settled(self, upload: Upload) -> Upload:
        return await self._finisher.settled(upload, PATIENCE)

    async def _mine(self, upload_id: UploadId, owner_id: UserId) -> Upload:
        upload = None
        if is_id(upload_id):
            async with self._db.read() as conn:
                upload = await rows.get(conn, upload_id)
        if upload is None or upload.owner_id != owner_id:
            raise UploadNotFound
        if upload.expires_at <= self._clock() and not upload.video_id:
            raise UploadGone("It has expired.")
        return upload

    async def _drop(self, upload_id: UploadId) -> None:
        async with self._db.write() as conn:
            await rows.delete(conn, [upload_id])
        await self._spool.remove(upload_id)

    async def _apart(self, work: Coroutine[Any, Any, T], hold: Hold, *, resumable: bool) -> T:
        """Do `work` in a task of its own: a request that is cancelled asks it to let go, but never tears it."""
        if self._closing:
            work.close()
            raise UploadBusy("The server is stopping.")
        task = asyncio.create_task(work)
        self._working[task] = (hold, resumable)
        task.add_done_callback(self._working.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            hold.ask()
            await asyncio.wait({task})
            raise


async def check_target(conn: Connection, upload: Upload) -> None:
    """Raise `NotFound` unless the video whose file an upload is to replace is there, and its uploader's."""
    if upload.replaces is None or upload.kind is UploadKind.PARTIAL:
        return
    video = await videos.get(conn, upload.replaces)
    if video is None or video.owner_id != upload.owner_id or video.deleted_at is not None:
        raise NotFound("You have no such video whose file could be replaced.")
