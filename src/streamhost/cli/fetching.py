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

from streamhost.cli.remote import NETWORK, Pauses, Remote, Unreachable
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
    """Bring what lies at an address here; `target` None: by the name that the server gives it. What has to be made
    first is waited for, as long as that takes.

    Raises `Refused`, `Unreachable` after two minutes without a new byte, or soon where none ever came, `FileExists`."""
    fetched = Fetched.begin(target or _name_of(remote, address))
    with fetched.writing() as file:
        _fill(file, remote, address, told)
    return fetched


def _name_of(remote: Remote, address: str) -> Path:
    """What the server calls it."""
    pauses = Pauses(remote)
    while True:
        try:
            with remote.stream(address, {"Range": "bytes=0-0"}) as answer:
                if answer.status != http.client.ACCEPTED:
                    return Path(_name(answer.headers.get("content-disposition", "")))
        except NETWORK as error:
            pauses.wait(remote.unreachable(error))
        else:
            pauses.moved()
            time.sleep(SOON)


def _fill(file: IO[bytes], remote: Remote, address: str, told: Callable[[int, int], None]) -> None:
    etag, pauses = "", Pauses(remote)
    while True:
        here, pause = file.tell(), 0.0
        failure = Unreachable(f"{remote.base}: nothing more came")
        try:
            headers = {"Range": f"bytes={here}-", "If-Range": etag} if here and etag else {}
            with remote.stream(address, headers) as answer:
                etag = answer.headers.get("etag", "")
                if answer.status == http.client.ACCEPTED:
                    # It is being made; that may take as long as it takes.
                    pauses.moved()
                    pause = SOON
                elif _took(file, answer, told):
                    return
        except NETWORK as error:
            failure = remote.unreachable(error)
        if file.tell() > here:
            pauses.moved()
        pauses.wait(failure, pause)


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
