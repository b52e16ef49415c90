"""Accepts connections on the port for media, and ends those that have gone quiet."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from email.utils import formatdate

from streamhost import log
from streamhost.measures import Measures
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.server.delivery import Delivery
from streamhost.server.door import DELIVERY, Scope
from streamhost.server.granted import refusal
from streamhost.server.reply import Later, Reply
from streamhost.server.straight.connection import Connection

CONNECTIONS = 1024
"""Connections served at once. More wait in the kernel's queue until one ends, or one that is not used makes room."""
UNUSED_SECONDS = 5.0
"""After how long without a request a connection is ended if others wait."""
READING_THREADS = 32
"""Threads that wait for the disk, at most; they are made when needed."""
LOOK_SECONDS = 5.0
"""Seconds between two looks at who has gone quiet."""
REST_SECONDS = 1.0
"""How long no connection is accepted after that has failed: mostly because too many files are open."""

_logger = log.get("delivery")


class MediaPort:
    """Everything below `/s/`, on a socket that is bound already; made in the loop that it runs in."""

    def __init__(self, bound: socket.socket, delivery: Delivery, measures: Measures) -> None:
        """`measures` counts what is answered."""
        self.loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(READING_THREADS, "media-reading")
        self.ending = False
        self._bound = bound
        self._delivery = delivery
        self._measures = measures
        self._connections: set[Connection] = set()
        self._accepting = False
        self._rest: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._second = 0
        self._date = b""
        self._looking = self.loop.call_later(LOOK_SECONDS, self._look)
        self._accept_more()

    @property
    def readers(self) -> Executor:
        """Threads that wait for the disk."""
        return self._readers

    async def close(self, patience: float) -> None:
        """Accept nothing more, finish what is being answered, but wait no longer than `patience` seconds for that. It
        may be called again, to wait less."""
        self.ending = True
        self._accept_no_more()
        self._bound.close()
        self._looking.cancel()
        if self._rest is not None:
            self._rest.cancel()
        for connection in list(self._connections):
            connection.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), patience)
        for connection in list(self._connections):
            connection.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def reply(self, scope: Scope) -> Reply | Later:
        """What to answer to a request. Raises nothing."""
        try:
            if not scope["path"].startswith(DELIVERY):
                raise NotFound
            self._measures.delivered += 1
            return self._delivery.reply(scope, straight=True)
        except StreamhostError as error:
            return refusal(scope["method"], error)
        except Exception as error:
            _logger.exception("delivery failed", action="delivery_failed", path=scope["path"])
            return refusal(scope["method"], error)

    def date(self) -> bytes:
        """The header that tells the time, as a line."""
        now = int(time.time())
        if now != self._second:
            self._second, self._date = now, b"date: %s\r\n" % formatdate(now, usegmt=True).encode()
        return self._date

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
        self._accept_more()

    def _accept(self) -> None:
        """Somebody waits."""
        if len(self._connections) >= CONNECTIONS and not self._make_room():
            self._accept_no_more()
            return
        while len(self._connections) < CONNECTIONS:
            try:
                accepted, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                _logger.error("no connection can be accepted", action="accepting_failed", error=str(error))
                self._accept_no_more()
                self._make_room()
                self._rest = self.loop.call_later(REST_SECONDS, self._rested)
                return
            accepted.setblocking(False)
            self._empty.clear()
            self._connections.add(Connection(self, accepted, (str(address[0]), int(address[1]))))

    def _make_room(self) -> bool:
        idle = min((one for one in self._connections if one.idle), key=lambda one: one.moved, default=None)
        if idle is None or self.loop.time() - idle.moved < UNUSED_SECONDS:
            return False
        idle.close()
        return True

    def _rested(self) -> None:
        self._rest = None
        self._accept_more()

    def _accept_more(self) -> None:
        """There may be room again, unless the end has come."""
        if not self._accepting and not self.ending and self._rest is None:
            self._accepting = True
            self.loop.add_reader(self._bound.fileno(), self._accept)

    def _accept_no_more(self) -> None:
        if self._accepting:
            self._accepting = False
            self.loop.remove_reader(self._bound.fileno())

    def _look(self) -> None:
        self._looking = self.loop.call_later(LOOK_SECONDS, self._look)
        now = self.loop.time()
        for connection in list(self._connections):
            connection.look(now)
        self._accept_more()
