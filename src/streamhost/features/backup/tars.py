"""A backup as one file, which tar(1) opens too."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tarfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import IO, Any

from streamhost.features.backup import pieces
from streamhost.features.backup.errors import BackupDamaged, NoBackup
from streamhost.features.backup.manifest import FILE, LARGEST, Part
from streamhost.features.backup.places import PARTIAL, Sink, Source, of_path
from streamhost.features.backup.sealing import Seal, sealed_size
from streamhost.swapping import synced


class TarShelf:
    """One backup as one file, which tar(1) opens too. The manifest is its last member."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path

    async def names(self) -> list[str]:
        """The file, if it is there."""
        return [self._path.name] if self._path.is_file() else []

    def source(self, name: str) -> Source:
        """The file."""
        del name
        return TarSource(self._path)

    async def sink(self, name: str, before: str | None) -> Sink:
        """The file to be."""
        del before
        return TarSink(self._path, name)

    async def remove(self, name: str) -> None:
        """Delete the file."""
        del name
        self._path.unlink()

    async def tidy(self, now: float) -> None:
        """Nothing is left by others."""


class _Reading(io.RawIOBase):
    """Pieces as a file that can be read."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = iter(stream)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        view = memoryview(into)
        while not self._rest:
            piece = next(self._stream, None)
            if piece is None:
                return 0
            self._rest = piece
        number = min(len(view), len(self._rest))
        view[:number], self._rest = self._rest[:number], self._rest[number:]
        return number


class TarSink:
    """A tar file that gets its name at the end."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._partial = path.with_name(f"{PARTIAL}{path.name}.{os.getpid()}")
        path.parent.mkdir(mode=pieces.PRIVATE_FOLDER, parents=True, exist_ok=True)
        handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, pieces.PRIVATE_FILE)
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # until the end

    async def put(self, name: str, path: Path, seal: Seal | None, etag: str = "") -> Part:
        """Append it."""
        return await asyncio.to_thread(self._put, name, path, seal, etag)

    async def again(self, part: Part) -> bool:
        """Never: the file stands alone."""
        del part
        return False

    async def finish(self, manifest: bytes) -> None:
        """Append the manifest, sync, rename."""
        await asyncio.to_thread(self._finish, manifest)

    async def abandon(self) -> None:
        """Remove the file."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _put(self, name: str, path: Path, seal: Seal | None, etag: str) -> Part:
        size = path.stat().st_size
        counted = pieces.Counted(of_path(path, seal, name))
        self._append(name, sealed_size(size) if seal else size, counted)
        return counted.part(name, etag)

    def _append(self, name: str, size: int, stream: Iterable[bytes]) -> None:
        about = tarfile.TarInfo(f"{self._name}/{name}")
        about.size, about.mode, about.mtime = size, pieces.PRIVATE_FILE, int(time.time())
        self._tar.addfile(about, io.BufferedReader(_Reading(stream), pieces.PIECE))

    def _finish(self, manifest: bytes) -> None:
        self._append(FILE, len(manifest), [manifest])
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.rename(self._path)
        synced(self._path.parent)


class TarSource:
    """A backup in a tar file. Nothing is unpacked to names that stand in it."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}

    async def manifest(self) -> bytes:
        """Its last member."""
        return await asyncio.to_thread(self._manifest)

    @contextlib.asynccontextmanager
    async def opened(self, part: Part, work: Path) -> AsyncIterator[IO[bytes]]:
        """A member."""
        del work
        if part.name not in self._members:
            raise BackupDamaged(f"{part.name} is not in the file.")
        with tarfile.open(self._path) as tar:
            found = tar.extractfile(self._members[part.name])
            assert found is not None, "regular files were looked for"
            yield found

    def _manifest(self) -> bytes:
        try:
            with tarfile.open(self._path) as tar:
                self._members = {one.name.partition("/")[2]: one for one in tar if one.isreg()}
                found = tar.extractfile(self._members[FILE])
                assert found is not None, "regular files were looked for"
                return found.read(LARGEST)
        except (OSError, tarfile.TarError, KeyError) as error:
            raise NoBackup(f"{self._path}: it is no backup, or was not finished.") from error
