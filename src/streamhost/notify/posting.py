"""One POST to an address that somebody has typed in: guarded, bounded in time and size, never redirected.

HTTP/1.1 by h11, one connection a request, to the address that was checked; TLS still asks for the name.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from streamhost.late import late
from streamhost.notify.addresses import Address, AddressGuard, AddressRefused, Route

if TYPE_CHECKING:
    import h11
else:
    h11 = late("h11")

READ_BYTES = 4096
HEAD_BYTES = 16 * 1024
"""How much of an answer's head is read."""
BODY_BYTES = 2048
"""How much of an answer's body is read; of the rest nobody knows."""
URL_LENGTH = 2000
PORTS = {"https": 443, "http": 80}
LAST_PORT = 65535


class PostFailed(Exception):
    """No complete head of an answer came. The words say why, without what the other side had sent."""


class PostForbidden(Exception):
    """The request was not made: where it would have gone is not allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers by lower-case name, the beginning of the body as text."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a checked URL."""

    scheme: str
    host: str
    port: int
    resource: str

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of an http or https URL without user and fragment. Raises `ValueError` with a sentence."""
    if len(url) > URL_LENGTH:
        raise ValueError(f"It is longer than {URL_LENGTH} characters.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("It has characters in it that no address has.")
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise ValueError("It is no address.") from None
    if parts.scheme not in PORTS:
        raise ValueError("It has to begin with https://.")
    if not host or port == 0:
        raise ValueError("It names no host, or no port.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("It must not hold a name or a password.")
    if parts.fragment or url.endswith("#"):
        raise ValueError("It must not have a part after a #.")
    try:
        name = host if ":" in host else host.encode("idna").decode()
        resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        resource.encode("ascii")
    except UnicodeError:
        raise ValueError("It has letters in it that must be percent-encoded.") from None
    return Target(parts.scheme, name, port or PORTS[parts.scheme], resource)


class Poster:
    """Sends POST requests through a guard. `seconds` is for the whole of one, from the resolver to the answer."""

    def __init__(self, guard: AddressGuard, seconds: float, ca_file: str = "") -> None:
        """Raises `OSError` or `ssl.SSLError` for a `ca_file` that cannot be read."""
        self._guard = guard
        self._seconds = seconds
        self._tls = _trusting(ca_file) if ca_file else None

    def _secure(self) -> ssl.SSLContext:
        """Made when it is first needed: reading the system's authorities takes a while."""
        if self._tls is None:
            self._tls = _trusting("")
        return self._tls

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whatever its status; redirects are answers. Plain http goes to allowed networks only.

        Raises `PostFailed`, `PostForbidden`, or `ValueError` for what is no URL."""
        target = target_of(url)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(target, headers, body)
        except TimeoutError:
            raise PostFailed(f"There was no answer within {self._seconds:g} seconds.") from None

    async def check(self, url: str) -> None:
        """Whether a request might be sent there. Raises as `post`, `PostFailed` if the host has no address now."""
        target = target_of(url)
        try:
            async with asyncio.timeout(self._seconds):
                await self._route(target)
        except TimeoutError:
            raise PostFailed("The host's address is not told in time.") from None

    async def _route(self, target: Target) -> Route:
        try:
            route = await self._guard.route(target.host, target.port)
        except AddressRefused:
            raise PostForbidden("It leads into a private network, or to where no server of others can be.") from None
        except (OSError, UnicodeError):
            raise PostFailed("The host has no address.") from None
        if target.scheme == "http" and not route.trusted:
            raise PostForbidden("Plain http would let everybody on the way read along; use https.")
        return route

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        route = await self._route(target)
        reader, writer = await self._connected(target, route.addresses)
        try:
            return await _exchange(reader, writer, target, headers, body)
        except (OSError, ssl.SSLError):
            raise PostFailed("The connection broke before the answer.") from None
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.transport.abort()

    async def _connected(
        self, target: Target, addresses: tuple[Address, ...]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first address that takes it."""
        why = "Nobody answers there."
        secure = target.scheme == "https"
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    str(address),
                    target.port,
                    limit=READ_BYTES,
                    ssl=self._secure() if secure else None,
                    server_hostname=target.host if secure else None,
                )
            except ssl.SSLCertVerificationError as error:
                why = f"It cannot prove who it is: {error.verify_message}."
            except ssl.SSLError:
                why = "It does not speak TLS as it should."
            except ConnectionRefusedError:
                why = "The connection was refused."
            except OSError:
                why = "The connection could not be made."
        raise PostFailed(why)


def _trusting(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    lines = {"Host": target.authority, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    request = h11.Request(method="POST", target=target.resource, headers=list(lines.items()))
    for part in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(conn.send(part) or b"")
    # An answer may come before all was taken, and the rest then be refused: look at what has come in any case.
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    head: h11.Response | None = None
    pieces: list[bytes] = []
    try:
        while (event := conn.next_event()) is not h11.PAUSED:
            if event is h11.NEED_DATA:
                conn.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or sum(map(len, pieces)) >= BODY_BYTES:
                break
    except (h11.RemoteProtocolError, OSError):
        # What comes after a complete head does not matter.
        if head is None:
            raise PostFailed("What came back is no answer.") from None
    if head is None:
        raise PostFailed("The connection was closed without an answer.")
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Answer(head.status_code, said, b"".join(pieces)[:BODY_BYTES].decode("utf-8", "replace"))
