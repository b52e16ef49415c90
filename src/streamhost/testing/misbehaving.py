"""A real HTTP server that does not do what it is asked to: for contract suites of ports that speak to others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

AWAY: Sequence[str] = ("silent", "dripping", "broken", "cut short", "no http", "429", "500", "502", "503", "504")
"""Ways to fail after which the same may work later: no answer, one that never ends, a connection that is closed before
or amid the answer, nonsense, and statuses that say so."""
NEVER: Sequence[str] = ("301", "400", "401", "403", "404", "405")
"""Statuses that say that it never will; 301 because whoever sends secrets does not follow to other places."""

_LONG = "x" * 100_000


@dataclass(slots=True)
class Misbehaving:
    """Where it listens, and the first line and body of every request that it got."""

    url: str
    requests: list[tuple[str, bytes]] = field(default_factory=list)


@contextlib.asynccontextmanager
async def misbehaving(fault: str) -> AsyncIterator[Misbehaving]:
    """Run a server on loopback that fails in one way: of `AWAY`, of `NEVER`, any status, or `fine` (204)."""
    ending = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")), 0
            )
            known.requests.append((head.splitlines()[0], await reader.readexactly(length)))
            await _answer(fault, head.startswith("HEAD "), writer, ending)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    known = Misbehaving(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield known
    finally:
        ending.set()
        server.close()
        await server.wait_closed()


async def _answer(fault: str, head_only: bool, writer: asyncio.StreamWriter, ending: asyncio.Event) -> None:
    if fault == "silent":
        await ending.wait()
    elif fault == "dripping":
        # To HEAD nobody reads a body: there the head itself never ends.
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n" + (b"X-More: " if head_only else b"\r\n"))
        while not ending.is_set():
            writer.write(b"x")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), 0.2)
    elif fault == "cut short":
        writer.write(b"HTTP/1." if head_only else b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    elif fault == "no http":
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    elif fault == "fine":
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    elif fault != "broken":
        head = f"HTTP/1.1 {fault} Whatever\r\nLocation: http://127.0.0.1:9/\r\nRetry-After: 1\r\n"
        writer.write(f"{head}Content-Length: {len(_LONG)}\r\n\r\n{_LONG}".encode())
    with contextlib.suppress(ConnectionError):
        await writer.drain()
