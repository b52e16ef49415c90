"""Requests as they come in, by llhttp, the parser of Node.js (`httptools`): strict, and used by many."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from streamhost.late import late
from streamhost.server.door import Headers, Scope

if TYPE_CHECKING:
    import httptools
else:
    httptools = late("httptools")

HEAD_BYTES = 64 * 1024
"""The longest head of a request, as on the server's other port."""
HEADERS = 100
BODY_BYTES = 128 * 1024
"""The longest body: only licence requests have one, which may be half as long (`licences.py` refuses with words)."""
FRAMED_BYTES = 8 * BODY_BYTES
"""The longest body with what chunks say of themselves, and trailers."""
_GO_ON = re.compile(rb"\s*100-continue\s*", re.IGNORECASE)
BAD_REQUEST, TOO_LARGE, HEAD_TOO_LARGE = 400, 413, 431


class Refused(Exception):
    """What was sent is no request that can be answered: the connection ends with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


@dataclass(slots=True)
class Request:
    """One whole request. `lasting`: the client wants the connection to stay open after it."""

    scope: Scope
    body: bytes
    lasting: bool


class Reader:
    """Takes bytes and gives requests; one for each connection."""

    __slots__ = (
        "_body", "_client", "_fed", "_headers", "_hosts", "_in_head", "_latest", "_parser", "_target", "ready", "waits",
    )  # fmt: skip

    def __init__(self, client: tuple[str, int]) -> None:
        self._client = client
        self._parser = httptools.HttpRequestParser(self)
        self._fed = self._latest = 0
        self._in_head = False
        self._target = b""
        self._headers: Headers = []
        self._hosts = 0
        self._body = bytearray()
        self.ready: list[Request] = []
        """Requests that are whole, the first one first."""
        self.waits = False
        """Whether the client holds its body back until it is told to go on (RFC 9110, section 10.1.1)."""

    @property
    def amid(self) -> bool:
        """Whether a request has begun and is not whole yet."""
        return self._fed > 0

    def feed(self, data: bytes) -> None:
        """Take what came. Raises `Refused`; what was whole before that is `ready` nevertheless."""
        self._latest = len(data)
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing is upgraded here (RFC 9110, section 7.8): the request is answered as it stands, as the last one.
            if not self.ready:
                raise Refused(BAD_REQUEST) from None
            self.ready[-1].lasting = False
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            raise Refused(cause.status if isinstance(cause, Refused) else BAD_REQUEST) from error
        except httptools.HttpParserError as error:
            raise Refused(BAD_REQUEST) from error
        # What came with its beginning may have been of the requests before it.
        if self._in_head and self._fed > 2 * HEAD_BYTES:
            raise Refused(HEAD_TOO_LARGE)
        if self._fed > 2 * HEAD_BYTES + FRAMED_BYTES:
            raise Refused(TOO_LARGE)

    def on_message_begin(self) -> None:
        """The parser: a request begins."""
        self._fed, self._in_head, self._hosts = self._latest, True, 0
        self._target, self._headers, self._body = b"", [], bytearray()

    def on_url(self, part: bytes) -> None:
        """The parser: more of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser: a header, or after the body a trailer, which nobody here wants."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        self._headers.append((name, value))
        if len(self._headers) > HEADERS:
            raise Refused(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The parser: the head is whole."""
        self._in_head = False
        if self._fed > HEAD_BYTES and sum(len(name) + len(value) + 4 for name, value in self._headers) > HEAD_BYTES:
            raise Refused(HEAD_TOO_LARGE)
        # RFC 9112, section 3.2: exactly one, but for HTTP/1.0, which knows none.
        if self._hosts != 1 and (self._hosts or self._parser.get_http_version() != "1.0"):
            raise Refused(BAD_REQUEST)
        if self._parser.get_http_version() != "1.0":
            self.waits = any(name == b"expect" and _GO_ON.fullmatch(value) for name, value in self._headers)

    def on_body(self, part: bytes) -> None:
        """The parser: more of the body."""
        self._body += part
        if len(self._body) > BODY_BYTES:
            raise Refused(TOO_LARGE)

    def on_message_complete(self) -> None:
        """The parser: the request is whole."""
        self._fed, self.waits = 0, False
        path, _, query = self._target.partition(b"?")
        if not path.startswith(b"/"):
            # The absolute form (RFC 9112, section 3.2.2); any other is for proxies.
            _, _, rest = path.partition(b"://")
            path = b"/" + rest.partition(b"/")[2]
        text = path.decode("latin-1")
        version = self._parser.get_http_version()
        scope: Scope = {
            "type": "http",
            "method": self._parser.get_method().decode("latin-1"),
            "path": unquote(text, errors="replace") if "%" in text else text,
            "query_string": query,
            "headers": self._headers,
            "client": self._client,
            "scheme": "http",
            "http_version": version,
        }
        lasting = self._parser.should_keep_alive() and version != "1.0"
        self.ready.append(Request(scope, bytes(self._body), lasting))
