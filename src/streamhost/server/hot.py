"""Files on local disk as the delivery path knows them, and the contents of those that many ask for.

A file asked for a second time is kept in memory (within bounds) until nobody has wanted it for a minute. It is still
looked at on disk for every request, so nothing outdated is ever sent and a file that was deleted is gone at once.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate

from streamhost.server.door import Headers

KNOWN_FILES = 4096
"""Files whose answer is kept ready (about 4 MB when full)."""
HOT_BYTES = 96 * 1024**2
"""Most memory for contents; a minute of four renditions of a film that everybody watches."""
HOT_FILE_BYTES = 512 * 1024
"""Larger files are not kept. Measured in one run: at 256 KiB memory answers a quarter more than reading anew; at 1 MiB
pathsend answers a little more than memory, and twice as much where 512 files are asked for."""
PIECE = 256 * 1024
"""Bytes sent at a time. For 1 MiB it takes the server 190 instead of 220 microseconds of processor time."""
COOL_SECONDS = 60.0
"""A content that nobody has wanted for so long is let go."""

Version = tuple[int, int, int]
"""Inode, size and time of change in nanoseconds."""
Kind = tuple[bytes, bytes]
"""Media type and cache rule."""
Content = tuple[bytes, ...]
"""A file's bytes in pieces of `PIECE`: the server copies each, and a small copy stays in the processor's cache."""


@dataclass(slots=True)
class KnownFile:
    """A file that was asked for before, and the head of the answer for one version of it."""

    path: str
    kind: Kind
    shared: Headers
    version: Version = (-1, -1, -1)
    etag: bytes = b""
    modified: int = 0
    headers: Headers | None = None
    asked: int = 0
    """Requests for this version, halved every minute while its content is kept."""
    content: Content | None = None
    kept: int = 0
    """Bytes that this file counts in the bounds; also while `content` is outdated and dropped."""
    wanted_at: float = 0.0

    def look(self, facts: os.stat_result) -> Headers:
        """The headers of the whole file as it is now; everything kept of another version is dropped."""
        version = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        if self.headers is None or self.version != version:
            self.version = version
            self.asked = 0
            self.content = None
            self.etag = b'"%x-%x-%x"' % (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            self.modified = facts.st_mtime_ns // 1_000_000_000
            self.headers = file_headers(self.kind, facts.st_size, self.etag, self.modified, self.shared)
        self.asked += 1
        return self.headers


def file_headers(kind: Kind, size: int, etag: bytes, modified: int, shared: Headers) -> Headers:
    """The headers of a whole file of `size` bytes, changed `modified` seconds after 1970."""
    return [
        (b"content-type", kind[0]),
        (b"content-length", b"%d" % size),
        (b"etag", etag),
        (b"last-modified", formatdate(modified, usegmt=True).encode()),
        (b"cache-control", kind[1]),
        (b"accept-ranges", b"bytes"),
        *shared,
    ]


class KnownFiles:
    """The files that were asked for lately, by storage key."""

    def __init__(self, hot_bytes: int = HOT_BYTES) -> None:
        self._files: OrderedDict[str, KnownFile] = OrderedDict()
        self._hot: OrderedDict[str, KnownFile] = OrderedDict()
        self._limit = hot_bytes
        self._bytes = 0
        self._sweeper: asyncio.TimerHandle | None = None

    def get(self, key: str) -> KnownFile | None:
        """The file if it is known."""
        return self._files.get(key)

    def add(self, key: str, file: KnownFile) -> KnownFile:
        """Remember a file; the oldest of too many is forgotten."""
        self._files[key] = file
        if len(self._files) > KNOWN_FILES:
            self.forget(next(iter(self._files)))
        return file

    def forget(self, key: str) -> None:
        """Drop a file and its content."""
        self._files.pop(key, None)
        self._cool(key)

    def wanted(self, key: str, file: KnownFile) -> Content | None:
        """The content if it is kept."""
        if file.content is None or self._hot.get(key) is not file:
            return None
        file.wanted_at = asyncio.get_running_loop().time()
        self._hot.move_to_end(key)
        return file.content

    def worth_keeping(self, file: KnownFile) -> bool:
        """Whether to keep the content: asked for again, not too large, and more wanted than what it would push out.

        Without the last, a round of more files than there is room for would keep each just until it is needed again.
        """
        size = file.version[1]
        if file.asked < 2 or size > min(HOT_FILE_BYTES, self._limit):
            return False
        missing = self._bytes - file.kept + size - self._limit
        for other in self._hot.values():
            if missing <= 0:
                break
            if other.asked >= file.asked:
                return False
            missing -= other.kept
        return True

    def keep(self, key: str, file: KnownFile, content: bytearray) -> Content:
        """Keep the content of a file; the ones wanted longest ago make room. Answers it in pieces."""
        self._cool(key)
        while self._hot and self._bytes + len(content) > self._limit:
            self._cool(next(iter(self._hot)))
        loop = asyncio.get_running_loop()
        pieces = tuple(bytes(content[at : at + PIECE]) for at in range(0, len(content), PIECE))
        file.content, file.kept, file.wanted_at = pieces, len(content), loop.time()
        self._hot[key] = file
        self._bytes += file.kept
        if self._sweeper is None:
            self._sweeper = loop.call_later(COOL_SECONDS, self.sweep)
        return pieces

    def _cool(self, key: str) -> None:
        file = self._hot.pop(key, None)
        if file is not None:
            self._bytes -= file.kept
            file.content, file.kept = None, 0

    def sweep(self) -> None:
        """Let go of what nobody has wanted for a minute, and look again later while anything is left."""
        loop = asyncio.get_running_loop()
        for key, file in list(self._hot.items()):
            file.asked //= 2
            if loop.time() - file.wanted_at >= COOL_SECONDS:
                self._cool(key)
        self._sweeper = loop.call_later(COOL_SECONDS, self.sweep) if self._hot else None
