"""Players that we did not write, on a page that has nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from tests.browser.support import ROOT

MODULES = ROOT / "web" / "node_modules"
HLS_JS = MODULES / "hls.js" / "dist" / "hls.min.js"
SHAKA = MODULES / "shaka-player" / "dist" / "shaka-player.dash-es2021.js"
BARE = "<!doctype html><video muted></video><script src=player.js></script>"
LOAD = """([url, until, options]) => new Promise((done, fail) => {
    const hls = (window.hls = new Hls(options));
    hls.on(Hls.Events.ERROR, (_, error) => {
        // A switch gives up what was on its way, and on a slow machine much comes late: it goes on by itself. Not so
        // where it skips a hole or is pushed over a place that it sticks to.
        const late = ['aborted', 'bufferStalledError'].includes(error.details) || /TimeOut$/.test(error.details);
        if (!error.fatal && late) return;
        console.error(error.details);
        fail(error.details);
    });
    hls.on(Hls.Events[until], () => done());
    hls.loadSource(url);
    hls.attachMedia(document.querySelector('video'));
})"""


def bare_page(page: Page, url: str, player: Path) -> None:
    """Go to a page of the site at `url` that has only this player's script, and an element for it to play in."""

    def serve(route: Route) -> None:
        if route.request.url.endswith("/player.js"):
            route.fulfill(path=player, content_type="text/javascript")
        else:
            route.fulfill(body=BARE, content_type="text/html")

    page.route("**/another-player/*", serve)
    page.goto(url + "/another-player/page")


def load_hls_js(page: Page, stream: str, until: str = "MANIFEST_PARSED", **options: Any) -> None:
    """Let hls.js load a stream until it says so: `hls` on the page."""
    page.evaluate(LOAD, [stream, until, options])
