"""Files as streams of pieces: hashed, sealed and opened on their way, whatever their size."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from streamhost.features.backup.errors import BackupDamaged
from streamhost.features.backup.manifest import Part
from streamhost.features.backup.sealing import Seal

PIECE = 1024**2
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


@dataclass(slots=True)
class Counted:
    """Passes pieces on, and knows afterwards how many bytes they had and their SHA-256."""

    pieces: Iterable[bytes]
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.size += len(piece)
            self.digest.update(piece)
            yield piece

    def part(self, name: str, etag: str = "") -> Part:
        """What has passed, as a part of that name."""
        return Part(name, self.size, self.digest.hexdigest(), etag)


def of_file(file: IO[bytes]) -> Iterator[bytes]:
    """What a file holds from here on."""
    while piece := file.read(PIECE):
        yield piece


def written(path: Path, pieces: Iterable[bytes]) -> None:
    """Write pieces into a new file, for its owner only and on disk when this returns."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def measured(name: str, path: Path, etag: str = "") -> Part:
    """A file as a part: read through once."""
    with path.open("rb") as file:
        counted = Counted(of_file(file))
        for _ in counted:
            pass
    return counted.part(name, etag)


def checked(part: Part, file: IO[bytes], seal: Seal | None) -> Iterator[bytes]:
    """The content of a part out of the file that it lies in. What has come must be used only once this has ended
    without `BackupDamaged`."""
    counted = Counted(of_file(file))
    yield from counted if seal is None else seal.open(part.name, counted)
    if (counted.size, counted.digest.hexdigest()) != (part.size, part.sha256):
        raise BackupDamaged(f"{part.name} has {counted.size} bytes that are not those of {part.size} written.")
