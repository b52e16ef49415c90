"""What happens to every request before a route or the delivery path sees it, and to every answer on its way out.

Raw ASGI, so that it costs little: a request id, security headers, HEAD for every GET, segments straight to the delivery
path, and a plain answer while the house is still starting.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from streamhost import log
from streamhost.measures import Measures
from streamhost.server.event_streams import EventStreams

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

DELIVERY = "/s/"
OBJECTS = "/o/"
LIVE, STARTED = "/livez", "/startupz"
REQUEST_ID = b"x-request-id"
EVENT_STREAM = b"text/event-stream"
METHOD_NOT_ALLOWED, TOO_MANY = 405, 429
POLICIES = 64
"""Policies that are kept as they are with the sites for media: ours, and those of videos that others may frame."""

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""What pages may load: our own files, and the pictures and media that scripts make (blob:). Nobody may frame them."""


def framed_by(origins: Sequence[str]) -> str:
    """`PAGE_POLICY` for a page that these web sites may show in a frame (`*`: all). `X-Frame-Options`, which knows no
    such list, is left away beside it."""
    return PAGE_POLICY.replace("frame-ancestors 'none'", " ".join(("frame-ancestors 'self'", *origins)))


@lru_cache(maxsize=POLICIES)
def allowing(policy: bytes, sites: tuple[str, ...]) -> bytes:
    """A policy that also lets players load media from these sites (CDNs, object stores)."""
    more = "".join(f" {site}" for site in sites).encode("ascii")
    for directive in (b"img-src 'self'", b"media-src 'self'", b"connect-src 'self'"):
        policy = policy.replace(directive, directive + more)
    return policy


SECURITY_HEADERS: Headers = [
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
]
"""On every answer that does not say otherwise itself."""

POLICY, FRAMES, UNFRAMED = b"content-security-policy", b"x-frame-options", b"frame-ancestors 'none'"

STARTING = (
    b'{"type": "urn:streamhost:error:starting", "title": "The server is starting.", "status": 503, "code": "starting"}'
)

LISTENING = (
    b'{"type": "urn:streamhost:error:too_many_requests", "title": "Too many requests in a short time.", "status": 429, '
    b'"code": "too_many_requests", "detail": "Too many event streams are open.", "hint": "Close some of them."}'
)

_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_logger = log.get("server")


class Door:
    """The ASGI application that the server runs.

    Until `open` is called it answers `/livez` with 200 and everything else with 503, so that a long migration looks
    like a start and not like a hang. `resolve` puts the client's address where a proxy's is.
    """

    def __init__(
        self, resolve: Callable[[Scope], None] = lambda _scope: None, streams: EventStreams | None = None
    ) -> None:
        self._resolve = resolve
        self._streams = streams or EventStreams()
        self._app: ASGIApp | None = None
        self._delivery: ASGIApp | None = None
        self._objects: ASGIApp | None = None
        self._sites: tuple[str, ...] = ()
        self._measures = Measures()
        self._closing = asyncio.Event()

    def open(
        self,
        app: ASGIApp,
        delivery: ASGIApp,
        objects: ASGIApp | None = None,
        sites: Sequence[str] = (),
        measures: Measures | None = None,
    ) -> None:
        """Let requests in: `/s/…` to `delivery`, `/o/…` to `objects`, the rest to `app`. Pages may load media from
        `sites` as well. `measures` counts what is answered."""
        self._measures = measures or self._measures
        self._app, self._delivery, self._objects, self._sites = app, delivery, objects, tuple(sites)

    def close(self) -> None:
        """End the event streams, which would otherwise hold up a shutdown for ever; other requests go on."""
        self._closing.set()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if self._app is None or self._delivery is None:
            return _starting(scope, send)
        if scope["path"].startswith(DELIVERY):
            self._measures.delivered += 1
            return self._delivery(scope, receive, send)
        if self._objects is not None and scope["path"].startswith(OBJECTS):
            return self._objects(scope, receive, send)
        return self._route(self._app, scope, receive, send)

    async def _route(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        log.bind(request_id=request_id.decode())
        self._resolve(scope)
        exchange = _Exchange(scope, receive, send, self._closing, request_id, self._streams, self._sites)
        begin = time.perf_counter()
        try:
            await app(scope, exchange.receive, exchange.send)
            if exchange.retry_as_get:
                get = {**scope, "method": "GET"}
                exchange.retry_as_get = False
                await app(get, exchange.receive, exchange.send)
        finally:
            if exchange.listens is not None:
                self._streams.close(exchange.listens)
        seconds = time.perf_counter() - begin
        if not exchange.streamed:
            self._measures.answered(scope["method"], exchange.status, seconds)
        _logger.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            milliseconds=round(seconds * 1000, 1),
        )


class _Exchange:
    """One request and its answer: adds headers, strips the body for HEAD, lets go of event streams at a shutdown, and
    refuses them where too many are open."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        closing: asyncio.Event,
        request_id: bytes,
        streams: EventStreams,
        sites: tuple[str, ...],
    ) -> None:
        self._scope = scope
        self._streams = streams
        self.listens: str | None = None
        """The event stream as it was counted; None for other answers."""
        self._receive = receive
        self._send = send
        self._closing = closing
        self._request_id = request_id
        self._sites = sites
        self._head = scope["method"] == "HEAD"
        self._tried_head = False
        self._streams_events = False
        self._done = False
        self.status = 0
        self.retry_as_get = False

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of events, which takes as long as somebody listens."""
        return self._streams_events

    async def receive(self) -> Message:
        """The next part of the request; a disconnect once nobody wants the rest of the answer."""
        if self._done:
            return {"type": "http.disconnect"}
        if not self._streams_events:
            return await self._receive()
        incoming = asyncio.ensure_future(self._receive())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait((incoming, closing), return_when=asyncio.FIRST_COMPLETED)
            return incoming.result() if incoming.done() else {"type": "http.disconnect"}
        finally:
            incoming.cancel()
            closing.cancel()

    async def send(self, message: Message) -> None:
        """The next part of the answer."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self.retry_as_get or self._done:
            return
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        headers: Headers = list(message.get("headers", []))
        given = {name.lower(): value for name, value in headers}
        over = b""
        if given.get(b"content-type", b"").startswith(EVENT_STREAM) and not self._head:
            self.listens = self._streams.open(self._scope)
            if self.listens is None:
                message, over = {**message, "status": TOO_MANY}, LISTENING
                headers = [
                    (b"content-type", b"application/problem+json"),
                    (b"content-length", b"%d" % len(over)),
                    (b"cache-control", b"no-store"),
                    (b"retry-after", b"60"),
                ]
                given = dict(headers)
        if self._head and not self._tried_head:
            self._tried_head = True
            # No handler for HEAD but one for GET: ask again as GET and leave the body away (RFC 9110, 9.3.2).
            if message["status"] == METHOD_NOT_ALLOWED and b"GET" in given.get(b"allow", b""):
                self.retry_as_get = True
                return
        framed = b"frame-ancestors" in given.get(POLICY, b"") and UNFRAMED not in given[POLICY]
        headers += [pair for pair in SECURITY_HEADERS if pair[0] not in given and not (framed and pair[0] == FRAMES)]
        if self._sites:
            headers = [(k, allowing(v, self._sites) if k.lower() == POLICY else v) for k, v in headers]
        if b"cache-control" not in given:
            headers.append(NOT_FOR_CACHES)
        headers.append((REQUEST_ID, self._request_id))
        self.status = message["status"]
        self._streams_events = given.get(b"content-type", b"").startswith(EVENT_STREAM)
        await self._send({**message, "headers": headers})
        if self._head or over:
            self._done = True
            await self._send({"type": "http.response.body", "body": over})


NOT_FOR_CACHES = (b"cache-control", b"private, no-store")
"""What an answer is unless its route says otherwise: it may be made for one person, and carry permissions to play."""


def _request_id(scope: Scope) -> bytes:
    """The id a proxy has given the request if it looks like one, else a fresh one of 16 hex digits."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _ACCEPTED_ID.fullmatch(value):
            return bytes(value)
    return os.urandom(8).hex().encode()


async def _starting(scope: Scope, send: Send) -> None:
    """The answer while migrations run and parts start."""
    alive = scope["path"] == LIVE
    headers: Headers = [(b"cache-control", b"no-store"), *SECURITY_HEADERS]
    if alive:
        body = b'{"status": "starting"}'
        headers.append((b"content-type", b"application/json"))
    else:
        body = STARTING
        headers += [(b"content-type", b"application/problem+json"), (b"retry-after", b"1")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200 if alive else 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
