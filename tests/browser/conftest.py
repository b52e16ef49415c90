"""One Chromium for all browser tests, a fresh profile for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.support import CHROMIUM, FLAGS, PATIENCE, Visitor, profile, visitor

Visit = Callable[..., Visitor]
PLACES = "--js-flags=--no-enable-lazy-source-positions"
"""Where a program steers the browser, Chromium tells it in which line each caught exception was thrown. Shaka Player
throws one as it starts; to find its line, all of the player is read four times anew, unless lines are kept from the
beginning: 40 ms of a processor for each page that plays."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, for one file: as long as it runs an event loop runs here, and the next file may want its own."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, PLACES])
        yield running
        running.close()


@pytest.fixture
def browser_without_script(browser: Browser) -> Iterator[Page]:
    """A page of a browser in which JavaScript is turned off."""
    context = profile(browser, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Makes visitors. At the end of the test no browser may have complained about anything."""
    visitors: list[Visitor] = []

    def make(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Visitor:
        visitors.append(visitor(browser, url, width=width, height=height, dark=dark))
        return visitors[-1]

    yield make
    troubles = [trouble for one in visitors for trouble in one.troubles]
    for one in visitors:
        one.context.close()
    assert troubles == []
