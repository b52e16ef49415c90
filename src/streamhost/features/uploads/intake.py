"""From a request's body to the disk: constant memory, few steps between threads, and nothing that arrived is lost.

While one batch is written, the next one arrives. Now and then what is written is synced and its offset stored, so that
a crash costs a few seconds of sending. However a request ends, by its end, a broken connection, silence, a full disk,
or because a newer request wants the upload, what arrived is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from streamhost.features.uploads.errors import ClientSilent, UploadInterrupted, UploadTooLarge
from streamhost.features.uploads.locks import Hold
from streamhost.features.uploads.spool import Piece, Spool, SpoolFile
from streamhost.model.errors import StreamhostError

Body = AsyncIterator[Piece]
"""The bytes of one request as they arrive; raises `ClientGone` where the connection breaks."""
Save = Callable[[int], Awaitable[None]]
"""Stores an offset whose bytes are on disk."""

BATCH = 2 * 1024**2
"""Bytes collected for one step to a thread; two batches are the most memory that one upload takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often offsets are stored, and how long a silent client is borne. Seconds and bytes."""

    save_bytes: int = 64 * 1024**2
    save_seconds: float = 2.0
    silence: float = 60.0


class Intake:
    """One request's bytes on their way into a spool file."""

    def __init__(
        self,
        spool: Spool,
        file: SpoolFile,
        *,
        limit: int,
        pace: Pace,
        save: Save | None,
        hasher: hashlib._Hash | None = None,
    ) -> None:
        """`limit` is the offset that must not be passed; without `save` no offset is stored on the way."""
        self._spool = spool
        self._file = file
        self._left = limit - file.position
        self._pace = pace
        self._save = save
        self._hasher = hasher
        self._pieces: list[Piece] = []
        self._size = 0
        self._turn = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._unsaved = 0
        self._saved_at = time.monotonic()
        self._listening_since: float | None = None
        """None while nobody listens: a disk that takes its time is no silence of the client."""

    async def take(self, body: Body, hold: Hold) -> StreamhostError | None:
        """Take everything in until the body ends or something ends it; the error that did, None if all came.

        Afterwards every byte counted by the file's `position` is written, though not yet synced."""
        pump = asyncio.create_task(self._pump(body))

        def let_go() -> None:
            pump.cancel()

        hold.when_wanted(let_go)
        try:
            error = await self._watch(pump, hold)
        finally:
            hold.when_wanted(None)
            pump.cancel()
        try:
            await self._flush(save=False)
            await self._written()
        except StreamhostError as failure:
            return failure
        return error

    async def _watch(self, pump: asyncio.Task[None], hold: Hold) -> StreamhostError | None:
        """Wait for the pump's end. Between two looks nothing may have come: then store what came before."""
        while not pump.done():
            await asyncio.wait({pump}, timeout=self._pace.save_seconds)
            now = time.monotonic()
            listening_since = self._listening_since
            if not pump.done() and listening_since is not None and now - listening_since > self._pace.silence:
                pump.cancel()
                return ClientSilent(f"Nothing came for {self._pace.silence:g} seconds.")
            if not pump.done() and self._due(now):
                try:
                    await self._flush()
                except StreamhostError as failure:
                    return failure
        if pump.cancelled():
            return UploadInterrupted(self._file.position) if hold.wanted else ClientSilent()
        failed = pump.exception()
        if failed is not None and not isinstance(failed, StreamhostError):
            raise failed
        return failed

    async def _pump(self, body: Body) -> None:
        self._listening_since = time.monotonic()
        async for piece in body:
            self._listening_since, now = None, time.monotonic()
            self._left -= len(piece)
            if self._left < 0:
                raise UploadTooLarge("More bytes came than fit into the length that was announced.")
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size >= BATCH or self._due(now):
                await self._flush()
            self._listening_since = time.monotonic()

    def _due(self, now: float) -> bool:
        """Whether it is time to store an offset."""
        if self._save is None or not (self._unsaved or self._size):
            return False
        return now - self._saved_at >= self._pace.save_seconds or self._unsaved + self._size >= self._pace.save_bytes

    async def _flush(self, save: bool = True) -> None:
        """Begin to write what has been collected, once the batch before is written."""
        async with self._turn:
            await self._written()
            save = save and self._due(time.monotonic())
            pieces, self._pieces, self._size = self._pieces, [], 0
            if pieces or save:
                self._writing = asyncio.create_task(self._write(pieces, save))

    async def _written(self) -> None:
        """Wait for the batch that is being written, which goes on even if the one who waits is cancelled."""
        if self._writing:
            await asyncio.wait({self._writing})
            self._writing.result()

    async def _write(self, pieces: list[Piece], save: bool) -> None:
        await self._spool.run(self._put, pieces, save)
        self._unsaved += sum(map(len, pieces))
        if save and self._save:
            self._unsaved, self._saved_at = 0, time.monotonic()
            await self._save(self._file.position)

    def _put(self, pieces: list[Piece], sync: bool) -> None:
        self._file.append(pieces)
        if self._hasher:
            for piece in pieces:
                self._hasher.update(piece)
        if sync:
            self._file.sync()
