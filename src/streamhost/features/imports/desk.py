"""What people see of imports, and the levers: how folders stand, what has become of each file, once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from streamhost.config import ImportSettings
from streamhost.db import imports as rows
from streamhost.db import videos
from streamhost.db.core import Connection, Database
from streamhost.features.imports.errors import NoSuchImport, NotRetriable
from streamhost.model.clock import Clock
from streamhost.model.cursors import by_time, encoded, one_more
from streamhost.model.ids import ImportId, is_id
from streamhost.model.imports import ImportFile, ImportFolder, ImportState

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Item:
    """A file, its video if that is still there, and why it waits if it does."""

    file: ImportFile
    video: rows.VideoFacts | None = None
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One page of files, those first of which there is news; and where the next one starts."""

    items: Sequence[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder, how its newest search went, its files by state. `watched`: it stands in the settings."""

    scan: ImportFolder
    counts: Mapping[ImportState, int]
    watched: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How imports stand."""

    enabled: bool
    folders: Sequence[FolderStatus]
    counts: Mapping[ImportState, int]


class ImportDesk:
    """Lists files and folders of imports, and lets files be tried again or forgotten."""

    def __init__(
        self, db: Database, clock: Clock, settings: ImportSettings, roots: Callable[[], Sequence[bytes]]
    ) -> None:
        """`roots` are the folders that are watched."""
        self._db = db
        self._clock = clock
        self._settings = settings
        self._roots = roots

    async def status(self) -> Status:
        """How imports stand."""
        watched = set(self._roots())
        async with self._db.read() as conn:
            found = {scan.root: scan for scan in await rows.scans(conn)}
            for root in watched - set(found):
                found[root] = ImportFolder(root, 0.0)
            folders = [
                FolderStatus(scan, await rows.counts(conn, root), root in watched) for root, scan in found.items()
            ]
            counts = await rows.counts(conn)
        folders.sort(key=lambda one: (not one.watched, one.scan.root))
        return Status(self._settings.enabled, folders, counts)

    async def listed(
        self, state: ImportState | None = None, root: bytes | None = None, cursor: str | None = None, limit: int = 50
    ) -> ImportPage:
        """Files in a state, or all, newest news first."""
        rows_asked = one_more(limit, MAX_PAGE)
        async with self._db.read() as conn:
            found = await rows.listed(conn, state, root, by_time(cursor, ImportId), rows_asked)
            items = await self._items(conn, found[:limit])
        last = found[limit - 1] if len(found) > limit else None
        return ImportPage(items, encoded([last.updated_at, last.id]) if last else None)

    async def items(self, ids: Sequence[ImportId]) -> list[Item]:
        """Some files; those that are no longer known are left out."""
        async with self._db.read() as conn:
            found = [file for one in ids if (file := await rows.get(conn, one))]
            return await self._items(conn, found)

    async def below(self, root: bytes) -> list[ImportId]:
        """Every file that is known of a searched folder."""
        async with self._db.read() as conn:
            return await rows.below(conn, root)

    async def retry(self, file_id: ImportId) -> Item:
        """Take a file in again: one that failed, waits or is a duplicate, or whose video was deleted.

        Raises `NoSuchImport`, `NotRetriable`."""
        async with self._db.write() as conn:
            file = await rows.get(conn, file_id) if is_id(file_id) else None
            if file is None:
                raise NoSuchImport
            again = await self._again(conn, file)
            if again is None:
                raise NotRetriable(f"It is {file.state.value}.")
            await rows.put(conn, again)
            items = await self._items(conn, [again])
        return items[0]

    async def retry_all(self) -> int:
        """Take in again every file that failed, and look at once at those that wait for a cause; how many."""
        count = 0
        async with self._db.write() as conn:
            for file in await rows.of_state(conn, (ImportState.FAILED, ImportState.WAITING)):
                if file.error is not None and (again := await self._again(conn, file)) is not None:
                    await rows.put(conn, again)
                    count += 1
        return count

    async def forget(self, file_id: ImportId) -> None:
        """Know no more of a file; one that is still in a watched folder is met as a new one. Raises `NoSuchImport`."""
        async with self._db.write() as conn:
            if not is_id(file_id) or not await rows.delete(conn, file_id):
                raise NoSuchImport

    async def _again(self, conn: Connection, file: ImportFile) -> ImportFile | None:
        """The row of a file that is to be taken in again; None where there is nothing to be tried."""
        now = self._clock()
        if file.state in (ImportState.FAILED, ImportState.WAITING):
            return replace(file, state=ImportState.WAITING, error=None, retry_at=None, updated_at=now)
        there = file.video_id is not None and await videos.get(conn, file.video_id) is not None
        if file.path is None or (file.state is not ImportState.DUPLICATE and there):
            return None
        if file.state not in (ImportState.IMPORTED, ImportState.DUPLICATE):
            return None
        sidecars = tuple(replace(one, done=None, caption_id=None, error=None) for one in file.sidecars)
        return replace(
            file,
            state=ImportState.WAITING,
            video_id=None,
            imported_at=None,
            policy=None,
            sha256=None,
            fingerprint=None,
            error=None,
            retry_at=None,
            sidecars=sidecars,
            updated_at=now,
        )

    async def _items(self, conn: Connection, files: Sequence[ImportFile]) -> list[Item]:
        known = await rows.videos_of(conn, files)
        full = await rows.underway(conn) >= self._settings.at_once
        return [Item(file, known.get(file.video_id) if file.video_id else None, _why(file, full)) for file in files]


def _why(file: ImportFile, full: bool) -> str | None:
    """Why a file waits, in a sentence."""
    if file.state is ImportState.SETTLING:
        return "It may still be being written."
    if file.state is not ImportState.WAITING:
        return None
    if file.error is not None:
        return file.error.detail
    return "Others are being made first." if full else "It is about to be taken in."
