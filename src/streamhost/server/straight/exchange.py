"""An answer that somebody has to wait for, such as a licence: spoken by ASGI, written to the connection as it comes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from streamhost import log
from streamhost.model.errors import StreamhostError
from streamhost.server.door import Headers, Message
from streamhost.server.granted import refusal
from streamhost.server.reply import Later
from streamhost.server.straight.reading import Request

if TYPE_CHECKING:
    from streamhost.server.straight.connection import Connection

_logger = log.get("delivery")


class Exchange:
    """One request of a connection, and its answer."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection = connection
        self._scope = request.scope
        self._body: bytes | None = request.body
        self._gone = asyncio.Event()
        self._room = asyncio.Event()
        self._status = 0
        self._headers: Headers = []
        self._begun = self._whole = False
        self._task: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop, later: Later) -> None:
        """Begin to answer."""
        self._task = loop.create_task(self._run(later), name="media")

    def sent(self) -> None:
        """The client has taken what it was sent."""
        self._room.set()

    def hung_up(self) -> None:
        """The client has gone."""
        self._gone.set()
        self._room.set()

    async def _run(self, later: Later) -> None:
        try:
            await self._answer(later)
            if self._gone.is_set():
                return
            if self._whole:
                self._connection.answered()
            else:
                self._connection.close()
        except Exception:  # nobody may wait for this connection for ever
            _logger.exception("delivery failed", action="delivery_failed", path=self._scope["path"])
            self._connection.close()

    async def _answer(self, later: Later) -> None:
        try:
            await later(self._receive, self._send)
        except ConnectionAbortedError:
            pass  # by the client, or because what is stored ended too soon: either way the rest cannot be told
        except Exception as error:
            if not isinstance(error, StreamhostError):
                _logger.exception("delivery failed", action="delivery_failed", path=self._scope["path"])
            if not self._begun:
                with contextlib.suppress(ConnectionAbortedError):
                    await self._tell(error)

    async def _tell(self, error: Exception) -> None:
        said = refusal(self._scope["method"], error)
        await self._send({"type": "http.response.start", "status": said.status, "headers": said.headers})
        await self._send({"type": "http.response.body", "body": b"".join(said.content)})

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._gone.is_set():
            raise ConnectionAbortedError("The client has gone.")
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
            return
        body = bytes(message.get("body", b""))
        self._room.clear()
        if self._begun:
            out = self._connection.send_more(body)
        else:
            self._begun = True
            out = self._connection.send_head(self._status, self._headers, body)
        if not out:
            await self._room.wait()
            if self._gone.is_set():
                raise ConnectionAbortedError("The client has gone.")
        self._whole = not message.get("more_body", False)
