"""Seconds from the last byte of an hour of 720p30 H.264 and AAC to a video that plays, through the real server.

    .venv/bin/python tests/benchmarks/bench_playable.py [minutes]

The file is sent by one request; the clock starts when its last piece is handed to the socket and stops when the first
segment of picture and sound has been fetched. The answer (by then the bytes are synced and the job is in the catalog)
is timed too, from the first byte on.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.testing import clips  # noqa: E402 -- after the path to the tests
from tests.benchmarks.bench_copy import PIECE  # noqa: E402 -- likewise
from tests.support.server import Api, RunningServer  # noqa: E402 -- likewise
from tests.unit.media.content import looped  # noqa: E402 -- likewise


def first_segments(api: Api, video_id: str) -> None:
    """Fetch what a player fetches before its first picture, of every track."""
    master = api.stream(video_id)["hls"]
    text = api.get(master).raise_for_status().text
    for name in re.findall(r"(?:^|URI=\")([^#\s\"]+index\.m3u8)", text, re.MULTILINE):
        playlist = urljoin(master, name)
        lines = api.get(playlist).raise_for_status().text.splitlines()
        segment = next(line for line in lines if line and not line.startswith("#"))
        api.get(urljoin(playlist, "init.mp4")).raise_for_status()
        api.get(urljoin(playlist, segment)).raise_for_status()


class Noting(io.FileIO):
    """A file that knows when something was last read of it."""

    last = 0.0

    def read(self, size: int | None = -1) -> bytes:
        """Read as files do."""
        piece = super().read(-1 if size is None else size)
        if piece:
            self.last = time.monotonic()
        return piece


def main() -> None:
    """Print the figures."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory(prefix="bench-playable-") as folder:
        source = looped(clips.make(Path(folder) / "piece.mp4", PIECE), Path(folder) / "hour.mp4", minutes * 60)
        print(f"{minutes} minutes, {source.stat().st_size / 1e6:.0f} MB")
        server = RunningServer(Path(folder) / "data").start()
        try:
            server.add_user("alice@example.org")
            api = server.client("alice@example.org")
            began = time.monotonic()
            with Noting(source) as file:
                answer = api.post("/api/v1/upload", files={"file": (source.name, file)}, data={"title": "An hour"})
                sent, received = file.last, time.monotonic()
            video_id = answer.raise_for_status().json()["video"]["id"]
            api.wait_until(video_id, "playable", seconds=600)
            first_segments(api, video_id)
            playable = time.monotonic()
        finally:
            server.stop()
    words = {"name": f"{minutes} minutes of 720p: last byte to playable", "unit": "s", "aim": "<= 5"}
    print(json.dumps(words | {"ours": round(playable - sent, 2), "peer": None, "ratio": None}))
    words = {"name": f"{minutes} minutes of 720p: sent and acknowledged", "unit": "s"}
    print(json.dumps(words | {"ours": round(received - began, 2), "peer": None, "ratio": None}))


if __name__ == "__main__":
    main()
