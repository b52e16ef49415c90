"""What `streamhost transcode` makes plays from any web server: Shaka Player in Chromium, HLS and DASH."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.browser.support import ROOT, until
from tests.support.clips import copied_clip
from tests.support.server import clean_environment

SHAKA = ROOT / "web" / "node_modules" / "shaka-player" / "dist" / "shaka-player.compiled.js"
PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Static</title><video muted></video>
<script src="shaka.js"></script><script>
const video = document.querySelector('video'), player = new shaka.Player();
(async () => { await player.attach(video); await player.load(location.hash.slice(1)); await video.play(); })()
  .catch((error) => console.error(`shaka: ${error.code} ${error.message}`));
</script></html>"""


class Quiet(SimpleHTTPRequestHandler):
    """Hands out files and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain web server in a folder with a page, and the stream below `stream/`."""
    folder = tmp_path_factory.mktemp("static")
    arguments = [sys.executable, "-m", "streamhost", "transcode", str(copied_clip()), str(folder / "stream")]
    environment = clean_environment(STREAMHOST_DATA=str(folder / "no-data"))
    subprocess.run([*arguments, "--heights", "480,180"], check=True, env=environment, capture_output=True, timeout=240)
    (folder / "index.html").write_text(PAGE)
    (folder / "shaka.js").write_bytes(Path(SHAKA).read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("manifest", ["master.m3u8", "manifest.mpd"])
def test_a_plain_web_server_is_enough(static: str, visit: Visit, manifest: str) -> None:
    """It plays to its end after a seek, in the right length, and the browser complains about nothing."""
    page = visit(static).page(f"/index.html#stream/{manifest}")
    until(page, "document.querySelector('video').currentTime > 0.5")
    assert abs(float(page.evaluate("document.querySelector('video').duration")) - 24.0) < 0.2
    page.evaluate("document.querySelector('video').currentTime = 22.5")
    until(page, "document.querySelector('video').ended")
