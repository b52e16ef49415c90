"""An answer that is ready, whoever sends it: the HTTP server, told by ASGI, or the port for media by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from streamhost.server.door import Headers, Receive, Scope, Send
from streamhost.server.hot import PIECE, Content
from streamhost.server.ranges import Range

READ_LIMIT = 512 * 1024
"""Bytes up to which a file is read in one go; above, pathsend is as fast (bench_delivery) and needs less memory."""

Later = Callable[[Receive, Send], Awaitable[None]]
"""An answer that somebody has to wait for."""


class FilePart(NamedTuple):
    """Bytes of an open file; `whole` if they are all of it. Whoever is given it closes `number`."""

    number: int
    path: str
    part: Range
    whole: bool


class Reply(NamedTuple):
    """An answer with its body: either `content`, or bytes of a file."""

    status: int
    headers: Headers
    content: Content = ()
    file: FilePart | None = None


async def send_reply(scope: Scope, send: Send, reply: Reply) -> None:
    """Send it by ASGI."""
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    if reply.file is not None:
        try:
            await _send_file(scope, send, start, reply.file)
        finally:
            os.close(reply.file.number)
        return
    await send(start)
    for piece in reply.content[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": reply.content[-1] if reply.content else b""})


async def _send_file(scope: Scope, send: Send, start: dict[str, object], file: FilePart) -> None:
    part = file.part
    if part.end - part.start <= READ_LIMIT:
        body = await _bytes(file.number, part)
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    if file.whole and "http.response.pathsend" in scope.get("extensions", ()):
        await send({"type": "http.response.pathsend", "path": file.path})
        return
    at = part.start
    while at < part.end:
        piece = Range(at, min(at + PIECE, part.end))
        body = await _bytes(file.number, piece)
        at = piece.end
        await send({"type": "http.response.body", "body": body, "more_body": at < part.end})


async def _bytes(file: int, part: Range) -> bytes | bytearray:
    """The bytes of `part`, at once if the kernel has them, else by a thread that waits for the disk."""
    ready = read_now(file, part)
    return ready if ready is not None else await asyncio.to_thread(_read, file, part)


def read_now(file: int, part: Range) -> bytearray | None:
    """The bytes if the kernel has all of them in memory; None rather than wait for the disk.

    The server takes a bytearray over in one copy, a memoryview byte by byte.
    """
    buffer = bytearray(part.end - part.start)
    try:
        count = os.preadv(file, [buffer], part.start, os.RWF_NOWAIT)
    except OSError:
        return None
    return buffer if count == len(buffer) else None


def _read(file: int, part: Range) -> bytes:
    """The bytes, waiting for the disk: only in a thread."""
    pieces = []
    at = part.start
    while at < part.end:
        piece = os.pread(file, part.end - at, at)
        if not piece:
            break
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
