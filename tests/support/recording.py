"""A real HTTP server that writes down what it is asked, and answers as it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass(slots=True)
class Recording:
    """Its address, what it answers from now on, and everything it was asked."""

    url: str = ""
    status: int = 200
    asked: list[Asked] = field(default_factory=list)

    def of(self, method: str) -> list[Asked]:
        """The requests of one method."""
        return [one for one in self.asked if one.method == method]


class _Handler(BaseHTTPRequestHandler):
    recording: Recording

    def do_GET(self) -> None:
        """Write it down and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(self.command, self.path, self.headers.get("Authorization") or "", body)
        status = self.recording.status  # of the moment before anybody can see that it was asked
        self.recording.asked.append(asked)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def recording() -> Iterator[Recording]:
    """Run one on loopback."""
    made = Recording()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"recording": made}))
    made.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
