"""Files from a server: written beside their name first, and gone on with where a broken connection ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from streamhost.cli.remote import LONGEST_PAUSE, PATIENCE, Remote, Unreachable
from streamhost.model.errors import StreamhostError

PIECE = 256 * 1024
SOON = 2.0


class FileExists(StreamhostError):
    """There is a file of that name already."""

    code = "file_exists"
    hint = "Name another one, or remove it."
    permanent = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was brought here."""

    path: Path

    @classmethod
    def begin(cls, path: Path) -> Fetched:
        """For a name that is free. Raises `FileExists`."""
        if path.exists():
            raise FileExists(str(path))
        return cls(path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        """The file while it is not whole; it gets its name when the block ends well, else nothing is left."""
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)


def fetch(remote: Remote, address: str, target: Path | None, told: Callable[[int, int], None]) -> Fetched:
    """Bring what lies at an address here; `target` None: by the name that the server gives it.

    Raises `Refused`, `Unreachable` after two minutes without a new byte, `FileExists`."""
    name = target
    while name is None:
        try:
            with remote.stream(address, {"Range": "bytes=0-0"}) as answer:
                if answer.status != http.client.ACCEPTED:
                    name = Path(_name(answer.headers.get("content-disposition", "")))
                    break
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{remote.base}: {str(error) or type(error).__name__}") from error
        time.sleep(SOON)
    fetched = Fetched.begin(name)
    with fetched.writing() as file:
        _fill(file, remote, address, told)
    return fetched


def _fill(file: IO[bytes], remote: Remote, address: str, told: Callable[[int, int], None]) -> None:
    etag, moved, pause = "", time.monotonic(), 0.5
    while True:
        here = file.tell()
        try:
            headers = {"Range": f"bytes={here}-", "If-Range": etag} if here else {}
            with remote.stream(address, headers) as answer:
                if answer.status == http.client.ACCEPTED:
                    # It is being made; that may take as long as it takes.
                    moved = time.monotonic()
                elif _took(file, answer, told):
                    return
                etag = answer.headers.get("etag", "")
            failure: Exception | None = None
        except (OSError, http.client.HTTPException) as error:
            failure = error
        if file.tell() > here:
            moved, pause = time.monotonic(), 0.5
        if time.monotonic() - moved > PATIENCE:
            raise Unreachable(f"{remote.base}: {failure or 'nothing more came'}")
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _took(file: IO[bytes], answer: http.client.HTTPResponse, told: Callable[[int, int], None]) -> bool:
    """Write an answer down; whether the file is whole now."""
    if answer.status != http.client.PARTIAL_CONTENT:
        # Another one than was begun: from the start.
        file.seek(0)
        file.truncate()
    whole = file.tell() + int(answer.headers["content-length"])
    while piece := answer.read(PIECE):
        file.write(piece)
        told(file.tell(), whole)
    return file.tell() == whole


def _name(disposition: str) -> str:
    """The name in `Content-Disposition` (RFC 6266), without anything that leads elsewhere."""
    found = re.search(r"filename\*=UTF-8''([^;]+)", disposition)
    return Path(unquote(found[1])).name.lstrip(".") or "video" if found else "video"
