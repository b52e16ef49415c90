"""One connection of the port for media: requests in, answers out, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Protocol

from streamhost import log
from streamhost.server.door import Headers, Scope
from streamhost.server.reply import FilePart, Later, Reply
from streamhost.server.straight.exchange import Exchange
from streamhost.server.straight.reading import Reader, Refused, Request
from streamhost.server.straight.sending import Sender

READ_BYTES = 16 * 1024
HEAD_SECONDS = 30.0
"""A client that has not sent its whole request by then is cut off (slow loris), from the first byte or from the
beginning."""
STALL_SECONDS = 120.0
"""A client that takes nothing for so long is cut off. A player that was paused asks for the rest anew."""
IDLE_SECONDS = 75.0
"""How long a connection is kept for the next request."""
LINGER_SECONDS = 2.0
"""How long a client may go on sending after its last answer. Were it cut off at once, the kernel would take back what
the client has not read of the answer yet (RFC 9112, section 9.6)."""
TURN_ANSWERS = 16
"""Answers to one client before the others have their turn."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_logger = log.get("delivery")
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class Port(Protocol):
    """What a connection needs of the port that has accepted it."""

    loop: asyncio.AbstractEventLoop
    ending: bool
    """Whether every connection is to close after the answer that it is at."""

    @property
    def readers(self) -> Executor:
        """Threads that wait for the disk."""

    def reply(self, scope: Scope) -> Reply | Later:
        """What to answer. Raises nothing."""

    def date(self) -> bytes:
        """The header that tells the time, as a line."""

    def forget(self, connection: Connection) -> None:
        """It is closed."""


class Connection:
    """One client, and the answer that it is being sent."""

    __slots__ = (
        "_asked", "_busy", "_exchange", "_lasting", "_lingers", "_open", "_paused", "_port", "_reader", "_refused",
        "_sender", "_socket", "moved",
    )  # fmt: skip

    def __init__(self, port: Port, accepted: socket.socket, client: tuple[str, int]) -> None:
        self._port = port
        self._socket = accepted
        self._reader = Reader(client)
        self._sender = Sender(port.loop, accepted, port.readers, self._sent, self.close)
        self._exchange: Exchange | None = None
        self._open = True
        self._busy = False
        """Whether a request is being answered."""
        self._lasting = True
        """Whether the connection stays open after the answer."""
        self._refused = 0
        """With which status to end it, once what came before is answered."""
        self._paused = False
        self._lingers = False
        """Whether all is said, and only the client's end is waited for."""
        self._asked = False
        """Whether anything was ever asked here."""
        self.moved = port.loop.time()
        """When an answer ended, or bytes last came that are no part of a request that had begun."""
        port.loop.add_reader(accepted.fileno(), self._guard, self._readable)

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return not self._busy

    def end(self) -> None:
        """Close it as soon as nothing is being answered."""
        self._lasting = False
        if not self._busy:
            self.close()

    def look(self, now: float) -> None:
        """Close it if the client has kept it waiting for too long; `now` is the loop's time."""
        if self._busy:
            late = self._sender.waits_for_client and now - self._sender.moved > STALL_SECONDS
        else:
            waits = IDLE_SECONDS if self._asked and not self._reader.amid else HEAD_SECONDS
            patience = LINGER_SECONDS if self._lingers else waits
            late = now - self.moved > patience
        if late:
            self.close()

    def close(self) -> None:
        """End it, whatever it is at."""
        if not self._open:
            return
        self._open = False
        self._port.loop.remove_reader(self._socket.fileno())
        self._sender.close()
        self._socket.close()
        if self._exchange is not None:
            self._exchange.hung_up()
        self._port.forget(self)

    def give(self, reply: Reply) -> None:
        """Send a whole answer, and go on with the next request then."""
        if self.send_head(reply.status, reply.headers, b"".join(reply.content), reply.file):
            self._answered()

    def send_head(self, status: int, headers: Headers, body: bytes = b"", file: FilePart | None = None) -> bool:
        """Send the head of an answer and what belongs to it; True if all is out."""
        lines = b"".join([b"%s: %s\r\n" % pair for pair in headers])
        ends = b"\r\n" if self._lasting else b"connection: close\r\n\r\n"
        return self._sender.send(b"".join((STATUS_LINES[status], lines, self._port.date(), ends, body)), file)

    def send_more(self, body: bytes) -> bool:
        """Send more of an answer; True if all is out."""
        return self._sender.send(body)

    def answered(self) -> None:
        """An exchange is over: go on with the next request."""
        self._exchange = None
        self._answered()
        self._go_on()

    def _answered(self) -> None:
        self._busy = False
        self.moved = self._port.loop.time()
        if self._lasting:
            return
        self._lingers = True
        if self._port.ending:
            self.close()
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _sent(self) -> None:
        if self._exchange is not None:
            self._exchange.sent()
        elif self._busy:
            self._answered()
            self._go_on()

    def _guard(self, step: Callable[[], None]) -> None:
        """Do what the loop calls for; whatever goes wrong in it ends this connection, and no more."""
        try:
            step()
        except Exception:
            _logger.exception("delivery failed", action="delivery_failed")
            self.close()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        if self._lingers:
            return
        if not self._reader.amid:  # a head that comes in drops gains no time by them
            self.moved = self._port.loop.time()
        try:
            self._reader.feed(data)
        except Refused as error:
            self._refused = error.status
        self._go_on()

    def _go_on(self) -> None:
        """Answer what there is to be answered."""
        reader, turn = self._reader, TURN_ANSWERS
        while self._open and not self._busy and not self._lingers:
            if turn == 0:
                self._port.loop.call_soon(self._guard, self._go_on)
                break
            if reader.ready:
                turn -= 1
                self._answer(reader.ready.pop(0))
            elif self._refused:
                self._busy, self._lasting = True, False
                self.give(Reply(self._refused, [(b"content-length", b"0")]))
            else:
                if reader.waits:
                    reader.waits = False
                    self._sender.send(CONTINUE)
                break
        if self._open:
            # Whoever sends more while answers are on their way has it wait in the kernel, not in our memory.
            self._pause(not self._lingers and bool(reader.ready or self._refused))

    def _answer(self, request: Request) -> None:
        self._busy = self._asked = True
        self._lasting = self._lasting and request.lasting and not self._port.ending
        reply = self._port.reply(request.scope)
        if isinstance(reply, Reply):
            self.give(reply)
        else:
            self._exchange = Exchange(self, request)
            self._exchange.start(self._port.loop, reply)

    def _pause(self, pause: bool) -> None:
        if pause != self._paused:
            self._paused = pause
            if pause:
                self._port.loop.remove_reader(self._socket.fileno())
            else:
                self._port.loop.add_reader(self._socket.fileno(), self._guard, self._readable)
