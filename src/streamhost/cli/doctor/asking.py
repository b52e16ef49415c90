"""Requests as a viewer's program makes them, to this machine unless others were allowed."""

from __future__ import annotations

import http.client
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 10.0
"""Seconds for a connection, and for the next bytes of an answer."""
UNHEARD = 10.0
"""Seconds in which nothing is said to the beginning of a large body, after which nothing will be before its end."""
LARGEST = 1024**2
BETWEEN = 0.1
"""Seconds between two pieces of a body."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Connection(http.client.HTTPConnection):
    """To an address of our choice, whatever the name says."""

    def __init__(self, host: str, port: int, machine: str, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self._machine = machine
        self._context = context

    def connect(self) -> None:
        """To the machine; by TLS it must prove that it has the name."""
        self.sock = socket.create_connection((self._machine, self.port), PATIENCE)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


@dataclass(frozen=True, slots=True)
class Site:
    """A site's address, and the machine that is asked for it."""

    url: str
    machine: str
    is_own: bool
    """Whether the name leads to this machine by itself."""

    @classmethod
    def of(cls, url: str, *, outside: bool) -> Site:
        """The address as this machine knows it. Where the name leads elsewhere, a proxy here is asked in its name,
        unless others may be. Raises `OSError` for a name that nobody knows."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = [str(one[4][0]) for one in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)]
        own = [one for one in found if is_own(one)]
        mine = next((one for one in own if _listens(one, port)), own[0] if own else None)
        return cls(url.rstrip("/"), mine or (found[0] if outside else LOOPBACK), mine is not None)

    def ask(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request, its answer read up to a megabyte. Raises `OSError` and `http.client.HTTPException`."""
        with self._connected() as connection:
            connection.request(method, path, body, dict(headers or {}))
            return _read(connection.getresponse())

    def begin(self, path: str, length: int, piece: bytes) -> Answer | None:
        """The head of a request with a body of `length` bytes, then one piece of it after another until something is
        answered to that; None if nothing is within `UNHEARD`. Raises as `ask`.

        Pieces go on because some proxies look at an early answer only when there is more to hand on."""
        with self._connected() as connection:
            connection.putrequest("POST", path)
            connection.putheader("Content-Type", "application/octet-stream")
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            deadline = time.monotonic() + UNHEARD
            while time.monotonic() < deadline:
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(piece)
                if select.select([connection.sock], [], [], BETWEEN)[0]:
                    return _read(connection.getresponse())
        return None

    def lines(self, path: str, headers: Mapping[str, str]) -> Iterator[tuple[float, str]]:
        """The lines of an answer with the moment at which each came (seconds since the request). Raises as `ask`, and
        `http.client.HTTPException` for what is no success."""
        with self._connected() as connection:
            begun = time.monotonic()
            connection.request("GET", path, headers=dict(headers))
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"{path} was answered with {response.status}")
            while line := response.readline(LARGEST):
                yield time.monotonic() - begun, line.decode("utf-8", "replace").rstrip("\r\n")

    def certificate_days(self) -> float | None:
        """For how many days the certificate still counts; None without TLS. Raises as `ask`."""
        if not self.url.startswith("https:"):
            return None
        with self._connected() as connection:
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket), "the address says https"
            found = connection.sock.getpeercert() or {}
            return (ssl.cert_time_to_seconds(str(found["notAfter"])) - time.time()) / 86400

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        parts = urlsplit(self.url)
        tls = parts.scheme == "https"
        context = ssl.create_default_context() if tls else None
        connection = _Connection(parts.hostname or "", parts.port or (443 if tls else 80), self.machine, context)
        try:
            yield connection
        finally:
            connection.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read(LARGEST))


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), PATIENCE).close()
    except OSError:
        return False
    return True


def is_own(address: str) -> bool:
    """Whether an address is one of this machine's: only to those a socket can be bound."""
    try:
        kind = socket.AF_INET6 if ipaddress.ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except (OSError, ValueError):
        return False
    return True
