"""Backups side by side in a folder."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from streamhost.features.backup import pieces
from streamhost.features.backup.errors import BackupDamaged, BackupPlaceUnusable, NoBackup
from streamhost.features.backup.manifest import FILE, LARGEST, NAME, Part
from streamhost.features.backup.places import PARTIAL, Sink, Source, of_path
from streamhost.features.backup.sealing import Seal
from streamhost.model.clock import DAY
from streamhost.swapping import synced

_NO_LINK = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.EACCES)
"""What a file system says where a hard link cannot be; then the file is copied."""


class FolderShelf:
    """Backups side by side in a folder. What has not changed since the one before is a hard link to it, so that a
    backup of media every night takes the room of what is new."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    async def names(self) -> list[str]:
        """The backups, by name. Raises `BackupPlaceUnusable`."""
        return await asyncio.to_thread(self._names)

    def source(self, name: str) -> Source:
        """One of them."""
        return FolderSource(self._folder / name)

    async def sink(self, name: str, before: str | None) -> Sink:
        """A new one."""
        return FolderSink(self._folder, name, self._folder / before if before else None)

    async def remove(self, name: str) -> None:
        """Delete one: it is no backup any more from the first moment on."""
        gone = self._folder / f"{PARTIAL}{name}"
        await asyncio.to_thread(os.replace, self._folder / name, gone)
        await asyncio.to_thread(shutil.rmtree, gone)

    async def tidy(self, now: float) -> None:
        """Remove old leftovers."""
        await asyncio.to_thread(self._tidy, now)

    def _names(self) -> list[str]:
        try:
            found = list(self._folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise BackupPlaceUnusable(f"{self._folder}: {error.strerror}.") from error
        return sorted(p.name for p in found if NAME.fullmatch(p.name) and (p / FILE).is_file())

    def _tidy(self, now: float) -> None:
        for path in self._folder.glob(f"{PARTIAL}*"):
            if path.stat().st_mtime < now - DAY:
                shutil.rmtree(path, ignore_errors=True)


class FolderSink:
    """A folder that gets its name at the end."""

    def __init__(self, folder: Path, name: str, before: Path | None) -> None:
        self._target = folder / name
        self._partial = folder / f"{PARTIAL}{name}"
        self._before = before
        folder.mkdir(mode=pieces.PRIVATE_FOLDER, parents=True, exist_ok=True)
        self._partial.mkdir(mode=pieces.PRIVATE_FOLDER)

    async def put(self, name: str, path: Path, seal: Seal | None, etag: str = "") -> Part:
        """Link it, where that is allowed and possible, else copy it."""
        return await asyncio.to_thread(self._put, name, path, seal, etag)

    async def again(self, part: Part) -> bool:
        """A second link to the part of the backup before."""
        return await asyncio.to_thread(self._again, part)

    async def finish(self, manifest: bytes) -> None:
        """Sync everything, then rename."""
        await asyncio.to_thread(self._finish, manifest)

    async def abandon(self) -> None:
        """Remove what was written."""
        await asyncio.to_thread(shutil.rmtree, self._partial, ignore_errors=True)

    def _put(self, name: str, path: Path, seal: Seal | None, etag: str) -> Part:
        target = self._partial / name
        if seal is None and etag and self._linked(path, target):
            return pieces.measured(name, target, etag)
        counted = pieces.Counted(of_path(path, seal, name))
        pieces.written(target, counted)
        return counted.part(name, etag)

    def _again(self, part: Part) -> bool:
        if self._before is None:
            return False
        old = self._before / part.name
        with contextlib.suppress(OSError):
            return old.stat().st_size == part.size and self._linked(old, self._partial / part.name)
        return False

    @staticmethod
    def _linked(path: Path, target: Path) -> bool:
        target.parent.mkdir(mode=pieces.PRIVATE_FOLDER, parents=True, exist_ok=True)
        try:
            os.link(path, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            return False
        return True

    def _finish(self, manifest: bytes) -> None:
        pieces.written(self._partial / FILE, [manifest])
        for folder, _, _ in os.walk(self._partial):
            synced(Path(folder))
        self._partial.rename(self._target)
        synced(self._target.parent)


class FolderSource:
    """A backup in a folder."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    async def manifest(self) -> bytes:
        """The file."""
        try:
            with (self._folder / FILE).open("rb") as file:
                return file.read(LARGEST)
        except OSError as error:
            raise NoBackup(f"{self._folder / FILE}: {error.strerror}.") from error

    @contextlib.asynccontextmanager
    async def opened(self, part: Part, work: Path) -> AsyncIterator[IO[bytes]]:
        """The file itself."""
        del work
        try:
            file = (self._folder / part.name).open("rb")
        except OSError as error:
            raise BackupDamaged(f"{part.name}: {error.strerror}.") from error
        with file:
            yield file
