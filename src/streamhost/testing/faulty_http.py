"""A real HTTP server on this machine that behaves as badly as a test asks, one request after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

HOST = "127.0.0.1"
FLOOD = 64 * 1024 * 1024
"""Bytes that a flood sends at most; nobody should take that many."""
_PIECE = b"x" * 65536


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is well formed."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encoded(self) -> bytes:
        """The bytes."""
        lines = {"Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + self.body


Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What is done to a connection instead of an answer; it is closed afterwards."""


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the other side gives up."""
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a head one byte at a time, each well before any time-out of a step, without an end."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 3600:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def close_early(_writer: asyncio.StreamWriter) -> None:
    """Close without an answer."""


async def half_an_answer(writer: asyncio.StreamWriter) -> None:
    """Break off within the head."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    await writer.drain()


async def no_http(writer: asyncio.StreamWriter) -> None:
    """Answer in no language that is known."""
    writer.write(b"\x00\x01\x02 220 hello\r\n\r\n")
    await writer.drain()


async def flood_head(writer: asyncio.StreamWriter) -> None:
    """Send a head without an end, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    await _flood(writer)


async def flood_body(writer: asyncio.StreamWriter) -> None:
    """Send a good head and then more than anybody wants."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    await _flood(writer)


async def _flood(writer: asyncio.StreamWriter) -> None:
    for _ in range(FLOOD // len(_PIECE)):
        writer.write(_PIECE)
        await writer.drain()


class FaultyHttp:
    """Takes requests and notes them. `script` is what it does with the next ones; after that it is `usual`.

    A request is noted before it is answered, or left unanswered."""

    def __init__(self, usual: Callable[[Asked], Reply] | None = None) -> None:
        self.requests: list[Asked] = []
        self.script: list[Reply | Fault] = []
        self.port = 0
        self.scheme = "http"
        self._usual = usual or (lambda _asked: Reply())
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{self.scheme}://{HOST}:{self.port}"

    async def start(self, tls: SSLContext | None = None) -> None:
        """Listen, on the port of before if there was one."""
        self.scheme = "https" if tls else "http"
        self._server = await asyncio.start_server(self._take, HOST, self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take nothing more; whoever connects is refused."""
        if self._server is not None:
            self._server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            try:
                asked = await _request(reader)
                act = self.script.pop(0) if self.script else None
                self.requests.append(asked)
                if isinstance(act, Reply) or act is None:
                    writer.write((act or self._usual(asked)).encoded())
                    await writer.drain()
                else:
                    await act(writer)
            finally:
                writer.close()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    pairs = [line.split(":", 1) for line in head[1:] if line]
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def faulty_http(
    usual: Callable[[Asked], Reply] | None = None, tls: SSLContext | None = None
) -> AsyncIterator[FaultyHttp]:
    """A server for the time of a test."""
    server = FaultyHttp(usual)
    await server.start(tls)
    try:
        yield server
    finally:
        await server.stop()
