"""Milliseconds from opening a page to the first picture that moves, in Chromium on loopback; and from pressing play.

    .venv/bin/python tests/benchmarks/bench_player.py [--rounds 9]

Pages start by themselves, muted (`?autoplay=1&muted=1`). Cold: a fresh browser profile, nothing in its cache. Warm: the
profile has seen the page twice, as a visitor's who watches one video after another. The peer is a bare page with hls.js
and nothing else, which is told the address of the stream and need not ask for it. Medians of alternating rounds; the
clip is Big Buck Bunny (720p, 5 s, copied and encoded to lower qualities).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402

from tests.browser.support import CHROMIUM, FLAGS, bunny, until  # noqa: E402
from tests.support.server import RunningServer  # noqa: E402

HLS_JS = ROOT / "web" / "node_modules" / "hls.js" / "dist" / "hls.min.js"
FIRST_PICTURE = """
addEventListener('DOMContentLoaded', () => {
  const video = document.querySelector('video');
  const moved = (now, frame) => {
    if (!video.paused && video.currentTime > 0) window.firstPicture = now;
    else video.requestVideoFrameCallback(moved);
  };
  video.requestVideoFrameCallback(moved);
});
"""
BARE = """<!doctype html><title>hls.js</title><video muted autoplay playsinline></video><script src="hls.js"></script>
<script>
  const hls = new Hls();
  hls.loadSource("{stream}");
  hls.attachMedia(document.querySelector('video'));
</script>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Run and print: one JSON line for each figure, then words."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-player-") as folder, sync_playwright() as playwright:
        site = RunningServer(Path(folder) / "data").start()
        bare = Path(folder) / "bare"
        bare.mkdir()
        peer = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(bare)))
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        try:
            site.add_user("alice@example.org", "creator")
            alice = site.client("alice@example.org")
            video = alice.upload(bunny(), title="Big Buck Bunny", visibility="public")
            alice.wait_until(video, "ready")
            (bare / "hls.js").write_bytes(HLS_JS.read_bytes())
            stream = alice.stream(video)["hls"]
            (bare / "index.html").write_text(BARE.replace("{stream}", site.url + stream))
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            pages = {
                "watch page": f"{site.url}/watch/{video}?autoplay=1&muted=1",
                "embed page": f"{site.url}/embed/{video}?autoplay=1&muted=1",
                "hls.js": f"http://127.0.0.1:{peer.server_port}/",
            }
            _measure(browser, pages, rounds)
            pressed = statistics.median(_pressed(browser, f"{site.url}/watch/{video}") for _ in range(rounds))
            _tell("from pressing play to a moving picture", pressed, None, "<= 300")
            browser.close()
        finally:
            peer.shutdown()
            site.stop()


def _measure(browser: Browser, pages: dict[str, str], rounds: int) -> None:
    """Cold and warm, each page in turn in every round."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, address in pages.items():
            context = _context(browser)
            found.setdefault((name, "cold"), []).append(_opened(context, address))
            _opened(context, address)
            found.setdefault((name, "warm"), []).append(_opened(context, address))
            context.close()
    medians = {key: statistics.median(values) for key, values in found.items()}
    for name in ("watch page", "embed page"):
        for state in ("cold", "warm"):
            aim = "<= 300" if state == "warm" else ""
            _tell(f"{name}, {state}, to the first picture", medians[name, state], medians["hls.js", state], aim)


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(FIRST_PICTURE)
    return context


def _opened(context: BrowserContext, address: str) -> float:
    """Milliseconds from the beginning of the navigation to the first picture that moves."""
    return _on(context, address, lambda page: None)


def _pressed(browser: Browser, address: str) -> float:
    """Milliseconds from pressing play, on a page that has come to rest, to the first picture after that."""

    def press(page: Page) -> None:
        page.wait_for_load_state("networkidle")
        page.evaluate("window.pressed = performance.now(); document.querySelector('[data-start]').click()")

    context = _context(browser)
    took = _on(context, address, press)
    context.close()
    return took


def _on(context: BrowserContext, address: str, act: Callable[[Page], None]) -> float:
    page = context.new_page()
    page.goto(address)
    act(page)
    until(page, "window.firstPicture !== undefined")
    took = float(page.evaluate("window.firstPicture - (window.pressed ?? 0)"))
    page.close()
    return took


def _tell(name: str, ours: float, peer: float | None, aim: str) -> None:
    ratio = None if peer is None else round(ours / peer, 3)
    figure = {"name": name, "ours": round(ours), "peer": None if peer is None else round(peer)}
    print(json.dumps(figure | {"ratio": ratio, "unit": "ms", "aim": aim}))


if __name__ == "__main__":
    main()
