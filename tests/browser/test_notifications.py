"""The bell in a real browser: live in every tab, without script too; preferences, webhooks, how all of it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.looks import look
from tests.browser.support import PASSWORD, REMEMBER_TOASTS, profile, until
from tests.support.server import RunningServer
from tests.support.server import until as wait_until


@pytest.fixture(scope="module")
def telling_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site with a channel of the house that asks for nothing, where webhooks may come to this machine."""
    data = tmp_path_factory.mktemp("telling") / "data"
    running = RunningServer(data, STREAMHOST_WEBHOOKS_ALLOW='["127.0.0.0/8"]').start()
    for who, role in (("root", "admin"), ("alice", "creator"), ("carol", "creator")):
        running.add_user(f"{who}@example.org", role)
    yield running
    running.stop()


def fail(site: RunningServer, who: str, title: str, folder: Path) -> None:
    """Somebody uploads what is no film, and it is under their bell."""
    notes = folder / "notes.mp4"
    notes.write_text("This is not a video.")
    api = site.client(f"{who}@example.org")
    api.wait_until(api.upload(notes, title=title), "failed")
    wait_until(lambda: title.strip() in api.get("/api/v1/notifications").text)


def test_the_bell_rings_in_every_tab(telling_site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """Without reloading, each tab shows the number and one sentence; reading in one counts in the others."""
    alice = visit(telling_site.url).sign_in("alice@example.org")
    first, second = alice.page("/"), alice.page("/studio")
    for page in (first, second):
        expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
        page.evaluate(REMEMBER_TOASTS)
    # Whoever listens hears the first number at once, and from then on what comes.
    for number, title in enumerate(("Mountains", "Holidays"), 1):
        fail(telling_site, "alice", title, tmp_path)
        for page in (first, second):
            expect(page.get_by_role("link", name=f"Notifications: {number} not read")).to_be_visible()
    for page in (first, second):
        until(page, "window.toasts.some((one) => one.includes('“Holidays” could not be processed'))")
    first.get_by_role("link", name="Notifications: 2 not read").click()
    item = first.get_by_role("listitem").filter(has_text="“Holidays” could not be processed")
    expect(item).to_be_visible()
    item.get_by_role("button", name="See the video").click()
    expect(first).to_have_url(re.compile("/studio/"))
    expect(second.get_by_role("link", name="Notifications: 1 not read")).to_be_visible()


@pytest.mark.looks
def test_how_it_looks(telling_site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """The bell's page when something has happened, and a webhook whose secret is shown, then one that was tried."""
    fail(telling_site, "carol", "A film of holidays with a name that is long " * 3, tmp_path)
    page = visit(telling_site.url).sign_in("carol@example.org").page("/notifications")
    look(page, "notifications-full")
    root = visit(telling_site.url).sign_in("root@example.org")
    page = root.page("/admin/webhooks")
    page.get_by_label("Address").fill("http://127.0.0.1:9/a-listener/with/a/long/address")
    page.get_by_label("Note").fill("The search index")
    page.get_by_role("button", name="Add the webhook").click()
    secret = page.locator("#signing-secret")
    expect(secret).to_have_text(re.compile("^whsec_"))
    look(page, "admin-webhook-secret")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("alert")).to_contain_text("The connection was refused.")
    expect(secret).to_have_count(0)
    look(page, "admin-webhook-tried")
    page.get_by_role("button", name="Remove the webhook").click()
    expect(page.get_by_text("The webhook is removed.")).to_be_visible()


def test_without_script(telling_site: RunningServer, browser: Browser, tmp_path: Path) -> None:
    """Reading, marking and choosing work where no script runs."""
    fail(telling_site, "carol", "Silent", tmp_path)
    context = profile(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(telling_site.url + "/login")
    page.get_by_label("E-mail address").fill("carol@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=re.compile(r"Notifications: \d+ not read")).click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    page.get_by_role("link", name="What you are told of").click()
    tick = page.get_by_role("checkbox", name="A video is ready: E-mail")
    expect(tick).to_be_checked()
    tick.uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("What you want to be told of is saved.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="A video is ready: E-mail")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="A video is ready: On the site")).to_be_checked()
    context.close()
