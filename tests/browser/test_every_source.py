"""Players that we did not write show every class of source in Chromium: Shaka Player by DASH and HLS, and hls.js."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from streamhost.model.streaming import MANIFEST, MASTER_PLAYLIST
from tests.browser.conftest import Visit
from tests.browser.support import ROOT, until
from tests.support.sources import SOURCES, packaged

MODULES = ROOT / "web" / "node_modules"
PLAYERS = {
    "shaka.js": MODULES / "shaka-player" / "dist" / "shaka-player.compiled.js",
    "hls.js": MODULES / "hls.js" / "dist" / "hls.min.js",
}
WAYS = [("shaka", MANIFEST), ("shaka", MASTER_PLAYLIST), ("hls", MASTER_PLAYLIST)]
CELLS = 18
"""White, black and 16 bits: the counter that `streamhost.testing.clips` draws into the lower quarter."""
PAGE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Every source</title>
<video muted></video><script src="/PLAYER.js"></script><script>
const video = document.querySelector('video');
const go = { shaka: async (url) => {
  const player = new shaka.Player();
  player.addEventListener('error', (event) => console.error(`shaka: ${event.detail.code}`));
  await player.attach(video);
  await player.load(url, location.search ? 0 : null);
}, hls: (url) => new Promise((done, fail) => {
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, error) => {
    // A seek has overtaken what was on its way, or a busy machine lets it wait: of a gap it says more than that.
    if (['aborted', 'bufferStalledError'].includes(error.details)) return;
    console.error(`hls.js: ${error.details}`);
    fail(error.details);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, done);
  hls.loadSource(url);
  hls.attachMedia(video);
}) };
let advanced = 0;
video.addEventListener('timeupdate', () => { advanced = Math.max(advanced, video.currentTime); });
go.PLAYER(location.hash.slice(1)).then(() => video.play()).catch((error) => console.error(String(error.code ?? error)));
function counter(cells) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const row = context.getImageData(0, Math.floor(canvas.height * 0.875), canvas.width, 1).data;
  const bright = (cell) => row[4 * Math.floor((cell + 0.5) * canvas.width / cells)];
  let number = 0;
  for (let cell = 2; cell < cells; cell++) number = number * 2 + (bright(cell) > (bright(0) + bright(1)) / 2 ? 1 : 0);
  return number;
}
</script></html>"""


class Handler(SimpleHTTPRequestHandler):
    """Hands out packages, players and the page, and says nothing."""

    def do_GET(self) -> None:
        """Answer with a page for a player, a player, or a file."""
        name = self.path.partition("?")[0].strip("/")
        if name in PLAYERS:
            self._answer(PLAYERS[name].read_bytes(), "text/javascript")
        elif name in ("shaka", "hls"):
            self._answer(PAGE.replace("PLAYER", name).encode(), "text/html")
        else:
            super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[str, str]]]:
    """Packages a source, once, and tells the server's address and the package's path on it."""
    folder = tmp_path_factory.mktemp("every")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made: dict[str, str] = {}

    def give(name: str) -> tuple[str, str]:
        if name not in made:
            made[name] = f"/{len(made)}/package"
            packaged(name, folder / str(len(made) - 1))
        return f"http://127.0.0.1:{server.server_port}", made[name]

    yield give
    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize(("player", "manifest"), WAYS, ids=["shaka-dash", "shaka-hls", "hls.js"])
@pytest.mark.parametrize("name", SOURCES)
def test_it_plays_to_its_last_picture(
    name: str, player: str, manifest: str, stream: Callable[[str], tuple[str, str]], visit: Visit
) -> None:
    """Time goes on from 0; after a seek towards the end the last picture is shown; nobody complains."""
    site, path = stream(name)
    source = SOURCES[name]
    page = visit(site).page(f"/{player}#{path}/{manifest}")
    until(page, "(s) => advanced > s || document.querySelector('video').ended", min(0.3, source.seconds / 2))
    assert float(page.evaluate("video.duration")) == pytest.approx(source.seconds, abs=0.2)
    if source.seconds > 1.5:
        page.evaluate("video.currentTime = video.duration - 0.7")
    until(page, "document.querySelector('video').ended")
    assert page.evaluate("video.error") is None
    assert bool(page.evaluate("video.videoWidth")) is source.pictures
    if source.last is not None:
        # The browser may say that it is over before it has drawn the end.
        until(page, "([cells, last]) => Math.abs(counter(cells) - last) <= 1", [CELLS, source.last])
    page.close()
