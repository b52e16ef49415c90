"""The first page of the administration, and the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.accounts import forgive
from tests.browser.conftest import Visit
from tests.browser.looks import look
from tests.browser.support import sign_in_plainly
from tests.support.server import RunningServer
from tests.support.server import until as wait_until


def test_how_it_stands_and_how_it_is_set_up(site: RunningServer, visit: Visit) -> None:
    """An administrator finds health, work, figures and versions on one page, which keeps up to date, and every setting
    on another."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/")
    page.get_by_role("button", name="Account: Root").click()
    page.get_by_role("link", name="Administration").click()
    health = page.get_by_role("region", name="Health")
    expect(health.get_by_text("Everything works.")).to_be_visible()
    expect(health.get_by_text("Works", exact=True)).to_have_count(3)
    expect(health.get_by_role("meter", name="Disk in use")).to_be_visible()
    people = page.get_by_role("region", name="Videos and people")
    expect(people.get_by_role("link", name="3")).to_have_attribute("href", "/admin/users")
    expect(page.get_by_role("region", name="What runs here")).to_contain_text("SQLite")
    site.add_user("una@example.org", "viewer")
    expect(people.get_by_role("link", name="4")).to_be_visible()
    api = site.client("root@example.org")
    wait_until(lambda: api.get("/api/v1/admin/overview").json()["well"])  # a disk that stalls for seconds is told of
    assert api.get("/api/v1/admin/overview").json()["users"] == {"admin": 1, "creator": 1, "viewer": 2}
    page.get_by_role("navigation", name="Administration").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Accounts and signing in")).to_be_visible()
    page.get_by_label("Find a setting").fill("site name")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Site name").click()
    name = page.get_by_label("Site name")
    expect(name).to_be_visible()
    expect(page.get_by_label("Port", exact=True)).to_be_disabled()
    name.fill("Kino")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It counts already.")).to_be_visible()
    expect(page.locator(".brand__name")).to_have_text("Kino")
    page.get_by_role("button", name="Back to streamhost for Site name").click()
    expect(page.locator(".brand__name")).to_have_text("streamhost")


def test_settings_without_script(site: RunningServer, browser_without_script: Page) -> None:
    """Found, changed, refused in words with all that was typed still there, and set back: plain forms do it all."""
    page = sign_in_plainly(browser_without_script, site.url, "root@example.org")
    page.goto(site.url + "/admin/settings")
    page.get_by_label("Find a setting").fill("search engines")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Indexing").click()
    name, contact = page.get_by_label("Site name"), page.get_by_label("Security contact")
    indexing = page.get_by_role("checkbox", name="Indexing")
    indexing.uncheck()
    name.fill("Kino")
    contact.fill("somebody")
    name.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="Nothing was saved.")
    expect(alert.get_by_role("link", name="Security contact")).to_have_attribute("href", "#server.security_contact")
    expect(contact).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_value("Kino")
    expect(indexing).not_to_be_checked()
    expect(page.locator(".brand__name")).to_have_text("streamhost")
    contact.fill("mailto:somebody@example.org")
    page.get_by_role("button", name="Save changes").last.click()
    expect(page.get_by_text("What waits for a restart counts from then on.")).to_be_visible()
    expect(page.locator(".brand__name")).to_have_text("Kino")
    expect(page.get_by_text("2 changes count from the next start")).to_be_visible()
    expect(indexing).not_to_be_checked()
    for label in ("Indexing", "Security contact", "Site name"):
        back = page.get_by_role("button", name=re.compile(f"^Back to .* for {label}$"))
        back.click()
        expect(back).to_have_count(0)
    expect(page.locator(".brand__name")).to_have_text("streamhost")
    expect(page.get_by_text("from the next start")).to_have_count(0)
    expect(indexing).to_be_checked()


def test_a_logo_is_sent_as_soon_as_it_is_picked(site: RunningServer, visit: Visit, tmp_path: Path) -> None:
    """What is no picture is refused in words; a picture stands beside the name at once, until it is taken away."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/admin/branding")
    (tmp_path / "drawing.png").write_text("<svg/>")
    page.get_by_label("Picture", exact=True).set_input_files(tmp_path / "drawing.png")
    expect(page.get_by_role("alert")).to_contain_text("picture")
    forgive(root.troubles, "422")
    Image.new("RGB", (64, 32), "red").save(tmp_path / "logo.png")
    page.get_by_label("Picture", exact=True).set_input_files(tmp_path / "logo.png")
    expect(page.get_by_alt_text("The logo as it stands in the header")).to_be_visible()
    page.get_by_role("button", name="Take the logo away").click()
    expect(page.get_by_text("No logo yet")).to_be_visible()


@pytest.mark.looks
def test_started_anew(server: RunningServer, visit: Visit) -> None:
    """A change that waits is told, and a button starts the same server again in the same process, with the change. The
    page in between goes on once it can ask whether the new server is there."""
    server.add_user("root@example.org", "admin")
    root = visit(server.url).sign_in("root@example.org")
    page = root.page("/admin/settings/uploads")
    process = server.process.pid
    page.get_by_label("Quota videos").fill("17")
    page.get_by_role("button", name="Save changes").last.click()
    expect(page.get_by_text("1 change counts from the next start")).to_be_visible()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setBlockedURLs", {"urls": ["*/api/v1/admin/overview"]})
    page.get_by_role("button", name="Restart now").click()
    expect(page.get_by_role("heading", name="The server starts anew")).to_be_visible()
    look(page, "admin-restart")
    network.send("Network.setBlockedURLs", {"urls": []})
    page.wait_for_url(server.url + "/admin/settings")
    expect(page.get_by_text("from the next start")).to_have_count(0)
    assert server.process.poll() is None
    assert server.process.pid == process
    quota = server.client("root@example.org").get("/api/v1/me/quota").json()
    assert quota["videos"]["limit"] == 17, quota
    # In between nobody answers, or a server that is still starting: the browser says so.
    assert [one for one in root.troubles if "ERR_" not in one and "status of 503" not in one] == []
    root.troubles.clear()
