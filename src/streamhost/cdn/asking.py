"""Requests to a CDN: bounded in time and size, never redirected, and every failure told as the port's two errors.

Meant for plugins that bring a CDN as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamhost.late import late
from streamhost.model.words import blanked
from streamhost.ports import CdnRefused, CdnUnavailable

if TYPE_CHECKING:
    from http import client
else:
    client = late("http.client")

CONNECTIONS = 4
"""Requests at the same time: enough to keep a CDN's nearest place busy, few for the server's own line."""
SECONDS = 60.0
"""A whole request, its answer read to the end; a segment of 4K at 1 MB/s takes ten."""
STEP_SECONDS = 15.0
"""Connecting, or waiting for the next bytes."""
BLOCK = 256 * 1024
WORDS = 200
"""How much of what a CDN says about a refusal is kept."""
PASSING = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses after which the same may work later (RFC 9110, section 15; RFC 6585; RFC 8470)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its headers by lower-case name, and how many bytes its body had."""

    headers: Mapping[str, str]
    size: int


class Asking:
    """Sends requests from a few threads of its own."""

    def __init__(self, seconds: float = SECONDS, step_seconds: float = STEP_SECONDS) -> None:
        self._seconds = seconds
        self._step = min(step_seconds, seconds)
        self._threads = ThreadPoolExecutor(CONNECTIONS, "cdn")
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send one request and read the answer to its end.

        Raises `CdnUnavailable` or `CdnRefused`. Neither says more of the address than its host and path: what stands
        after a `?` is a signature."""
        parts = urlsplit(url)
        where = f"{parts.hostname}{parts.path}"
        kind = client.HTTPSConnection if parts.scheme == "https" else client.HTTPConnection
        try:
            connection = kind(parts.hostname or "", parts.port, timeout=self._step)
        except (ValueError, client.InvalidURL) as error:
            raise CdnRefused(f"{where} is no address.") from error
        target = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
        try:
            async with self._places, asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, _exchange, connection, method, target, dict(headers or {}), body, where
                )
        except TimeoutError as error:
            raise CdnUnavailable(f"{where} did not answer in time.") from error
        except (OSError, client.HTTPException) as error:
            raise CdnUnavailable(f"{where}: {type(error).__name__}.") from error
        finally:
            _cut(connection)


def _exchange(
    connection: client.HTTPConnection,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    where: str,
) -> Answer:
    connection.request(method, target, body or None, headers)
    answer = connection.getresponse()
    if answer.status in PASSING:
        raise CdnUnavailable(f"{where} answered {answer.status}.{_words(answer)}")
    if not 200 <= answer.status < 300:
        raise CdnRefused(f"{where} answered {answer.status}.{_words(answer)}")
    size = 0
    while piece := answer.read(BLOCK):
        size += len(piece)
    if answer.length:
        raise CdnUnavailable(f"{where} broke off.")
    return Answer({name.lower(): value for name, value in answer.getheaders()}, size)


def _words(answer: client.HTTPResponse) -> str:
    """The beginning of what an answer says, in one line of plain signs."""
    text = answer.read(WORDS).decode("utf-8", "replace")
    plain = blanked(text).strip()
    return f" It said: {plain}" if plain else ""


def _cut(connection: client.HTTPConnection) -> None:
    """End the connection, also under a thread that still waits on it."""
    if isinstance(connection.sock, socket.socket):
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
