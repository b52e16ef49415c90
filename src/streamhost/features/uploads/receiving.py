"""One request's bytes into one upload: into its file, then onto the disk, then into the catalog's offset."""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamhost.db import uploads as rows
from streamhost.db.core import Database
from streamhost.features.uploads.checksums import Checksum
from streamhost.features.uploads.errors import (
    ChecksumMismatch,
    LengthNotChangeable,
    UploadInterrupted,
    UploadNotFound,
)
from streamhost.features.uploads.intake import Body, Intake, Pace
from streamhost.features.uploads.locks import Hold
from streamhost.features.uploads.room import Room
from streamhost.features.uploads.spool import Spool
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.ids import VideoId, new_id
from streamhost.model.uploads import Upload, UploadKind

ONE_REQUEST = 10 * MINUTE
"""Life, since its last stored offset, of an upload whose address no client knows yet."""


def chosen_video(upload: Upload) -> VideoId:
    """The id of the video that an upload becomes: a new one, unless its file replaces another's."""
    return upload.replaces or VideoId(new_id())


def completed(upload: Upload) -> Upload:
    """The upload with its video chosen if the last byte is there: stored together, they are never apart."""
    if upload.complete and upload.kind is UploadKind.WHOLE and upload.video_id is None:
        return replace(upload, video_id=chosen_video(upload))
    return upload


@dataclass(frozen=True, slots=True)
class Receiver:
    """Receives bodies. `life` is how many seconds after its last stored offset an upload expires."""

    db: Database
    spool: Spool
    room: Room
    clock: Clock
    pace: Pace
    life: float

    async def announce(self, upload: Upload, length: int) -> Upload:
        """Store the length of an upload that was begun without one."""
        if upload.length == length:
            return upload
        if upload.length is not None or length < upload.offset:
            raise LengthNotChangeable(f"It stands at {upload.offset} of {upload.length or 'unknown'} bytes.")
        self.room.fits(length)
        upload = completed(replace(upload, length=length))
        free = await self.room.free()
        async with self.db.write() as conn:
            await self.room.promise(conn, upload, free, new=False)
            await rows.advance(conn, upload)
        return upload

    async def receive(
        self,
        upload: Upload,
        hold: Hold,
        body: Body,
        *,
        limit: int,
        checksum: Checksum | None = None,
        unknown: bool = False,
    ) -> Upload:
        """Take the body in, up to the offset `limit`; the upload as stored.

        What came is stored even where it ends in an error, unless a checksum forbids it. `unknown`: no client knows
        the upload's address until this returns."""
        # Chosen beforehand: whether an offset stored on the way or the last one completes the upload, it is one video.
        chosen = chosen_video(upload) if upload.kind is UploadKind.WHOLE and upload.length is not None else None

        async def save(offset: int) -> None:
            await self._store(upload, offset, chosen, ONE_REQUEST if unknown else self.life)
            await self.room.hold_out(upload, 0)

        file = await self.spool.open(upload.id, upload.offset)
        try:
            before = file.digest.copy()
            hasher = checksum.hasher() if checksum else None
            intake = Intake(
                self.spool, file, limit=limit, pace=self.pace, save=None if checksum else save, hasher=hasher
            )
            error = await intake.take(body, hold)
            if checksum and hasher and error is None and not checksum.fits(hasher):
                error = ChecksumMismatch()
            if checksum and error:
                await self.spool.run(file.cut, upload.offset)
                file.digest.become(before)
            else:
                await self.spool.run(file.sync)
                upload = await self._store(upload, file.position, chosen, self.life)
            if isinstance(error, UploadInterrupted):
                raise UploadInterrupted(upload.offset)
            if error and not upload.complete:
                raise error
            return upload
        finally:
            await self.spool.run(file.close)

    async def _store(self, upload: Upload, offset: int, chosen: VideoId | None, life: float) -> Upload:
        upload = replace(upload, offset=offset, expires_at=self.clock() + life)
        if upload.complete:
            upload = replace(upload, video_id=chosen)
        async with self.db.write() as conn:
            if not await rows.advance(conn, upload):
                raise UploadNotFound
            if upload.length is None:
                # Nothing was promised beforehand, and others of the same owner grow too: so it is asked as they do.
                await self.room.quota(conn, upload.owner_id, 0, 0)
        return upload
