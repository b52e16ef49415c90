"""Brings the content of a file into storage, by its policy; killed anywhere, it is begun again and ends the same."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from streamhost.db import uploads
from streamhost.db.core import Database
from streamhost.features.imports import contents
from streamhost.features.imports.errors import ImportNoRoom, ImportNotRemoved
from streamhost.features.imports.neighbours import Told
from streamhost.model.clock import Clock
from streamhost.model.imports import ImportFile, Policy
from streamhost.ports import NotStored, Storage


class Bringing:
    """The ways into storage. What waits on the way lies in a folder of its own, on the storage's file system."""

    def __init__(self, db: Database, storage: Storage, clock: Clock, folder: Path, keep_free: int) -> None:
        self._db = db
        self._storage = storage
        self._clock = clock
        self._folder = folder
        self._keep_free = keep_free

    def clear(self) -> None:
        """Make the folder, and remove what an earlier run left in it. Blocks; before any file is brought."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def stored(self, file: ImportFile) -> bool:
        """Whether all of the file is in its place already."""
        if file.staged_key is None or file.sha256 is None:
            return False
        try:
            return (await self._storage.stat(file.staged_key)).size == file.mark.size
        except NotStored:
            return False

    async def digest(self, file: ImportFile, told: Told) -> str:
        """The SHA-256 of the file where it lies."""
        return await self._read(file, None, told)

    async def prepared(self, file: ImportFile, policy: Policy, told: Told) -> tuple[Path, str]:
        """A local file with the content, ready to be taken over by the storage, and its SHA-256.

        For what is moved that is the file itself, where it can be renamed. Raises `ImportNoRoom`, `ImportNotLinked`,
        `ImportNotRemoved`, `ImportChanged`, `ImportUnreadable`."""
        assert file.path is not None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._folder / file.id
        if policy is Policy.MOVE and not await asyncio.to_thread(os.access, file.folder, os.W_OK | os.X_OK):
            raise ImportNotRemoved
        if policy is Policy.LINK:
            await asyncio.to_thread(contents.linked, file.path, file.mark, target)
            return target, await self._read(file, None, told)
        if policy is Policy.MOVE and await asyncio.to_thread(contents.same_file_system, file.path, self._folder):
            return Path(os.fsdecode(file.path)), await self._read(file, None, told)
        return target, await self._read(file, target, told)

    async def put(self, key: str, prepared: Path) -> None:
        """Let the storage take over what was prepared."""
        await self._storage.put_file(key, prepared)

    async def drop(self, file: ImportFile) -> None:
        """Remove what was put aside for a file."""
        await asyncio.to_thread((self._folder / file.id).unlink, missing_ok=True)

    async def _read(self, file: ImportFile, target: Path | None, told: Told) -> str:
        assert file.path is not None
        reading = await asyncio.to_thread(contents.Reading, file.path, file.mark, target)
        try:
            if target is not None and not await asyncio.to_thread(reading.clone):
                await self._check_room(file.mark.size)
            while not await asyncio.to_thread(reading.step):
                told(reading.done / max(1, file.mark.size), "take")
            return reading.finish()
        finally:
            reading.close()

    async def _check_room(self, size: int) -> None:
        """Raise `ImportNoRoom` unless so many bytes fit beside what uploads were promised."""
        usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
        async with self._db.read() as conn:
            free = usage.free - self._keep_free - await uploads.reserved(conn, self._clock())
        if size > free:
            raise ImportNoRoom(f"It needs {size} bytes; {max(free, 0)} are to be had.")
