"""Somebody plays a video in a browser; its owner sees it in the figures, as plots and as tables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.support import bunny, until, wait_for_time
from tests.support.server import Api, RunningServer
from tests.support.server import until as wait_until


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    """Who uploads."""
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def video(alice: Api) -> Iterator[str]:
    """Five seconds of real content."""
    video = alice.upload(bunny(), title="Watched by somebody", visibility="public")
    alice.wait_until(video, "ready")
    yield video


def figures(alice: Api, video: str) -> dict[str, float]:
    """What the owner is told."""
    found: dict[str, float] = alice.get(f"/api/v1/videos/{video}/analytics").json()
    return found


def tile(page: Page, name: str) -> str:
    """The text of one of the large figures."""
    return page.locator(".tile", has=page.get_by_text(name, exact=True)).locator("dd").inner_text()


def test_playing_shows_in_the_figures(site: RunningServer, visit: Visit, alice: Api, video: str) -> None:
    """A guest plays to the end in the page, another leaves halfway: both count, with what the first picture took."""
    page = visit(site.url).page(f"/watch/{video}")
    until(page, "document.querySelector('video').readyState >= 2")
    begun = time.monotonic()
    page.locator("[data-start]").click()
    until(page, "document.querySelector('video').ended")
    took = time.monotonic() - begun
    wait_until(lambda: figures(alice, video)["completed"] == 1)
    found = figures(alice, video)
    assert (found["plays"], found["views"]) == (1, 1)
    assert 0 <= found["time_to_first_frame"] < took
    assert 4.5 < found["watch_time"] < 6

    other = visit(site.url).page(f"/watch/{video}")
    until(other, "document.querySelector('video').readyState >= 2")
    # However late this test looks again, it has not played on.
    other.locator("video").evaluate("v => v.addEventListener('timeupdate', () => v.currentTime > 1.5 && v.pause())")
    other.locator("[data-start]").click()
    wait_for_time(other, 1.5)
    other.close(run_before_unload=True)
    wait_until(lambda: figures(alice, video)["plays"] == 2)
    wait_until(lambda: figures(alice, video)["watch_time"] > found["watch_time"] + 1)
    assert figures(alice, video)["views"] == 1, "too little for a view"

    owner = visit(site.url).sign_in("alice@example.org")
    looked = owner.page(f"/studio/{video}/analytics")
    assert tile(looked, "Views") == "1"
    assert tile(looked, "First picture after") != "\N{EN DASH}"
    expect(looked.locator(".uplot")).to_have_count(2)
    table = looked.get_by_role("table", name="")
    assert table.count() >= 2, "the numbers stand there for whoever cannot see the plots"
    folder = os.environ.get("STREAMHOST_PICTURES")
    if folder:
        _pictures(visit, site, video, Path(folder))


def test_nothing_watched_is_said(site: RunningServer, visit: Visit, alice: Api, video: str) -> None:
    """A period without views, and a site's page for administrators."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/admin/analytics?days=7")
    expect(page.get_by_role("heading", name="Figures")).to_be_visible()
    fresh = visit(site.url).sign_in("bob@example.org").page("/studio/analytics")
    expect(fresh.get_by_role("heading", name="Nothing was watched in this time")).to_be_visible()


def _pictures(visit: Visit, site: RunningServer, video: str, folder: Path) -> None:
    """Screenshots for people to look at."""
    for width in (360, 1280):
        for dark in (False, True):
            page = (
                visit(site.url, width=width, dark=dark).sign_in("alice@example.org").page(f"/studio/{video}/analytics")
            )
            expect(page.locator(".uplot")).to_have_count(2)
            page.screenshot(path=folder / f"figures-{width}-{'dark' if dark else 'light'}.png", full_page=True)
