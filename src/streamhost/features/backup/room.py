"""The room of backups: made by hand or again and again, and no more of them kept than are wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from streamhost import log
from streamhost.db.core import Connection, Database
from streamhost.features.backup.errors import BackupImpossible
from streamhost.features.backup.making import Maker
from streamhost.features.backup.manifest import NAME, Manifest
from streamhost.features.backup.places import Shelf
from streamhost.jobs.context import JobContext
from streamhost.jobs.errors import JobCancelled
from streamhost.model.errors import StreamhostError
from streamhost.model.tasks import BackUp, Job

JOBS_PAGE = "/admin/jobs"
Tells = Callable[[Connection, str, str], Awaitable[None]]

_logger = log.get("backup")


@dataclass(frozen=True, slots=True)
class Wishes:
    """How backups are made: with media or not, under a passphrase unless it is empty, and how many are kept on one
    shelf (0: all)."""

    media: bool = False
    passphrase: str = ""
    keep: int = 0


class Backups:
    """Makes backups on shelves, and clears old ones away."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    async def make(self, shelf: Shelf, wishes: Wishes) -> tuple[Manifest, list[str]]:
        """A new backup, and the names of those that were removed since there are newer ones. Raises as `Maker.make`."""
        manifest = await self._maker.make(shelf, wishes.passphrase, media=wishes.media)
        return manifest, await self.prune(shelf, wishes.keep)

    async def prune(self, shelf: Shelf, keep: int) -> list[str]:
        """Remove the oldest backups of this site but `keep`; those of other sites are none of ours."""
        mine = self._maker.site.instance[:8]
        known = [name for name in await shelf.names() if (m := NAME.fullmatch(name)) and m["instance"] == mine]
        old = known[:-keep] if keep else []
        for name in old:
            await shelf.remove(name)
        return old


class ScheduledBackups:
    """The job."""

    def __init__(self, db: Database, backups: Backups, shelf: Shelf | None, wishes: Wishes, tells: Tells) -> None:
        """`tells` hears in words, in the transaction, of a backup that was given up, and where to look."""
        self._db = db
        self._backups = backups
        self._shelf = shelf
        self._wishes = wishes
        self._tells = tells

    async def back_up(self, _task: BackUp, job: JobContext) -> None:
        """Make one as the settings say. Ended anywhere, nothing of it is left but what the next one tidies up."""
        if self._shelf is None:
            raise BackupImpossible("backup.to is empty.", hint="Set it, or run `streamhost backup DEST`.")
        manifest, removed = await self._backups.make(self._shelf, self._wishes)
        _logger.info("The scheduled backup is done", action="backup_scheduled", name=manifest.name, removed=removed)
        async with self._db.write() as conn:
            await job.complete(conn)

    async def gave_up(self, conn: Connection, _job: Job, error: StreamhostError) -> None:
        """Nobody looks after backups that make themselves, until one is needed: so somebody is told."""
        if not isinstance(error, JobCancelled):
            _logger.error("The scheduled backup failed", action="backup_failed", code=error.code, detail=str(error))
            await self._tells(conn, f"The backup that is made by itself failed: {error}", JOBS_PAGE)
