"""Milliseconds from opening a page to the first picture that moves, in Chromium on loopback; and from pressing play.

    .venv/bin/python tests/benchmarks/bench_player.py [--rounds 9]

Pages start by themselves, muted (`?autoplay=1&muted=1`). Cold: nothing in the browser's caches. Warm: it has seen the
page twice, as a visitor's who watches one video after another. The peer is a bare page with hls.js and nothing else,
which is told the address of the stream and need not ask for it. Medians of alternating rounds; the clip is Big Buck
Bunny (720p, 5 s, copied and encoded to lower qualities).

A small extension holds the stopwatch (`stopwatch/`), not a program that steers the browser from outside: where one
listens, Chromium looks up where in the source each caught exception was thrown, which makes Shaka Player's start 40 ms
longer than for anybody who watches.
"""

from __future__ import annotations

import argparse
import json
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.others import HLS_JS  # noqa: E402
from tests.browser.support import CHROMIUM, FLAGS, bunny  # noqa: E402
from tests.support.server import RunningServer  # noqa: E402

STOPWATCH = Path(__file__).parent / "stopwatch"
PATIENCE = 120
"""Seconds until a page that shows nothing ends the measurement."""
BARE = """<!doctype html><title>hls.js</title><video muted autoplay playsinline></video><script src="hls.js"></script>
<script>
  const hls = new Hls();
  hls.loadSource("{stream}");
  hls.attachMedia(document.querySelector('video'));
</script>"""


class Peer(SimpleHTTPRequestHandler):
    """The bare page, and the place where the stopwatch reports."""

    reports: queue.Queue[dict[str, Any]] = queue.Queue()

    def do_POST(self) -> None:
        """Take one measured page."""
        self.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Run and print: one JSON line for each figure, then words."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-player-") as name:
        folder = Path(name)
        site = RunningServer(folder / "data").start()
        bare = folder / "bare"
        bare.mkdir()
        peer = ThreadingHTTPServer(("127.0.0.1", 0), partial(Peer, directory=str(bare)))
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        try:
            site.add_user("alice@example.org", "creator")
            alice = site.client("alice@example.org")
            video = alice.upload(bunny(), title="Big Buck Bunny", visibility="public")
            alice.wait_until(video, "ready")
            (bare / "hls.js").write_bytes(HLS_JS.read_bytes())
            stream = alice.stream(video)["hls"]
            (bare / "index.html").write_text(BARE.replace("{stream}", site.url + stream))
            pages = {
                "watch page": f"{site.url}/watch/{video}?autoplay=1&muted=1",
                "embed page": f"{site.url}/embed/{video}?autoplay=1&muted=1",
                "hls.js": f"http://127.0.0.1:{peer.server_port}/",
            }
            pressed = {"name": "pressed", "address": f"{site.url}/watch/{video}#press", "fresh": False}
            _tell_all(_measured(folder, peer.server_port, _visits(pages) * rounds + [pressed] * rounds))
        finally:
            peer.shutdown()
            site.stop()


def _visits(pages: dict[str, str]) -> list[dict[str, Any]]:
    """One round: each page for the first, the second and the third time."""
    return [
        {"name": f"{name}, {state}", "address": address, "fresh": state == "cold"}
        for name, address in pages.items()
        for state in ("cold", "again", "warm")
    ]


def _measured(folder: Path, port: int, steps: list[dict[str, Any]]) -> dict[str, float]:
    """The medians by name, of a browser that nobody steers."""
    stopwatch = shutil.copytree(STOPWATCH, folder / "stopwatch")
    (stopwatch / "plan.json").write_text(json.dumps({"report": f"http://127.0.0.1:{port}/", "steps": steps}))
    command = [CHROMIUM, "--headless=new", *FLAGS, "--window-size=1280,800", "--mute-audio"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--load-extension={stopwatch}", "about:blank"]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found: dict[str, list[float]] = {}
    try:
        for _ in steps:
            report = Peer.reports.get(timeout=PATIENCE)
            found.setdefault(report["name"], []).append(report["took"])
    finally:
        browser.terminate()
        browser.wait()
    return {name: statistics.median(values) for name, values in found.items()}


def _tell_all(medians: dict[str, float]) -> None:
    for name in ("watch page", "embed page"):
        for state in ("cold", "warm"):
            ours, peer = medians[f"{name}, {state}"], medians[f"hls.js, {state}"]
            _tell(f"{name}, {state}, to the first picture", ours, peer, "<= 300" if state == "warm" else "")
    _tell("from pressing play to a moving picture", medians["pressed"], None, "<= 300")


def _tell(name: str, ours: float, peer: float | None, aim: str) -> None:
    ratio = None if peer is None else round(ours / peer, 3)
    figure = {"name": name, "ours": round(ours), "peer": None if peer is None else round(peer)}
    print(json.dumps(figure | {"ratio": ratio, "unit": "ms", "aim": aim}))


if __name__ == "__main__":
    main()
