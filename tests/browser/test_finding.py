"""Finding a video in a browser: the search field that completes, by keyboard alone, and the rows of the first page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.support import until
from tests.support.clips import small_clip
from tests.support.server import RunningServer
from tests.support.server import until as wait_until

TITLES = ("Rabbits in the garden", "Rabbits at night", "A walk in the rain", "Rain on the roof")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site that waits for whoever proposes videos, also on a slow machine; alice uploads, bob watches."""
    data = tmp_path_factory.mktemp("finding") / "data"
    running = RunningServer(data, STREAMHOST_RECOMMENDATIONS_PATIENCE="10").start()
    running.add_user("alice@example.org", "creator")
    running.add_user("bob@example.org", "viewer")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def videos(site: RunningServer) -> Iterator[dict[str, str]]:
    """Four public videos by title."""
    alice = site.client("alice@example.org")
    made = {title: alice.upload(small_clip(), title=title, visibility="public") for title in TITLES}
    for video in made.values():
        alice.wait_until(video, "ready")
    yield made


def test_the_search_field_completes_by_keyboard(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """Arrows go through the suggestions, Escape brings back what was typed, Enter searches for the one chosen."""
    page = visit(site.url).page("/")
    field = page.get_by_role("combobox", name="Search videos", exact=True)
    options = page.get_by_role("option")
    field.focus()
    page.keyboard.type("rabb")
    expect(options).to_have_text(["Rabbits at night", "Rabbits in the garden"])
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_value("Rabbits at night")
    chosen = options.nth(0)
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    page.keyboard.press("Escape")
    expect(field).to_have_value("rabb")
    expect(options).to_have_count(0)
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowUp")
    expect(field).to_have_value("Rabbits in the garden")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/search?q=Rabbits+in+the+garden"))
    main = page.get_by_role("main")
    expect(main.get_by_role("link", name="Rabbits in the garden")).to_have_attribute(
        "href", f"/watch/{videos['Rabbits in the garden']}"
    )


def test_the_rows_of_the_first_page(site: RunningServer, visit: Visit, videos: dict[str, str]) -> None:
    """What one has begun goes on where it was left, the rest is proposed with a reason; rows scroll by keyboard, the
    page does not; headings are in order."""
    begun = videos["Rabbits at night"]
    bob = site.client("bob@example.org")
    events = [{"type": "start", "at": 1000, "position": 0, "seq": 0}]
    events.append({"type": "progress", "at": 1006, "position": 6, "seq": 1})
    bob.post("/api/v1/events", json={"session": "bob", "video": begun, "events": events}).raise_for_status()
    wait_until(lambda: bob.get("/api/v1/me/history").json()["items"])
    page = visit(site.url, width=360, height=800).sign_in("bob@example.org").page("/")
    going_on = page.get_by_role("region", name="Continue watching")
    expect(going_on.get_by_role("link", name="Rabbits at night")).to_have_attribute("href", f"/watch/{begun}")
    expect(going_on.get_by_role("progressbar", name="Watched of Rabbits at night")).to_be_visible()
    row = page.get_by_role("region", name="For you").get_by_role("list")
    expect(row.get_by_role("listitem")).to_have_count(3)
    expect(row.get_by_text("Similar to Rabbits at night")).to_have_count(1)
    row.focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.activeElement.scrollLeft > 0")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    tags = page.evaluate("[...document.querySelectorAll('main :is(h1, h2, h3)')].map((one) => one.tagName)")
    levels = [int(tag[1:]) for tag in tags]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
