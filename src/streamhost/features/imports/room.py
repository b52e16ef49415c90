"""The room in which files become videos without an upload."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from streamhost import log
from streamhost.config import ImportSettings
from streamhost.db import imports as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.features.imports.desk import ImportDesk
from streamhost.features.imports.errors import FolderMissing
from streamhost.features.imports.folders import Folders
from streamhost.features.imports.listing import Entry
from streamhost.features.imports.neighbours import RemovesVideo, Told
from streamhost.features.imports.scanning import Scanner
from streamhost.features.imports.settling import Settling
from streamhost.features.imports.taking import BEHIND_UPLOADS, Taking
from streamhost.features.imports.watching import Watch
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.jobs.worker import Handler
from streamhost.model.clock import HOUR, MINUTE, Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportFile, ImportFolder, ImportState, Wishes, shown
from streamhost.model.tasks import Job, ScanImports, TakeImport, Task

LOCK = "imports"
"""One file is taken in at a time: disks are not faster for two, and people's requests come first."""
SCAN_LOCK = "imports:scan"
DEFAULT_FOLDER = "import"
"""The one folder that is made if it is not there."""
FEW = 10
"""So many missing files may be deletions; more than that, and more than half of a folder, are a disk that is away."""

_logger = log.get("imports")


class Imports:
    """Searches folders, takes in what they hold, and tells how far that is."""

    def __init__(
        self,
        db: Database,
        queue: Queue,
        clock: Clock,
        settings: ImportSettings,
        data: Path,
        folders: Folders,
        scanner: Scanner,
        taking: Taking,
        remove: RemovesVideo,
        clear: Callable[[], None],
    ) -> None:
        """`remove` deletes a video, `clear` what an earlier run left on the way into storage."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._settings = settings
        self._data = data
        self._folders = folders
        self._scanner = scanner
        self._settling = Settling(db, clock, settings)
        self._taking = taking
        self._remove = remove
        self._clear = clear
        self._watch: Watch | None = None
        self.desk = ImportDesk(db, clock, settings, self.roots)

    @property
    def handlers(self) -> Mapping[type[Task], Handler]:
        """What the worker is to call for the jobs of this room."""
        return {ScanImports: self.scan_job, TakeImport: self.take_job}

    def roots(self) -> list[bytes]:
        """The folders that are watched, links resolved. Raises `FolderForbidden`."""
        return [folder.root for folder in self._folders.watched()]

    async def start(self) -> None:
        """Take up what an earlier run left, and begin to watch. Only while holding the instance's lock."""
        await asyncio.to_thread(self._clear)
        await self._release()
        if self._settings.enabled and DEFAULT_FOLDER in self._settings.folders:
            (self._data / DEFAULT_FOLDER).mkdir(exist_ok=True)
        tells = self._settings.watch == "auto"
        every = self._settings.rescan_minutes * MINUTE if tells else self._settings.poll_seconds
        step = min(1.0, max(0.1, self._settings.settle_seconds / 2))
        self._watch = Watch(self, self.roots(), tells=tells, search_every=every, step_every=step)
        self._watch.start()

    async def stop(self) -> None:
        """End watching."""
        if self._watch is not None:
            await self._watch.stop()
            self._watch = None

    async def search(self) -> bool:
        """Have all folders of the settings searched by a job, unless one waits already; False where none is watched."""
        if self._settings.enabled:
            async with self._db.write() as conn:
                await self._queue.add(conn, ScanImports(), lock=SCAN_LOCK, queueing_lock=SCAN_LOCK, subject=LOCK)
        return self._settings.enabled

    async def noticed(self, folders: Sequence[bytes]) -> None:
        """Search folders in which something has changed, and new ones in them."""
        roots = self.roots()
        waiting = list(folders)
        while waiting:
            here = waiting.pop()
            root = next((one for one in roots if here == one or here.startswith(one + b"/")), None)
            if root is not None:
                waiting += await self._scanner.scan_folder(root, here)

    async def step(self) -> bool:
        """Let files settle, and give the queue as many as may be made at once; whether there is more to do soon."""
        await self._settling.step()
        await self.fill()
        async with self._db.read() as conn:
            return await rows.busy(conn)

    async def fill(self) -> int:
        """Order the next files to be taken in; how many. Never more than may be in the making at the same time."""
        now = self._clock()
        async with self._db.read() as conn:
            free = self._settings.at_once - await rows.underway(conn)
            waiting = await rows.waiting(conn, now, max(0, free)) if free > 0 else []
            owing = await rows.owing(conn, now, self._settings.at_once)
        if not waiting and not owing:
            return 0
        async with self._db.write() as conn:
            for file in waiting:
                if await rows.get(conn, file.id) == file:
                    await rows.put(conn, replace(file, state=ImportState.TAKING, updated_at=now))
                    await self._order(conn, file.id)
            for file in owing:
                await self._order(conn, file.id)
        return len(waiting)

    async def _order(self, conn: Connection, file_id: ImportId) -> None:
        about = f"import:{file_id}"
        if not await self._queue.unfinished(conn, about):
            task = TakeImport(file_id)
            await self._queue.add(conn, task, priority=BEHIND_UPLOADS, lock=LOCK, queueing_lock=about, subject=about)

    async def scan_job(self, _task: ScanImports, job: JobContext) -> None:
        """Search every folder of the settings."""
        for root in self.roots():
            found = await self._scanner.scan(root, told=lambda files: job.report(0.5, f"{files} files"))
            await self.tidy_missing(found)

    async def take_job(self, task: TakeImport, job: JobContext) -> None:
        """Take in one file."""
        await self.take(task.file_id, job.report)
        await self.fill()

    async def take(self, file_id: ImportId, told: Told = lambda _share, _step: None) -> None:
        """Take in a file whose turn it is, and attach what lies beside it; nothing is left to do the second time."""
        await self._taking.take(file_id, told)

    async def gave_up(self, conn: Connection, job: Job, error: StreamhostError) -> None:
        """A file could not be taken in, or that was cancelled."""
        await self._taking.gave_up(conn, ImportId(job.payload["file_id"]), error)

    async def scan(self, folder: Path, wishes: Wishes, told: Callable[[int], None]) -> ImportFolder:
        """Search a folder now, whichever it is, with what is wished for its files. Raises `FolderForbidden`,
        `FolderMissing`."""
        root = self._scanner.root(folder)
        if not await asyncio.to_thread(os.path.isdir, root):
            raise FolderMissing(shown(root))
        return await self._scanner.scan(root, wishes, told)

    async def add(self, path: Path, wishes: Wishes) -> ImportFile:
        """Take up one file. Raises `ImportUnreadable`, `ImportOutside`, `FolderForbidden`."""
        return await self._scanner.scan_file(self._place(path), wishes)

    async def preview(self, path: Path) -> list[tuple[Entry, ImportFile | None]]:
        """Every media file of a folder, or one file, and what is known of it; nothing is changed.

        Raises what `scan` and `add` raise."""
        if await asyncio.to_thread(path.is_dir):
            return await self._scanner.preview(self._scanner.root(path))
        return [await self._scanner.preview_file(self._place(path))]

    def _place(self, path: Path) -> bytes:
        """A file's path, links on the way to its folder resolved."""
        return self._scanner.root(path.absolute().parent) + b"/" + os.fsencode(path.name)

    async def take_all(self, told: Callable[[ImportFile], None], only: Callable[[ImportFile], bool]) -> None:
        """Settle and take in files until none is left, without a server. Only while holding the instance's lock."""
        await asyncio.to_thread(self._clear)
        await self._release()
        while True:
            await self._settling.step()
            async with self._db.read() as conn:
                pending = await rows.of_state(conn, (ImportState.SETTLING, ImportState.WAITING))
            pending = [file for file in pending if only(file) and not (file.retry_at or 0) > self._clock()]
            if not pending:
                return
            ready = [file for file in pending if file.state is ImportState.WAITING]
            for file in ready:
                await self._take_now(file, lambda _share, _step: None)
                told(file)
            if not ready:
                await asyncio.sleep(min(1.0, max(0.05, self._settings.settle_seconds / 4)))

    async def _take_now(self, file: ImportFile, told: Told) -> None:
        async with self._db.write() as conn:
            await rows.put(conn, replace(file, state=ImportState.TAKING, updated_at=self._clock()))
        try:
            await self._taking.take(file.id, told)
        except StreamhostError as error:
            async with self._db.write() as conn:
                await self._taking.gave_up(conn, file.id, error)

    async def _release(self) -> None:
        """Files whose job is gone wait again: a command was killed while it took them in, for example."""
        async with self._db.write() as conn:
            for file in await rows.of_state(conn, (ImportState.TAKING,)):
                if not await self._queue.unfinished(conn, f"import:{file.id}"):
                    await rows.put(conn, replace(file, state=ImportState.WAITING, updated_at=self._clock()))

    async def tidy_missing(self, found: ImportFolder) -> None:
        """Delete the videos of files that have been gone for long, if the settings wish it.

        Where that many are gone that a disk may be away nothing is deleted."""
        if not found.files or self._settings.on_missing != "delete":
            return
        async with self._db.read() as conn:
            counts = await rows.counts(conn, found.root)
            gone = await rows.missing_before(conn, found.root, self._clock() - self._settings.missing_hours * HOUR)
        if counts.get(ImportState.MISSING, 0) > max(FEW, found.files):
            _logger.warning(
                "Many files are missing: nothing is deleted",
                action="imports_many_missing",
                folder=shown(found.root),
                missing=counts[ImportState.MISSING],
            )
            return
        for file in gone:
            async with self._db.write() as conn:
                if await rows.get(conn, file.id) == file:
                    await rows.delete(conn, file.id)
                    if file.video_id is not None and await videos.get(conn, file.video_id) is not None:
                        await self._remove(conn, file.video_id)
                    _logger.info("A file is gone, and its video with it", action="import_deleted", file=file.name)
