"""One request at a time on an upload; the newest wins, the one before is asked to let go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from streamhost.features.uploads.errors import UploadBusy
from streamhost.model.ids import UploadId

PATIENCE = 30.0
"""Seconds that a request waits for the one before it to put its bytes on disk and let go."""


class Hold:
    """The right to work on one upload, until somebody else wants it."""

    def __init__(self) -> None:
        self._wanted = False
        self._let_go: Callable[[], None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether a newer request waits."""
        return self._wanted

    def when_wanted(self, let_go: Callable[[], None] | None) -> None:
        """Call `let_go` as soon as a newer request waits, at once if one does already. None: call nothing any more."""
        self._let_go = let_go
        if self._wanted and let_go:
            let_go()

    def ask(self) -> None:
        """Somebody newer waits."""
        self._wanted = True
        if self._let_go:
            self._let_go()


class _Door:
    """One upload's lock, the hold that is in force, and how many wait."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.hold: Hold | None = None
        self.waiting = 0


class Locks:
    """The locks of all uploads that are being worked on. In one process: a data directory has one server."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._doors: dict[UploadId, _Door] = {}
        self._patience = patience

    def free(self, upload_id: UploadId) -> bool:
        """Whether nobody works on the upload or waits to."""
        return upload_id not in self._doors

    @contextlib.asynccontextmanager
    async def hold(self, upload_id: UploadId, hold: Hold) -> AsyncIterator[Hold]:
        """Wait for the upload, asking whoever has it to let go. Raises `UploadBusy` when that takes too long."""
        door = self._doors.setdefault(upload_id, _Door())
        door.waiting += 1
        if door.hold:
            door.hold.ask()
        try:
            async with asyncio.timeout(self._patience):
                await door.lock.acquire()
        except TimeoutError:
            raise UploadBusy from None
        finally:
            door.waiting -= 1
            self._forget(upload_id, door)
        if door.waiting:
            hold.ask()
        door.hold = hold
        try:
            yield hold
        finally:
            door.hold = None
            door.lock.release()
            self._forget(upload_id, door)

    def _forget(self, upload_id: UploadId, door: _Door) -> None:
        if not door.waiting and not door.lock.locked():
            self._doors.pop(upload_id, None)
