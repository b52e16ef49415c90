"""A proxy in front of an HTTP server that misbehaves as asked: busy, full, slow, or breaking off in the middle."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FOR_EVER = 10**9
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
QUOTA = b"<?xml version='1.0'?><Error><Code>QuotaExceeded</Code><Message>Bucket quota exceeded</Message></Error>"
DROPPED = ("connection", "transfer-encoding", "keep-alive")


class Faults(ThreadingHTTPServer):
    """What is to go wrong. The numbers count down with every request that meets them."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(url).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.busy = 0
        """Requests that are told to slow down (503)."""
        self.cut_up = 0
        """Bodies that are taken in half; then the connection breaks."""
        self.cut_down = 0
        """Answers of which half is sent; then the connection breaks."""
        self.delay = 0.0
        """Seconds that every answer takes longer."""
        self.largest = FOR_EVER
        """Bodies above so many bytes meet a full quota (507)."""
        self.requests = 0
        self.open = 0
        """Requests that are being answered."""

    def spend(self, name: str) -> bool:
        """Whether a fault is due; counts it down."""
        left = int(getattr(self, name))
        setattr(self, name, max(0, left - 1))
        return left > 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faults

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        """Pass a request on, unless something is to go wrong."""
        faults = self.server
        faults.requests += 1
        length = int(self.headers.get("content-length") or 0)
        if length and faults.spend("cut_up"):
            self.rfile.read(length // 2)
            self._break_off()
            return
        body = self.rfile.read(length)
        time.sleep(faults.delay)
        if faults.spend("busy"):
            self._say(503, SLOW_DOWN)
        elif length > faults.largest:
            self._say(507, QUOTA)
        else:
            faults.open += 1
            try:
                self._pass_on(body)
            except OSError:
                self._break_off()
            finally:
                faults.open -= 1

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def _pass_on(self, body: bytes) -> None:
        behind = http.client.HTTPConnection(self.server.target, timeout=150)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            behind.putheader(name, value)
        behind.endheaders(body or None)
        answer = behind.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED and (name.lower() != "content-length" or self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        behind.close()
        if self.command == "GET" and content and self.server.spend("cut_down"):
            self.wfile.write(content[: len(content) // 2])
            self._break_off()
            return
        self.wfile.write(content)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break_off(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()


@contextmanager
def faults_before(url: str) -> Iterator[Faults]:
    """A proxy in front of the server at `url`."""
    proxy = Faults(url)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
