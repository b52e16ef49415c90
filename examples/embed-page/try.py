"""A video in a page of another site, tried on one machine: a site with a short public video, and a blog at another
origin that is given nothing but the address of the video's page."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from streamhost.testing.clips import Clip, make

EMAIL, PASSWORD = "alice@example.org", "correct horse battery"
PATIENCE = 120.0
OEMBED = "application/json+oembed"


class _Discovery(HTMLParser):
    """Finds the address at which a page says that its oEmbed answer is."""

    def __init__(self) -> None:
        super().__init__()
        self.address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        if tag == "link" and given.get("type") == OEMBED:
            self.address = given.get("href") or ""


def embed_code(page: str, width: int = 800) -> dict[str, Any]:
    """All that a site has to do: read the page whose address somebody has pasted, and ask where it says.

    Answers the members of oEmbed: `html` is the code of the player, `width` and `height` its size."""
    found = _Discovery()
    with urlopen(page, timeout=30) as answer:
        found.feed(answer.read().decode())
    if not found.address:
        raise SystemExit(f"{page} offers no player.")
    with urlopen(f"{found.address}&maxwidth={width}", timeout=30) as answer:
        members: dict[str, Any] = json.load(answer)
    return members


def main() -> None:
    """Do it, step by step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end once the blog's page was fetched")
    once = parser.parse_args().once
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        root = Path(name)
        site = stack.enter_context(_site(root))
        video = f"{site}/watch/{_upload(root, site)}"
        player = embed_code(video)
        body = f"<!doctype html><title>A blog</title><h1>Look at this</h1>{player['html']}<p>{escape(player['title'])}"
        blog = stack.enter_context(_blog(body))
        with urlopen(blog, timeout=30) as answer:
            if "<iframe" not in answer.read().decode():
                raise SystemExit("The blog has no frame.")
        print(f"The blog at {blog} shows {video} in a frame of {player['width']} x {player['height']}.", flush=True)
        if not once:
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()


@contextlib.contextmanager
def _blog(body: str) -> Iterator[str]:
    """A web site of somebody else with one page; answers its address. `localhost` is another origin than 127.0.0.1."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the page."""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _site(root: Path) -> Iterator[str]:
    """A site with one user, on a free port; answers its address."""
    data, log = root / "data", root / "site.log"
    add = [sys.executable, "-m", "streamhost", "users", "add", EMAIL, "--name", "Alice", "--role", "creator"]
    subprocess.run(
        [*add, "--verified", "--password-stdin", "--data", str(data)],
        input=PASSWORD.encode(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    serve = [sys.executable, "-m", "streamhost", "serve", "--data", str(data), "--port", "0"]
    with log.open("wb") as out:
        process = subprocess.Popen(serve, stdout=out, stderr=out)
        try:
            end = time.monotonic() + PATIENCE
            while b"server is ready" not in log.read_bytes():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(log.read_text("utf-8", "replace"))
                time.sleep(0.1)
            address = re.search(r"http://[\d.]+:\d+", log.read_text("utf-8", "replace"))
            if address is None:
                raise SystemExit(log.read_text("utf-8", "replace"))
            yield address.group()
        finally:
            process.terminate()
            process.wait(60)


def _upload(root: Path, site: str) -> str:
    """Send a clip of four seconds; answers the video's id once it is ready, and public."""
    token = _ask(f"{site}/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]
    clip = make(root / "clip.mp4", Clip(seconds=4.0, width=320, height=180))
    command = [sys.executable, "-m", "streamhost", "videos", "upload", str(clip), "--title", "Bars", "--url", site]
    settings = os.environ | {"STREAMHOST_TOKEN": token}
    done = subprocess.run([*command, "--wait", "--json"], env=settings, check=True, capture_output=True)
    video = str(json.loads(done.stdout)["id"])
    _ask(f"{site}/api/v1/videos/{video}", {"visibility": "public"}, token, "PATCH")
    return video


def _ask(url: str, document: Any, token: str = "", method: str = "POST") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urlopen(Request(url, json.dumps(document).encode(), headers, method=method), timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
