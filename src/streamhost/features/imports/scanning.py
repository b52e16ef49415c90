"""Searches folders for what is new, changed or gone. An unchanged file costs one question to the file system.

Folders are looked at one by one: no more is held in memory than the largest of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from streamhost import log
from streamhost.db import imports as rows
from streamhost.db.core import Connection, Database
from streamhost.features.imports import comparing
from streamhost.features.imports.comparing import Change, Changes
from streamhost.features.imports.errors import FolderEmptied, FolderForbidden, FolderMissing, ImportUnreadable
from streamhost.features.imports.listing import Entry, Listing, listing, look
from streamhost.model.clock import Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import ImportId, new_id
from streamhost.model.imports import ImportFile, ImportFolder, ImportState, Wishes, shown

BATCH = 200
"""Rows in one transaction: some milliseconds of the one writer."""
TELL_EVERY = 50
"""Folders between two words on how far a search is."""

_logger = log.get("imports")


class Scanner:
    """Compares folders with the catalog and writes down the difference. Every search may run again at any time."""

    def __init__(self, db: Database, clock: Clock, data: Path, own: Sequence[Path]) -> None:
        """`data` is the data directory, `own` the folders in it that are no one's import folder."""
        self._db = db
        self._clock = clock
        self._data = os.fsencode(os.path.realpath(data))
        self._own = [os.fsencode(os.path.realpath(folder)) for folder in own]

    def root(self, folder: Path) -> bytes:
        """A folder as it is searched, links resolved. Raises `FolderForbidden`."""
        real = os.fsencode(os.path.realpath(folder))
        if real == self._data or self._is_own(real):
            raise FolderForbidden(f"{shown(real)} cannot be an import folder.")
        return real

    async def scan(
        self, root: bytes, wishes: Wishes | None = None, told: Callable[[int], None] = lambda _files: None
    ) -> ImportFolder:
        """Search a folder and all below; how it went. `told` hears how many files were met."""
        found = ImportFolder(root, self._clock())
        async with self._db.write() as conn:
            await rows.put_scan(conn, found)
        seen: set[bytes] = set()
        shut: list[bytes] = []
        waiting = [root]
        error: StreamhostError | None = None
        while waiting:
            here = await asyncio.to_thread(listing, waiting.pop(), self._is_data)
            if here.gone:
                error = FolderMissing(shown(root)) if here.folder == root else error
                continue
            if here.error is not None:
                shut.append(here.folder)
                error = here.error if here.folder == root else error
            seen.add(here.folder)
            waiting += reversed(here.folders)
            news = await self._apply(root, here, wishes)
            found = replace(found, files=found.files + len(here.entries), news=found.news + news)
            if len(seen) % TELL_EVERY == 0:
                told(found.files)
        told(found.files)
        if error is None:
            await self._forget_folders(root, seen, shut)
            error = await self._emptied(found)
        failure = comparing.failure(error) if error else None
        found = replace(found, ended_at=self._clock(), error=failure)
        async with self._db.write() as conn:
            await rows.put_scan(conn, found)
        _logger.info(
            "A folder was searched",
            action="imports_scanned",
            folder=shown(root),
            files=found.files,
            news=found.news,
            seconds=round(self._clock() - found.begun_at, 3),
        )
        return found

    async def scan_folder(self, root: bytes, folder: bytes) -> list[bytes]:
        """Search one folder alone, because something in it has changed; the folders in it that hold nothing known."""
        if self._is_own(folder) or (_within(folder, self._data) and not _within(root, self._data)):
            return []
        here = await asyncio.to_thread(listing, folder, self._is_data)
        await self._apply(root, here, None)
        async with self._db.read() as conn:
            return [one for one in here.folders if not await rows.folders_below(conn, one)]

    async def scan_file(self, path: bytes, wishes: Wishes) -> ImportFile:
        """Take up one file, whatever its ending. Raises `ImportUnreadable`, `ImportOutside`."""
        entry = await self._entry(path)
        folder = path.rpartition(b"/")[0]
        now = self._clock()
        async with self._db.write() as conn:
            row = await rows.at(conn, path)
            if row is None:
                row = comparing.first_seen(entry, folder, ImportId(new_id()), now, wishes)
                await rows.put(conn, row)
            else:
                changes = comparing.compare([entry], [row], now, wishes)
                for change in changes.put:
                    row = change.after
                    await rows.put(conn, row)
                if changes.fresh:
                    row = comparing.first_seen(entry, folder, ImportId(new_id()), now, wishes)
                    await rows.put(conn, row)
        return row

    async def _entry(self, path: bytes) -> Entry:
        """A file, whatever its ending, with what lies beside it if it has one of a film's."""
        mark = await asyncio.to_thread(look, path)
        if mark is None:
            raise ImportUnreadable("It is no file.")
        beside = await asyncio.to_thread(listing, path.rpartition(b"/")[0] or b"/")
        return next((one for one in beside.entries if one.path == path), Entry(path, mark))

    async def preview_file(self, path: bytes) -> tuple[Entry, ImportFile | None]:
        """One file with what is known of it. Raises `ImportUnreadable`, `ImportOutside`."""
        entry = await self._entry(path)
        async with self._db.read() as conn:
            return entry, await rows.at(conn, path)

    async def preview(self, root: bytes) -> list[tuple[Entry, ImportFile | None]]:
        """Every media file at and below a folder with what is known of it; nothing is written down."""
        found: list[tuple[Entry, ImportFile | None]] = []
        waiting = [root]
        while waiting:
            here = await asyncio.to_thread(listing, waiting.pop(), self._is_data)
            if here.error is not None:
                found.append((Entry(here.folder + b"/", comparing.NO_MARK, error=here.error), None))
            waiting += reversed(here.folders)
            async with self._db.read() as conn:
                known = {row.path: row for row in await rows.in_folder(conn, here.folder)}
            found += [(entry, known.get(entry.path)) for entry in here.entries]
        return found

    def _is_own(self, folder: bytes) -> bool:
        """Whether a folder of the data directory, or one below, is not for people."""
        return any(_within(folder, own) for own in self._own)

    def _is_data(self, folder: bytes) -> bool:
        return folder == self._data

    async def _apply(self, root: bytes, here: Listing, wishes: Wishes | None) -> int:
        """Write down what has changed in one folder; how many files are new or changed."""
        async with self._db.read() as conn:
            known = await rows.in_folder(conn, here.folder)
        entries: Sequence[Entry] = here.entries
        if here.error is not None:
            # What is in it cannot be seen, which does not mean that it is gone.
            entries = [Entry(here.folder + b"/", comparing.NO_MARK, error=here.error)]
            known = [row for row in known if row.path == here.folder + b"/"]
        now = self._clock()
        changes = comparing.compare(entries, known, now, wishes)
        if not changes:
            return 0
        pairs, fresh = await self._renamed(changes)
        await self._write(changes, pairs, root, now)
        for start in range(0, len(fresh), BATCH):
            await self._write_fresh(fresh[start : start + BATCH], root, now, wishes)
        return len(fresh) + len(pairs) + len(changes.put)

    async def _renamed(self, changes: Changes) -> tuple[list[tuple[ImportFile, Entry]], list[Entry]]:
        if not changes.fresh:
            return [], []
        async with self._db.read() as conn:
            known = await rows.by_identity(conn, sorted({entry.mark.identity for entry in changes.fresh}))
        return await asyncio.to_thread(comparing.renamed, changes.fresh, known, _is_gone)

    async def _write(
        self, changes: Changes, pairs: Sequence[tuple[ImportFile, Entry]], root: bytes, now: float
    ) -> None:
        renamed = {row.id: row for row, _ in pairs}
        todo = [change for change in changes.put if change.before.id not in renamed]
        todo += [Change(row, comparing.moved(row, entry, root, now)) for row, entry in pairs]
        for start in range(0, len(todo), BATCH):
            async with self._db.write() as conn:
                for before, after in todo[start : start + BATCH]:
                    if await _untouched(conn, before):
                        await rows.put(conn, after)
        async with self._db.write() as conn:
            for row in changes.forget:
                if row.id not in renamed and await _untouched(conn, row):
                    await rows.delete(conn, row.id)

    async def _write_fresh(self, fresh: Sequence[Entry], root: bytes, now: float, wishes: Wishes | None) -> None:
        async with self._db.write() as conn:
            # Another process may have searched the same folder meanwhile.
            known = await rows.known_paths(conn, [entry.path for entry in fresh])
            for entry in fresh:
                if entry.path not in known:
                    await rows.put(conn, comparing.first_seen(entry, root, ImportId(new_id()), now, wishes))

    async def _forget_folders(self, root: bytes, seen: set[bytes], shut: Sequence[bytes]) -> None:
        """What lay in folders that are gone is gone; what lies below a folder that cannot be read is not."""
        async with self._db.read() as conn:
            known = await rows.folders_below(conn, root)
        for folder in known - seen:
            if not any(_within(folder, one) for one in shut):
                await self._apply(root, Listing(folder), None)

    async def _emptied(self, found: ImportFolder) -> StreamhostError | None:
        """An error where everything that was kept in a folder is gone at once."""
        async with self._db.read() as conn:
            counts = await rows.counts(conn, found.root)
        if found.files or not counts.get(ImportState.MISSING):
            return None
        return FolderEmptied(f"{counts[ImportState.MISSING]} files are missing.")


async def _untouched(conn: Connection, before: ImportFile) -> bool:
    """Whether a row is still as it was when it was compared."""
    now = await rows.get(conn, before.id)
    return now is not None and (now.state, now.updated_at) == (before.state, before.updated_at)


def _is_gone(row: ImportFile) -> bool:
    """Whether the file of a row is no more where it was."""
    try:
        mark = look(row.path) if row.path is not None else None
    except StreamhostError:
        return False
    return mark is None or not mark.same(row.mark)


def _within(path: bytes, folder: bytes) -> bool:
    """Whether a path is a folder, or lies below it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")
