"""The port for media in the loop of a test: with a delivery path of the test's own, or with two files behind it."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from streamhost.measures import Measures
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from streamhost.ports import Storage
from streamhost.server.delivery import Delivery
from streamhost.server.listening import listen
from streamhost.server.straight import MediaPort
from streamhost.storage.local import LocalStorage

VIDEO, PACKAGE, SESSION = VideoId("deliveredvideo01"), PackageId("deliveredpack001"), SessionId("somebodyssession")
SMALL, LARGE = os.urandom(1000), os.urandom(20_000_000)
ROOT = package_prefix(VIDEO, PACKAGE)
SENDING = "streamhost.server.straight.sending"


def open_files() -> int:
    """How many this process has; what is only not collected yet is none."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@dataclass(slots=True)
class Place:
    """A port with a small and a large file behind it."""

    port: int
    root: str
    folder: Path
    storage: Storage
    measures: Measures

    def request(self, name: str, *lines: str, version: str = "1.1") -> bytes:
        """A request for a file, as it goes over the wire."""
        head = (f"GET {self.root}/{name} HTTP/{version}", *(lines or ("Host: x",)))
        return "\r\n".join((*head, "", "")).encode()

    async def exchange(self, sent: bytes) -> bytes:
        """Everything that is answered to these bytes, until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer


async def one_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer on a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def a_place(folder: Path, storage: Storage | None = None, patience: float = 0.0) -> AsyncIterator[Place]:
    """A place on this storage, or on the folder."""
    ring = {1: b"k" * 32}
    grants, measures = Grants(ring, system_clock, 600), Measures()
    storage = storage or LocalStorage(folder)
    for name, content in (("small.m4s", SMALL), ("large.m4s", LARGE)):
        await storage.put_bytes(ROOT + name, content)
    delivery = Delivery(grants, storage)
    async with media_port(delivery, measures, patience) as url:
        root = f"/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}"
        yield Place(urlsplit(url).port or 0, root, folder / ROOT, storage, measures)


@asynccontextmanager
async def media_port(delivery: Delivery, measures: Measures | None = None, patience: float = 0.0) -> AsyncIterator[str]:
    """Its address. `patience`: how long what is being answered at the end may take, in seconds."""
    listener = listen("127.0.0.1", 0)
    port = MediaPort(listener.socket, delivery, measures or Measures())
    try:
        yield listener.url
    finally:
        await port.close(patience)
