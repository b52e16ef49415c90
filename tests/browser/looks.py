"""How pages are looked at: reflow at every width, the rules of WCAG 2.2 AA in both themes, and pictures of them."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.pages import template_of
from tests.browser.support import until
from tests.support.axe import COLOURS, complaints

WIDTHS = (360, 768, 1440)
NARROWEST = 320
"""WCAG 2.2, 1.4.10: what 1280 pixels are at a zoom of 400 %."""
PICTURES = os.environ.get("PICTURES", "")
"""A folder that gets a picture of every page (`make screenshots`); none are taken without it."""
BEYOND = "document.documentElement.scrollWidth - innerWidth"
WIDE = """() => [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5)
    .map((one) => `${one.tagName.toLowerCase()}.${one.className}`).slice(0, 8)"""
"""The first elements that reach beyond the window."""


BLANK = "[...document.querySelectorAll('.icon')].filter((one) => one.checkVisibility() && !one.getBBox().width)"
"""Icons that are not drawn: they are not there yet, or there are none of that name."""


def settle(page: Page) -> None:
    """Wait until the page has what it will show first: letters, icons, and the player's controls or what is wrong with
    it."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    until(page, f"{BLANK}.length === 0")
    until(
        page,
        """[...document.querySelectorAll('[data-player][data-playable=yes]')].every((one) =>
            !one.querySelector('[data-controls]').hidden || !one.querySelector('[data-message]').hidden)""",
    )


def take(page: Page, name: str, width: int, dark: bool) -> None:
    """Take a picture of the page, if pictures are wanted."""
    if PICTURES:
        shade = "dark" if dark else "light"
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{shade}.png", full_page=True)


def look(page: Page, name: str) -> None:
    """Nothing to scroll sideways, however narrow the window or large the letters; nothing for axe-core to find, small
    and dark or large and light, nor in the colours small and light or large and dark. Pictures at every width in both
    themes. `name` begins with that of the page's template: what is looked at is what was meant."""
    settle(page)
    assert page.evaluate("document.body.dataset.page") == template_of(name), f"{name} shows another page"
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(BEYOND) <= 0, f"{name} with letters twice as large is too wide: {page.evaluate(WIDE)}"
    page.evaluate("document.documentElement.style.removeProperty('font-size')")
    for width in (NARROWEST, *WIDTHS):
        page.set_viewport_size({"width": width, "height": 800})
        beyond = page.evaluate(BEYOND)
        assert beyond <= 0, f"{name} at {width} px is {beyond} px too wide: {page.evaluate(WIDE)}"
        examined = width in (WIDTHS[0], WIDTHS[-1])
        for dark in (False, True):
            if examined or (PICTURES and width in WIDTHS):
                page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
                take(page, name, width, dark)
            if examined:
                only = () if dark is (width == WIDTHS[0]) else COLOURS
                assert complaints(page, only=only) == [], f"{name} at {width} px, {'dark' if dark else 'light'}"
