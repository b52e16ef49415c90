"""The bytes of a request, as they arrive, past every buffer and limit of the framework."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request

from streamhost.features.uploads import ClientGone, ClientSilent, UploadInterrupted
from streamhost.model.errors import StreamhostError
from streamhost.server.tus import content_length

DRAIN_BYTES = 8 * 1024**2
DRAIN_SECONDS = 2.0
"""How much of a refused body is read away, so that a client that sends before it listens still gets to the answer."""


class Incoming:
    """One request's body. Iterate it once; it raises `ClientGone` when the connection breaks."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self._receive = request.receive
        self._waits = "expect" in request.headers
        self._announced = content_length(request.headers)
        self._read = 0
        self._over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._over:
            message = await self._receive()
            if message["type"] != "http.request":
                self._over = True
                raise ClientGone
            piece = message["body"]
            self._read += len(piece)
            self._over = not message.get("more_body", False)
            if piece:
                yield piece

    async def drain(self) -> None:
        """Read a short rest away. A long one is not worth it, and who waits to be told to send (RFC 9110, 10.1.1) sends
        nothing."""
        if self._waits or (self._announced is not None and self._announced - self._read > DRAIN_BYTES):
            return
        begun = self._read
        with contextlib.suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in self:
                    if self._read - begun > DRAIN_BYTES:
                        return


@contextlib.asynccontextmanager
async def incoming(request: Request[Any, Any, Any]) -> AsyncIterator[Incoming]:
    """The body of a request; what is left of it is drained before a refusal is answered, if anybody still sends."""
    body = Incoming(request)
    try:
        yield body
    except (ClientGone, ClientSilent, UploadInterrupted):
        raise
    except StreamhostError:
        await body.drain()
        raise
