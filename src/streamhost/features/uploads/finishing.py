"""From a complete upload to a video, exactly once.

The video's id is chosen and stored together with the last byte's offset. Then parts are joined, the file moves to
storage under that id, and one transaction enters the video, closes the upload and orders the first job. Killed anywhere
between, the same steps run again at the next start or the next question and find what was done.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

from streamhost import log
from streamhost.db import uploads as rows
from streamhost.db.core import Connection, Database
from streamhost.features.uploads.describe import replacement_of, stored_as, video_of
from streamhost.features.uploads.entering import Entering
from streamhost.features.uploads.errors import UploadBusy, UploadGone, UploadNotFound
from streamhost.features.uploads.spool import Spool, SpoolFile
from streamhost.model.clock import Clock
from streamhost.model.ids import UploadId
from streamhost.model.uploads import Upload, UploadKind
from streamhost.ports import NotStored, Storage, StorageUnavailable

GRACE = 5.0
"""Seconds that finishing may take when the server stops; most files need a few milliseconds."""
TRY_AGAIN = 5.0
"""Seconds after which a file that the storage would not take is offered to it again, without anybody asking."""
SLICE = 256 * 1024**2
"""Bytes read or copied in one step to a thread, so that long work can be stopped in between."""

_logger = log.get("uploads")


class Finisher:
    """Turns complete uploads into videos, in tasks that outlive the requests that wait for them."""

    def __init__(
        self, db: Database, entering: Entering, storage: Storage, spool: Spool, clock: Clock, remembered: float
    ) -> None:
        """`remembered`: seconds for which a finished upload still answers questions."""
        self._db = db
        self._entering = entering
        self._storage = storage
        self._spool = spool
        self._clock = clock
        self._remembered = remembered
        self._tasks: dict[UploadId, asyncio.Task[Upload]] = {}
        self._closed = False
        self._again: dict[UploadId, asyncio.TimerHandle] = {}

    async def settled(self, upload: Upload, patience: float | None) -> Upload:
        """The upload as a video if it is complete, waiting at most `patience` seconds for that (None: as long as it
        takes); after that the upload as it was, which then already names its video. Raises what went wrong."""
        if upload.finished or upload.video_id is None or upload.kind is UploadKind.PARTIAL:
            return upload
        task = self.start(upload.id)
        await asyncio.wait({task}, timeout=patience)
        if task.cancelled():
            raise UploadBusy("The server is stopping; the file becomes a video at its next start.")
        return task.result() if task.done() else upload

    def start(self, upload_id: UploadId) -> asyncio.Task[Upload]:
        """Begin to finish an upload, or the task that already does."""
        if (timer := self._again.pop(upload_id, None)) is not None:
            timer.cancel()
        if upload_id not in self._tasks:
            task = self._tasks[upload_id] = asyncio.create_task(self._finish(upload_id))
            task.add_done_callback(lambda done: self._over(upload_id, done))
        return self._tasks[upload_id]

    def _over(self, upload_id: UploadId, task: asyncio.Task[Upload]) -> None:
        self._tasks.pop(upload_id, None)
        if not task.cancelled() and (error := task.exception()):
            _logger.warning(
                "An upload could not be finished yet", action="upload_unfinished", upload=upload_id, error=str(error)
            )
            if isinstance(error, StorageUnavailable) and not self._closed:
                loop = asyncio.get_running_loop()
                self._again[upload_id] = loop.call_later(TRY_AGAIN, self.start, upload_id)

    async def settled_or_gone(self, upload: Upload) -> Upload:
        """The upload as a video, however long that takes. Nothing stays of one that the storage does not take."""
        try:
            return await self.settled(upload, None)
        except StorageUnavailable:
            if (timer := self._again.pop(upload.id, None)) is not None:
                timer.cancel()
            async with self._db.write() as conn:
                await rows.delete(conn, [upload.id])
            await self._spool.remove(upload.id)
            raise

    async def recover(self) -> int:
        """Begin to finish everything that was interrupted; how many there were."""
        async with self._db.read() as conn:
            found = await rows.unfinished(conn)
        for upload in found:
            self.start(upload.id)
        return len(found)

    async def close(self) -> None:
        """Stop; what is not finished within a moment is taken up at the next start."""
        self._closed = True
        for timer in self._again.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _finish(self, upload_id: UploadId) -> Upload:
        async with self._db.read() as conn:
            upload = await rows.get(conn, upload_id)
        if upload is None:
            await self._spool.remove(upload_id)
            raise UploadNotFound
        if upload.finished:
            return upload
        try:
            if upload.kind is UploadKind.FINAL:
                upload = await self._join(upload)
            return await self._enter(upload, await self._move(upload))
        except UploadGone:
            # Somebody removed files from the spool. Trying again would never help, so nothing waits for it.
            async with self._db.write() as conn:
                await rows.delete(conn, [upload.id, *upload.parts])
            raise

    async def _join(self, upload: Upload) -> Upload:
        """Copy the parts one after the other; each goes as soon as the catalog knows that its bytes are in."""
        file = await self._spool.open(upload.id, upload.offset)
        try:
            end = 0
            for part_id in upload.parts:
                async with self._db.read() as conn:
                    part = await rows.get(conn, part_id)
                if part is None:
                    raise UploadGone(f"Its part {part_id} is not there.")
                end += part.offset
                if upload.offset < end:
                    await self._take(file, part)
                    upload = replace(upload, offset=end)
                    async with self._db.write() as conn:
                        await rows.advance(conn, upload)
                await self._spool.remove(part_id)
        finally:
            await self._spool.run(file.close)
        return upload

    async def _take(self, file: SpoolFile, part: Upload) -> None:
        source = self._spool.path(part.id)
        taken = 0
        while taken < part.offset:
            came = await self._spool.run(file.take, source, taken, min(SLICE, part.offset - taken))
            if not came:
                raise UploadGone(f"Only {taken} of {part.offset} bytes of its part {part.id} are left.")
            taken += came
        await self._spool.run(file.sync)

    async def _move(self, upload: Upload) -> str:
        """Put the file into storage; its SHA-256."""
        key = stored_as(upload)
        path = self._spool.path(upload.id)
        if not await self._spool.run(path.exists) and await self._stored(key, upload.offset):
            return await self._digest_of(key)
        file = await self._spool.open(upload.id, upload.offset)
        try:
            while not await self._spool.run(file.catch_up, SLICE):
                pass
        finally:
            await self._spool.run(file.close)
        await self._storage.put_file(key, path)
        return file.digest.hash.hexdigest()

    async def _stored(self, key: str, size: int) -> bool:
        try:
            return (await self._storage.stat(key)).size == size
        except NotStored:
            return False

    async def _digest_of(self, key: str) -> str:
        """The SHA-256 of a file that was moved just before a crash."""
        digest = hashlib.sha256()
        async for data in self._storage.read(key):
            await self._spool.run(digest.update, data)
        return digest.hexdigest()

    async def _enter(self, upload: Upload, sha256: str) -> Upload:
        """Enter the video, or its new file; close the upload, order the first job: all or nothing."""
        now = self._clock()
        done = replace(upload, finished_at=now, expires_at=now + self._remembered)
        async with self._db.write() as conn:
            entered = await rows.finish(conn, upload.id, now, done.expires_at)
            if entered:
                await self._begin(conn, upload, sha256)
                # Used-up parts go on answering: a client that lost the answer asks for them, then joins them again.
                for part_id in upload.parts:
                    await rows.finish(conn, part_id, now, done.expires_at)
        if not entered:
            await self._storage.delete(stored_as(upload))
            raise UploadNotFound("It was ended while it became a video.")
        self._spool.forget(upload.id)
        _logger.info(
            "An upload became a video",
            action="upload_finished",
            upload=upload.id,
            video=upload.video_id,
            bytes=upload.offset,
        )
        return done

    async def _begin(self, conn: Connection, upload: Upload, sha256: str) -> None:
        """Enter what the file has become, and have it looked into."""
        assert upload.video_id is not None
        now = self._clock()
        if upload.replaces is None:
            await self._entering.video(conn, video_of(upload, sha256, now))
        else:
            await self._entering.replacement(conn, replacement_of(upload, sha256, now))
