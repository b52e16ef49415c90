"""Is there room? Asked before bytes are accepted, and again while they come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamhost.db import uploads as rows
from streamhost.db.core import Connection, Database
from streamhost.features.uploads.errors import NoRoom, UploadTooLarge
from streamhost.features.uploads.spool import Spool
from streamhost.model.clock import Clock
from streamhost.model.ids import UserId
from streamhost.model.uploads import Upload, UploadKind

Quota = Callable[[Connection, UserId, int, int], Awaitable[None]]
"""Raises an error if an owner may not bring that many bytes and that many files more. Asked inside the transaction that
accepts them."""


Gate = Callable[[Upload], Awaitable[None]]
"""Raises an error if a file may not be brought, by what was said of it."""


async def open_gate(_upload: Upload) -> None:
    """For a house in which nobody else is asked."""


async def unlimited(_conn: Connection, _owner_id: UserId, _more: int, _files: int) -> None:
    """The quota of a site that has none."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may still come in: the largest file, the disk, what others were promised, and the owner's quota."""

    db: Database
    spool: Spool
    clock: Clock
    max_size: int
    keep_free: int
    quota: Quota = unlimited

    def fits(self, size: int) -> None:
        """Raise `UploadTooLarge` if a file of `size` bytes is too large here."""
        if size > self.max_size:
            raise UploadTooLarge(f"Files may have up to {self.max_size} bytes; this one has at least {size}.")

    async def promise(
        self, conn: Connection, upload: Upload, free: int, more: int | None = None, *, new: bool = True
    ) -> None:
        """Raise `NoRoom` or the quota's error unless `more` bytes of `upload` fit beside what others were promised.

        `more` is what is missing of its length if not given; at least one byte must fit where the length is unknown.
        `free` is what `free()` said just before the transaction of `conn`, in which the upload is then stored: so two
        that start at once cannot be promised the same room. `new`: it is not among the owner's uploads yet."""
        if more is None:
            more = 1 if upload.length is None else upload.length - upload.offset
        final, part = upload.kind is UploadKind.FINAL, upload.kind is UploadKind.PARTIAL
        # A final upload is made of parts that have been counted; a part becomes no video of its own.
        await self.quota(conn, upload.owner_id, 0 if final else more, 0 if part or not new else 1)
        if more:
            self._check(free - await rows.reserved(conn, self.clock(), but=upload.id), more)

    async def hold_out(self, upload: Upload, more: int) -> None:
        """Raise `NoRoom`, or the quota's error, unless `more` bytes of an accepted upload still fit; what was promised
        to it others cannot have taken."""
        free = await self.free()
        if upload.length is None:
            async with self.db.read() as conn:
                free -= await rows.reserved(conn, self.clock(), but=upload.id)
                await self.quota(conn, upload.owner_id, more, 0)
        self._check(free, more)

    async def free(self) -> int:
        """Bytes that uploads may use: free on the disk, less what is to stay free."""
        return await self.spool.free() - self.keep_free

    def _check(self, free: int, more: int) -> None:
        if more > free:
            raise NoRoom(f"It needs {more} bytes; {max(free, 0)} are to be had.")
