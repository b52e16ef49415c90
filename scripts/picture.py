"""Takes the picture of the README, docs/pictures/watch.jpg: `make picture`. Needs Chromium and the test packages.

A real server gets real films, and a real browser plays one of them; nothing is drawn."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import support as browsing  # noqa: E402 -- after the path to the tests
from tests.support.server import Api, RunningServer  # noqa: E402 -- likewise

PICTURE = ROOT / "docs" / "pictures" / "watch.jpg"
LARGEST = 200_000
WIDTH, HEIGHT = 1280, 1230
QUALITY = 75
PLACE = 2.5
"""Seconds at which the film stands still."""
FILM = "A rabbit wakes up"
DESCRIPTION = "Early in the meadow. Drop in a file, and it plays in any browser seconds later."
OTHERS = ("What the rabbit saw", "Butterflies, first try", "The meadow at noon", "An apple falls", "Behind the scenes")
TAGS = ("meadow", "rabbit")


def main() -> None:
    """Fill a site, open the page of a film, and take its picture. Raises `SystemExit` where it became too large."""
    with tempfile.TemporaryDirectory() as folder:
        site = RunningServer(Path(folder) / "data", STREAMHOST_SERVER_SITE_NAME="Film club").start()
        try:
            site.add_user("alice@example.org", "creator")
            site.add_user("bob@example.org", "viewer")
            video = fill(site.client("alice@example.org"))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browsing.CHROMIUM, args=list(browsing.FLAGS))
                take(opened(browser, site, video))
                browser.close()
        finally:
            site.stop()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size} bytes")
    if size > LARGEST:
        raise SystemExit(f"It may have {LARGEST}.")


def fill(alice: Api) -> str:
    """Films with posters from different places; the id of the one that is shown."""
    made = [alice.upload(browsing.bunny(), title=title, visibility="public") for title in (FILM, *OTHERS)]
    for number, video in enumerate(made):
        alice.wait_until(video, "ready")
        change = {"description": DESCRIPTION, "tags": TAGS}
        alice.patch(f"/api/v1/videos/{video}", json=change).raise_for_status()
        offered = alice.get(f"/api/v1/videos/{video}/posters").raise_for_status().json()["items"]
        choice = {"candidate": offered[number % len(offered)]["candidate"]}
        alice.put(f"/api/v1/videos/{video}/poster", json=choice).raise_for_status()
    return made[0]


def opened(browser: Browser, site: RunningServer, video: str) -> Page:
    """The page of a film, with the player's controls shown."""
    viewer = browsing.visitor(browser, site.url, width=WIDTH, height=HEIGHT).sign_in("bob@example.org")
    page = viewer.page(f"/watch/{video}")
    page.locator("[data-start]").click()
    browsing.wait_for_time(page, PLACE)
    page.keyboard.press("k")
    for image in page.locator("main img").all():
        image.scroll_into_view_if_needed()
    page.evaluate("[document.documentElement, ...document.querySelectorAll('ul')].forEach((one) => one.scrollTo(0, 0))")
    browsing.until(page, "document.querySelector('video').paused && [...document.images].every((one) => one.complete)")
    box = page.locator("video").bounding_box()
    assert box is not None, "it is shown"
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 60)
    browsing.until(page, "Number(getComputedStyle(document.querySelector('[data-controls]')).opacity) === 1")
    return page


def take(page: Page) -> None:
    """Take the picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE, type="jpeg", quality=QUALITY)


if __name__ == "__main__":
    main()
