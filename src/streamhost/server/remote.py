"""Objects of a storage that is not on local disk: streamed through this process, or viewers sent to where they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from streamhost.host import Host
from streamhost.model.clock import MINUTE, Clock, Timestamp
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.grants import Grant
from streamhost.ports import NotStored, Storage
from streamhost.server.door import Receive, Scope, Send
from streamhost.server.granted import OPEN_TO_PLAYERS, answer
from streamhost.server.hot import Kind, file_headers
from streamhost.server.plan import plan

Addresses = Callable[[str, Timestamp], Awaitable[str]]
"""Where a viewer gets an object by its storage key, until a moment. Raises `NotStored` where it has no such address."""

ADDRESSES_KEPT = 8192
"""Addresses that are used again (about 8 MB when full), so that a browser that is sent there twice has it cached."""
SHARE_OF_LIFE = 0.5
"""How much of its life an address is handed out, and an answer with it kept: as much is left for the fetching."""


async def stream(scope: Scope, receive: Receive, send: Send, storage: Storage, key: str, kind: Kind) -> None:
    """Stream an object through this process; whoever hangs up ends the reading as well. Raises `NotFound`."""
    try:
        stored = await storage.stat(key)
    except NotStored as error:
        raise NotFound from error
    etag = b'"%s"' % stored.etag.strip('"').encode()
    headers = file_headers(kind, stored.size, etag, int(stored.modified), OPEN_TO_PLAYERS)
    wanted = plan(scope, headers, stored.size, etag, int(stored.modified))
    start = {"type": "http.response.start", "status": wanted.status, "headers": wanted.headers}
    if wanted.part is None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})
        return
    pieces = storage.read(key, wanted.part.start, wanted.part.end)
    # Before the head goes out: a storage that fails at once is still told of in words.
    try:
        first = await anext(pieces, b"")
    except NotStored as error:
        raise NotFound from error
    await send(start)
    sending = asyncio.ensure_future(_send(send, first, pieces, wanted.part.end - wanted.part.start))
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _send(send: Send, first: bytes, pieces: AsyncIterator[bytes], length: int) -> None:
    """Send `length` bytes, or break the connection: after the head that alone still tells that the rest is missing."""
    sent = 0
    piece = first
    try:
        while sent + len(piece) < length:
            sent += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(pieces, b"")
            if not piece:
                raise ConnectionAbortedError("It is shorter than it was a moment ago.")
    except StreamhostError as error:
        raise ConnectionAbortedError(str(error)) from error
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()
    await send({"type": "http.response.body", "body": piece[: length - sent]})


async def _gone(receive: Receive) -> None:
    """Return when the client hangs up; never, where the server does not tell of it."""
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        message = await receive()
    if message["type"] != "http.disconnect":
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class _Known:
    url: bytes
    until: Timestamp


class Redirects:
    """Sends viewers with a good grant to where an object can be had: 302, kept by their browser for a while."""

    def __init__(self, addresses: Addresses, life: float, clock: Clock) -> None:
        """`life`: seconds for which an address works."""
        self._addresses = addresses
        self._life = life
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def answer(self, send: Send, key: str, grant: Grant) -> None:
        """Answer a GET. Raises `NotStored` where the object has no address, before anything is sent.

        The answer is kept for less than the address works, and never longer than the grant counts."""
        now = self._clock()
        known = self._known.get(key)
        if known is None or now >= known.until:
            url = (await self._addresses(key, now + self._life)).encode("ascii")
            known = self._known[key] = _Known(url, now + self._life * SHARE_OF_LIFE)
            self._known.move_to_end(key)
            if len(self._known) > ADDRESSES_KEPT:
                self._known.popitem(last=False)
        kept = max(0, int(min(known.until, grant.expires_at) - now))
        headers = [
            *OPEN_TO_PLAYERS,
            (b"location", known.url),
            (b"cache-control", b"private, max-age=%d" % kept if kept else b"no-store"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-length", b"0"),
        ]
        await answer(send, 302, headers)


def redirects_of(host: Host) -> Redirects | None:
    """Where the settings send viewers for segments; None: nowhere else."""
    settings, signs, clock = host.settings.storage, host.signs, host.clock
    if settings.delivery != "redirect" or signs is None:
        return None

    async def signed(key: str, until: Timestamp) -> str:
        return await signs.sign_get(key, until - clock())

    return Redirects(signed, settings.link_minutes * MINUTE, clock)


def bucket_origin(host: Host) -> str:
    """The origin (scheme, host and port) of the addresses that viewers are sent to; empty if they are not."""
    return host.media_origin if redirects_of(host) is not None else ""
