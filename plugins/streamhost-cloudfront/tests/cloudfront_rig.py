"""What stands in for CloudFront: a real HTTP server that checks signatures by OpenSSL, and requests by botocore."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PAIR = "K2JCJMDEHXQW5F"
DISTRIBUTION, ACCESS_KEY, ACCESS_SECRET = "EDFDVBD632BHDS5", "ANACCESSKEY", "an access key's own"


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key of RSA and its public half, as files in PEM."""

    private: Path
    public: Path

    @property
    def pem(self) -> str:
        """The private key's text."""
        return self.private.read_text()

    def sign(self, message: bytes) -> bytes:
        """OpenSSL's signature."""
        command = ["openssl", "dgst", "-sha1", "-sign", str(self.private)]
        return subprocess.run(command, input=message, capture_output=True, check=True).stdout

    def verify(self, message: bytes, signature: bytes) -> bool:
        """What OpenSSL says of a signature."""
        file = self.public.with_suffix(f".{time.monotonic_ns()}.sig")
        file.write_bytes(signature)
        command = ["openssl", "dgst", "-sha1", "-verify", str(self.public), "-signature", str(file)]
        return subprocess.run(command, input=message, capture_output=True, check=False).returncode == 0


def make_pair(folder: Path, bits: int = 2048) -> Pair:
    """A fresh pair by OpenSSL."""
    pair = Pair(folder / f"private-{bits}.pem", folder / f"public-{bits}.pem")
    subprocess.run(["openssl", "genrsa", "-out", str(pair.private), str(bits)], capture_output=True, check=True)
    command = ["openssl", "rsa", "-in", str(pair.private), "-pubout", "-out", str(pair.public)]
    subprocess.run(command, capture_output=True, check=True)
    return pair


@dataclass(slots=True)
class Standin:
    """Objects by key, the pair that opens them, and the invalidations that were asked for."""

    pair: Pair
    objects: Mapping[str, bytes]
    url: str = ""
    invalidations: list[str] = field(default_factory=list)

    def allows(self, url: str) -> bool:
        """Whether CloudFront would let a viewer with this URL in, by its developer guide."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        policy, signature = (_bytes(query[name]) for name in ("Policy", "Signature"))
        if query["Key-Pair-Id"] != PAIR or not self.pair.verify(policy, signature):
            return False
        (statement,) = json.loads(policy)["Statement"]
        in_time = statement["Condition"]["DateLessThan"]["AWS:EpochTime"] > time.time()
        return in_time and fnmatchcase(url.partition("?")[0], statement["Resource"])


def _bytes(text: str) -> bytes:
    return b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)


class _Handler(BaseHTTPRequestHandler):
    standin: Standin

    def do_GET(self) -> None:
        """A viewer asks for an object."""
        key = urlsplit(self.path).path.removeprefix("/")
        try:
            fine = self.standin.allows(self.standin.url + self.path)
        except (KeyError, ValueError):
            fine = False
        self._answer(*((200, self.standin.objects[key]) if fine and key in self.standin.objects else (403, b"")))

    def do_POST(self) -> None:
        """Somebody creates an invalidation."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._proven(body):
            self.standin.invalidations.append(body.decode())
            self._answer(201, b"<Invalidation/>")
        else:
            self._answer(403, b"<Error>SignatureDoesNotMatch</Error>")

    def _proven(self, body: bytes) -> bool:
        """Whether botocore signs the same request alike."""
        names = self.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = {name: self.headers[name] for name in names}
        request = AWSRequest("POST", self.standin.url + self.path, data=body, headers=headers)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(ACCESS_KEY, ACCESS_SECRET), "cloudfront", "us-east-1")
        text = auth.string_to_sign(request, auth.canonical_request(request))
        return bool(self.headers["Authorization"].endswith(f"Signature={auth.signature(text, request)}"))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def standin(pair: Pair, objects: Mapping[str, bytes]) -> Iterator[Standin]:
    """Run one on loopback."""
    made = Standin(pair, objects)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"standin": made}))
    made.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
