"""Where backups are put, whatever it is: a folder of backups, one .tar file, or a bucket.

A backup appears whole or not at all: in a folder and as a file by a rename at the end, in a bucket by its manifest,
which comes last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from streamhost.features.backup import pieces
from streamhost.features.backup.manifest import Part
from streamhost.features.backup.sealing import Seal

PARTIAL = ".partial-"
"""What the name of something unfinished begins with."""


class Sink(Protocol):
    """Takes the parts of one backup that is being made."""

    async def put(self, name: str, path: Path, seal: Seal | None, etag: str = "") -> Part:
        """Store a file that changes no more; it stays where it is. With an `etag` it may be stored as a hard link."""
        ...

    async def again(self, part: Part) -> bool:
        """Take a part over from the backup before, if that can be done without copying."""
        ...

    async def finish(self, manifest: bytes) -> None:
        """Make the backup one."""
        ...

    async def abandon(self) -> None:
        """Leave nothing behind."""
        ...


class Source(Protocol):
    """One backup that is there."""

    where: str
    """What people call it."""

    async def manifest(self) -> bytes:
        """Its manifest. Raises `NoBackup`."""
        ...

    def opened(self, part: Part, work: Path) -> contextlib.AbstractAsyncContextManager[IO[bytes]]:
        """A part, to be read once; what has to be fetched is put into `work`. Raises `BackupDamaged` for one that is
        not there."""
        ...


class Shelf(Protocol):
    """A place with any number of backups."""

    where: str

    async def names(self) -> list[str]:
        """The backups that are whole, the oldest first."""
        ...

    def source(self, name: str) -> Source:
        """One of them."""
        ...

    async def sink(self, name: str, before: str | None) -> Sink:
        """A new one; `before`: the one whose parts it may share."""
        ...

    async def remove(self, name: str) -> None:
        """Delete one."""
        ...

    async def tidy(self, now: float) -> None:
        """Remove what backups that were killed have left more than a day before `now`."""
        ...


def of_path(path: Path, seal: Seal | None, name: str) -> Iterator[bytes]:
    """What is stored of a file: itself, or its sealed form."""
    with path.open("rb") as file:
        yield from pieces.of_file(file) if seal is None else seal.shut(name, pieces.of_file(file))
