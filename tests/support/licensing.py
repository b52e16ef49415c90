"""A small web server that hands out a package, its keys and its licences: what the real server does, with no questions.

It is not the product's: so players prove that the files and manifests work by what the standards say alone.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from streamhost.model.protection import Protecting


@dataclass
class Site:
    """What is served: `roots` are folders by the first part of the path. `asked` are the paths that were fetched."""

    roots: dict[str, Path]
    keys: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def knows(self, protecting: Protecting, *, wrong: bool = False) -> None:
        """Hand out these keys; with `wrong`, others under their names."""
        for key in (*protecting.video, *protecting.audio):
            self.keys[key.kid] = key.key[::-1] if wrong else key.key


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".m4s": "video/mp4"}
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, site: Site) -> None:
        self.site = site
        super().__init__(*args)  # type: ignore[arg-type]  # the server's own three

    def translate_path(self, path: str) -> str:
        root, _, rest = path.split("?")[0].lstrip("/").partition("/")
        return str(self.site.roots.get(root, Path("/nonexistent")) / rest)

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        if self.path in self.site.pages:
            self._answer(self.site.pages[self.path].encode(), "text/html")
        elif "/key/" in self.path:
            kid = self.path.rsplit("/", 1)[1]
            self._answer(bytes.fromhex(self.site.keys[kid]), "application/octet-stream")
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self.site.asked.append(self.path)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kids = [urlsafe_b64decode(kid + "==").hex() for kid in asked["kids"]]
        keys = [{"kty": "oct", "kid": _text(kid), "k": _text(self.site.keys[kid])} for kid in kids]
        self._answer(json.dumps({"keys": keys, "type": asked["type"]}).encode(), "application/json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def _text(digits: str) -> str:
    return urlsafe_b64encode(bytes.fromhex(digits)).decode().rstrip("=")


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """Serve until the block ends; `site.url` says where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site=site))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
