"""A small client of the HTTP API, with nothing but Python's standard library: sign in, upload, wait, edit, find, play.

    python client.py http://127.0.0.1:8000 alice@example.org film.mp4 --title "My film"

The password comes from the variable PASSWORD. Uploads speak tus 1.0.0, so that one that broke off goes on where it was.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any

CHUNK = 16 * 1024**2


class Client:
    """One server, and who we are there."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.token = ""

    def ask(
        self, method: str, path: str, document: object = None, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[dict[str, str], Any]:
        """One request; the answer's headers and its JSON. Refusals are problem documents (RFC 9457)."""
        sent = dict(headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if document is not None:
            body, sent["Content-Type"] = json.dumps(document).encode(), "application/json"
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), body or None, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return {k.lower(): v for k, v in answer.headers.items()}, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or b"{}")
            raise SystemExit(
                f"{problem.get('code', error.code)}: {problem.get('title')} {problem.get('detail', '')}"
            ) from None

    def sign_in(self, email: str, password: str) -> None:
        """Get an access token. It lives for minutes; `POST /api/v1/auth/refresh` gets the next one."""
        self.token = self.ask("POST", "/api/v1/auth/login", {"email": email, "password": password})[1]["access_token"]

    def upload(self, file: Path, title: str) -> str:
        """Send a file in chunks; the id of the video that it has become."""
        words = {"filename": file.name, "title": title, "visibility": "private"}
        metadata = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in words.items())
        size = file.stat().st_size
        head = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": metadata}
        place = self.ask("POST", "/api/v1/uploads", headers=head)[0]["location"]
        offset, video = 0, ""
        with file.open("rb") as content:
            while not video:
                content.seek(offset)
                head = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)}
                head["Content-Type"] = "application/offset+octet-stream"
                try:
                    said, _ = self.ask("PATCH", place, headers=head, body=content.read(CHUNK))
                except (OSError, http.client.HTTPException):
                    # The connection broke: ask how much has arrived, then go on there.
                    time.sleep(1)
                    said, _ = self.ask("HEAD", place, headers={"Tus-Resumable": "1.0.0"})
                offset = int(said["upload-offset"])
                video = said.get("streamhost-video", "")
        return video

    def wait(self, video: str) -> dict[str, Any]:
        """Follow the making of a video by server-sent events; its document once it is ready."""
        path = f"{self.url}/api/v1/videos/{video}/events"
        request = urllib.request.Request(path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as events:
            for line in events:
                if line.startswith(b"data:"):
                    news = json.loads(line.removeprefix(b"data:"))
                    print(f"{news.get('state', '')} {news.get('progress', 0):.0%}", file=sys.stderr)
        document: dict[str, Any] = self.ask("GET", f"/api/v1/videos/{video}")[1]
        return document


def main() -> int:
    """Do all of it, and print where the video plays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("email")
    parser.add_argument("file", type=Path)
    parser.add_argument("--title", default="A film")
    said = parser.parse_args()
    client = Client(said.url)
    client.sign_in(said.email, os.environ["PASSWORD"])
    video = client.upload(said.file, said.title)
    document = client.wait(video)
    if document["state"] != "ready":
        raise SystemExit(f"It is {document['state']}: {document['error']}")
    client.ask("PATCH", f"/api/v1/videos/{video}", {"visibility": "unlisted", "tags": ["by a script"]})
    mine = client.ask("GET", "/api/v1/videos?owner=me&limit=10")[1]["items"]
    stream = client.ask("GET", f"/api/v1/stream/{video}")[1]
    print(json.dumps({"id": video, "mine": len(mine), "hls": urllib.parse.urljoin(said.url, stream["hls"])}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
