"""Backups in a bucket, each below its name."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from streamhost.features.backup import pieces
from streamhost.features.backup.errors import BackupDamaged, NoBackup
from streamhost.features.backup.manifest import FILE, LARGEST, NAME, Part
from streamhost.features.backup.places import Sink, Source, of_path
from streamhost.features.backup.sealing import Seal
from streamhost.model.clock import DAY
from streamhost.ports import NotStored, Storage
from streamhost.storage.abilities import PutsNew


class BucketShelf:
    """Backups in a bucket, below a prefix."""

    def __init__(self, storage: Storage, where: str) -> None:
        self.where = where
        self._storage = storage

    async def names(self) -> list[str]:
        """Those that have a manifest."""
        found = [one.key.split("/") async for one in self._storage.list() if one.key.endswith(f"/{FILE}")]
        return sorted(parts[0] for parts in found if len(parts) == 2 and NAME.fullmatch(parts[0]))

    def source(self, name: str) -> Source:
        """One of them."""
        return BucketSource(self._storage, name, f"{self.where.rstrip('/')}/{name}")

    async def sink(self, name: str, before: str | None) -> Sink:
        """A new one."""
        del before
        return BucketSink(self._storage, name)

    async def remove(self, name: str) -> None:
        """The manifest first: from then on it is no backup."""
        await self._storage.delete(f"{name}/{FILE}")
        await self._storage.delete_prefix(f"{name}/")

    async def tidy(self, now: float) -> None:
        """Remove what has no manifest and is older than a day."""
        whole = set(await self.names())
        newest: dict[str, float] = {}
        async for one in self._storage.list():
            name = one.key.split("/")[0]
            if NAME.fullmatch(name) and name not in whole:
                newest[name] = max(one.modified, newest.get(name, 0.0))
        for name, moment in newest.items():
            if moment < now - DAY:
                await self._storage.delete_prefix(f"{name}/")


class BucketSink:
    """Objects below the name of the backup."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name

    async def put(self, name: str, path: Path, seal: Seal | None, etag: str = "") -> Part:
        """Send it; what is sealed, or would not stay, by way of a file of its own."""
        key = f"{self._name}/{name}"
        if seal is None and isinstance(self._storage, PutsNew):
            part = await asyncio.to_thread(pieces.measured, name, path, etag)
            await self._storage.put_new(key, path)
            return part
        with tempfile.TemporaryDirectory() as work:
            copy = Path(work) / "part"
            counted = pieces.Counted(of_path(path, seal, name))
            await asyncio.to_thread(pieces.written, copy, counted)
            await self._storage.put_file(key, copy)
        return counted.part(name, etag)

    async def again(self, part: Part) -> bool:
        """Never: each backup in a bucket stands alone."""
        del part
        return False

    async def finish(self, manifest: bytes) -> None:
        """The manifest, last."""
        await self._storage.put_bytes(f"{self._name}/{FILE}", manifest)

    async def abandon(self) -> None:
        """Delete what was sent."""
        await self._storage.delete_prefix(f"{self._name}/")


class BucketSource:
    """A backup in a bucket."""

    def __init__(self, storage: Storage, name: str, where: str) -> None:
        self.where = where
        self._storage = storage
        self._name = name

    async def manifest(self) -> bytes:
        """The object."""
        try:
            return b"".join([piece async for piece in self._storage.read(f"{self._name}/{FILE}", 0, LARGEST)])
        except NotStored as error:
            raise NoBackup(f"{self.where} has no manifest.") from error

    @contextlib.asynccontextmanager
    async def opened(self, part: Part, work: Path) -> AsyncIterator[IO[bytes]]:
        """A copy in `work`, for as long as it is read."""
        key = f"{self._name}/{part.name}"
        try:
            copy = await self._storage.fetch(key, work)
        except NotStored as error:
            raise BackupDamaged(f"{part.name} is not there.") from error
        own = copy.is_relative_to(work)
        try:
            with copy.open("rb") as file:
                yield file
        finally:
            if own:
                copy.unlink(missing_ok=True)
