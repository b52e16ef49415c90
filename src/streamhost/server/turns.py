"""Sign-ins take turns at the door, so that many at once do not hold up the segments of those who are watching.

A password is checked in another process, one after the other; what the server itself does for a sign-in is about a
millisecond of its loop. When fifty people come at once, fifty such milliseconds in a row are a gap in everybody's
stream, though all but one of the fifty have to wait for the hash of the one before them anyway. So a request waits
here, before anything was done for it, until it is nearly its turn: the same work, spread over the same time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from streamhost.server.door import ASGIApp, Message, Receive, Scope, Send

PATHS: Final = frozenset(
    (
        "/api/v1/auth/login",
        "/api/v1/auth/register",
        "/api/v1/auth/password/reset",
        "/login",
        "/register",
        "/reset",
    )
)
"""Where strangers make the server hash a password."""
LONGEST_QUEUE = 100
"""Requests that may wait here. More go on without waiting, to be told by whoever hashes that it is too much."""
WHOLE_BODY = 64 * 1024
"""Bytes of a form. Who sends more takes no turn: nobody waits here for somebody's slow upload."""


class Turns:
    """An ASGI application in front of `app` that lets `most` requests at once in, of those which hash a password."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._free = asyncio.Semaphore(most)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        # First the whole body: whoever sends it slowly, or never, must not keep others out.
        parts, size = [await receive()], 0
        while parts[-1].get("more_body") and (size := size + len(parts[-1].get("body", b""))) <= WHOLE_BODY:
            parts.append(await receive())
        again = _Replay(parts, receive)
        if parts[-1].get("more_body") or self._waiting >= LONGEST_QUEUE:
            await self._app(scope, again, send)
            return
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            await self._app(scope, again, send)
        finally:
            self._free.release()


class _Replay:
    """The parts of a request that were received, then those that follow."""

    def __init__(self, parts: list[Message], receive: Receive) -> None:
        self._parts = parts[::-1]
        self._receive = receive

    async def __call__(self) -> Message:
        return self._parts.pop() if self._parts else await self._receive()
