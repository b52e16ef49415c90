"""Encrypted packages in players that we did not write, in Chromium: from static files, keys and licences alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from streamhost.model.protection import Scheme
from streamhost.model.streaming import MANIFEST, MASTER_PLAYLIST
from streamhost.testing import clips
from tests.browser.support import PATIENCE, ROOT, profile
from tests.support.licensing import Site, served
from tests.support.protected import Protected, protecting, repackage
from tests.unit.media import workshop

LENGTH = 4.0
PAGE = '<!doctype html><title>player</title><video muted></video><script src="/lib/{script}"></script>'
SCRIPTS = {"shaka": "shaka-player/dist/shaka-player.compiled.js", "hls": "hls.js/dist/hls.js"}
SHAKA = """async ([address, end, patience]) => {
  const video = document.querySelector('video');
  const player = new shaka.Player();
  let failed = null;
  player.addEventListener('error', (event) => failed = event.detail);
  try {
    await player.attach(video);
    await player.load(address);
    video.play();
    const deadline = Date.now() + patience;
    while (!failed && video.currentTime < end && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
  } catch (error) { failed = error; }
  return { at: video.currentTime, seen: video.getVideoPlaybackQuality().totalVideoFrames, failed: failed?.code ?? 0,
    system: player.keySystem() };
}"""
HLS = """async ([address, end, patience]) => {
  const video = document.querySelector('video');
  const licenseUrl = new URL('license/clearkey', address).href;
  const hls = new Hls({ emeEnabled: true, drmSystems: { 'org.w3.clearkey': { licenseUrl } } });
  let failed = null;
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) failed = data.details; });
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  hls.attachMedia(video);
  hls.loadSource(address);
  const deadline = Date.now() + patience;
  while (!failed && video.currentTime < end && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
  return { at: video.currentTime, seen: video.getVideoPlaybackQuality().totalVideoFrames, failed: failed ?? 0,
    system: '' };
}"""
COMMON = {
    "cenc": (Scheme.CENC, 0.0),
    "cbcs": (Scheme.CBCS, 0.0),
    "cenc after a clear lead": (Scheme.CENC, 1.0),
    "cbcs after a clear lead": (Scheme.CBCS, 1.0),
}
FILES = {"aes-128": (1, 0, 0.0), "aes-128 in turns": (3, 1, 0.0), "aes-128 after a clear lead": (2, 2, 1.0)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A clip under every protection, and the players' pages."""
    folder = tmp_path_factory.mktemp("players")
    clip = clips.Clip(seconds=LENGTH, width=320, height=180, gop=25)
    made = workshop.package(clips.make(folder / "clip.mp4", clip), folder / "clear")
    clear, renditions = Protected(made.out, None, made.presentation), made.presentation.renditions
    site = Site({"m": folder, "lib": ROOT / "web" / "node_modules"})
    guards = {name: protecting(scheme, renditions, lead=lead) for name, (scheme, lead) in COMMON.items()}
    for name, (keys, rotate, lead) in FILES.items():
        guards[name] = protecting(Scheme.AES_128, renditions, keys=keys, rotate=rotate, lead=lead)
    guards["wrong"] = protecting(Scheme.CENC, renditions)
    for name, guard in guards.items():
        repackage(clear, folder / name.replace(" ", "-"), guard)
        site.knows(guard, wrong=name == "wrong")
    site.pages = {f"/{name}": PAGE.format(script=script) for name, script in SCRIPTS.items()}
    with served(site):
        yield site


def play(
    browser: Browser, site: Site, player: str, name: str, file: str, patience: int = PATIENCE
) -> dict[str, object]:
    """Play a package nearly to its end; say how far it came and what went wrong."""
    page = profile(browser).new_page()
    try:
        page.goto(f"{site.url}/{player}")
        address = f"{site.url}/m/{name.replace(' ', '-')}/{file}"
        script = SHAKA if player == "shaka" else HLS
        found: dict[str, object] = page.evaluate(script, [address, LENGTH - 0.3, PATIENCE])
        return found
    finally:
        page.context.close()


def plays(found: dict[str, object]) -> None:
    """Nothing failed, and pictures were shown up to the end."""
    assert found["failed"] == 0
    assert float(str(found["at"])) >= LENGTH - 0.3
    assert int(str(found["seen"])) > 20


@pytest.mark.parametrize("file", [MANIFEST, MASTER_PLAYLIST])
@pytest.mark.parametrize("name", COMMON)
def test_shaka_plays_common_encryption(name: str, file: str, browser: Browser, site: Site) -> None:
    """DASH by the licence address in the manifest, HLS by the keys in the playlists, both through ClearKey; separate
    keys for picture and sound, also where they begin late.
    """
    found = play(browser, site, "shaka", name, file)
    plays(found)
    assert found["system"] == "org.w3.clearkey"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("player", SCRIPTS)
def test_hls_players_play_aes_128(player: str, name: str, browser: Browser, site: Site) -> None:
    """Shaka and hls.js open whole files, with keys that follow each other and clear files before."""
    plays(play(browser, site, player, name, MASTER_PLAYLIST))


def test_hls_js_plays_cenc(browser: Browser, site: Site) -> None:
    """hls.js finds its own key format beside Shaka's, and gets the keys of picture and sound in one licence."""
    plays(play(browser, site, "hls", "cenc", MASTER_PLAYLIST))


@pytest.mark.parametrize("file", [MANIFEST, MASTER_PLAYLIST])
def test_a_wrong_key_does_not_play(file: str, browser: Browser, site: Site) -> None:
    """With other keys under the right names the player fails, and shows nothing but perhaps a first damaged picture."""
    found = play(browser, site, "shaka", "wrong", file)
    assert found["failed"] in (3014, 3016)
    assert float(str(found["at"])) < 1.0
