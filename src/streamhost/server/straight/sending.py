"""Sending on one socket without waiting: words from memory, then bytes of a file from the kernel itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future

from streamhost import log
from streamhost.server.reply import FilePart
from streamhost.server.straight.warming import read_through, resident

TURN_BYTES = 2 * 1024**2
"""Bytes sent to one client before the others have their turn."""
WINDOW = 8 * 1024**2
"""Bytes of a large file that are brought into memory at a time."""
BELIEVED_SECONDS = 5.0
"""For how long bytes that were in memory are taken to be there still: a slow client takes minutes for a window."""

_logger = log.get("delivery")


class Sender:
    """Sends one thing after the other. `sent` is called when what could not be sent at once is out, `lost` when the
    client has gone or the file has failed."""

    __slots__ = (
        "_at", "_closed", "_file", "_known_at", "_known_to", "_loop", "_lost", "_number", "_out", "_readers",
        "_reading", "_sent", "_socket", "_window", "_writing", "moved",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        to: socket.socket,
        readers: Executor,
        sent: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        """`readers`: threads that wait for the disk."""
        self._loop = loop
        self._socket = to
        self._number = to.fileno()
        self._readers = readers
        self._sent = sent
        self._lost = lost
        self._out = memoryview(b"")
        self._file: FilePart | None = None
        self._at = self._known_to = 0
        self._known_at = 0.0
        self._window = WINDOW
        self._reading: Future[None] | None = None
        self._writing = False
        self._closed = False
        self.moved = 0.0
        """When the client last took something, by the loop's clock."""

    @property
    def waits_for_client(self) -> bool:
        """Whether there is something that the client has no room for."""
        return self._writing

    def send(self, data: bytes, file: FilePart | None = None) -> bool:
        """Send this, and then the file, which is closed afterwards. True if everything is out; else `sent` is called
        once it is, or `lost`."""
        self._out = memoryview(bytes(self._out) + data if self._out else data)
        self._file, self._window = file, WINDOW
        if file is not None:
            self._at = self._known_to = file.part.start
        self.moved = self._loop.time()
        return self._push()

    def close(self) -> None:
        """Send nothing more. The socket can be closed then; the file is once no thread reads it any more."""
        self._closed = True
        self._wait_for_client(False)
        self._out = memoryview(b"")
        if self._reading is None or self._reading.cancel():
            self._release()

    def _push(self) -> bool:
        try:
            while self._out:
                count = self._socket.send(self._out, socket.MSG_MORE if self._follows() else 0)
                self._out = self._out[count:]
            if self._file is not None and not self._push_file(self._file):
                return False
        except BlockingIOError:
            self._wait_for_client(True)
            return False
        except OSError:
            self._lost()
            return False
        self._wait_for_client(False)
        return True

    def _follows(self) -> bool:
        """Whether bytes of a file are sent next, so that the kernel may wait for them with what it has."""
        return self._file is not None and self._file.part.end > self._file.part.start

    def _push_file(self, file: FilePart) -> bool:
        """Whether it is out. Raises `BlockingIOError` where the client has no room, else `OSError`."""
        end, turn = file.part.end, TURN_BYTES
        while self._at < end:
            if self._at >= self._known_to and not self._bring(file):
                self._wait_for_client(False)
                return False
            if turn <= 0:
                self._wait_for_client(True)
                return False
            count = os.sendfile(self._number, file.number, self._at, min(self._known_to - self._at, turn))
            if count == 0:
                raise ConnectionAbortedError("The file is shorter than it was.")
            self._at += count
            turn -= count
        self._release()
        return True

    def _bring(self, file: FilePart) -> bool:
        """Whether the next bytes of the file are in memory; where they are not, a thread fetches them."""
        end = min(self._at + self._window, file.part.end)
        if resident(file.number, self._at, end):
            self._know(end)
            return True
        # The thread's own future: cancelling one of the loop would leave the thread at work on a file that is closed.
        self._reading = self._readers.submit(read_through, file.number, self._at, end)
        self._reading.add_done_callback(self._loop_brought)
        return False

    def _know(self, end: int) -> None:
        self._known_to, self._known_at = end, self._loop.time()

    def _loop_brought(self, reading: Future[None]) -> None:
        """Called by the thread."""
        if not reading.cancelled():
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._brought, reading)

    def _brought(self, reading: Future[None]) -> None:
        self._reading = None
        if self._closed or self._file is None:
            self._release()
        elif reading.exception() is not None:
            self._lost()
        else:
            self._know(min(self._at + self._window, self._file.part.end))
            self._writable()

    def _writable(self) -> None:
        self.moved = self._loop.time()
        if self.moved - self._known_at > BELIEVED_SECONDS:
            # Looked at again, and only as much of it as such a client is likely to take before the next time.
            self._known_to, self._window = self._at, TURN_BYTES
        try:
            if self._push():
                self._sent()
        except Exception:  # whatever it is, nobody may wait for this answer for ever
            _logger.exception("delivery failed", action="delivery_failed")
            self._lost()

    def _wait_for_client(self, wait: bool) -> None:
        if wait != self._writing:
            self._writing = wait
            if wait:
                self._loop.add_writer(self._number, self._writable)
            else:
                self._loop.remove_writer(self._number)

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file.number)
            self._file = None
