"""The first page of the administration, and the settings."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.server import RunningServer


def test_how_it_stands_and_how_it_is_set_up(site: RunningServer, visit: Visit) -> None:
    """An administrator finds health, work, figures and versions on one page, and every setting on another."""
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
    document = site.client("root@example.org").get("/api/v1/admin/overview").json()
    assert document["well"] is True
    assert document["users"] == {"admin": 1, "creator": 1, "viewer": 1}
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


def test_started_anew(server: RunningServer, visit: Visit) -> None:
    """A change that waits is told, and a button starts the same server again in the same process, with the change."""
    server.add_user("root@example.org", "admin")
    root = visit(server.url).sign_in("root@example.org")
    page = root.page("/admin/settings/uploads")
    process = server.process.pid
    page.get_by_label("Quota videos").fill("17")
    page.get_by_role("button", name="Save changes").last.click()
    expect(page.get_by_text("1 change counts from the next start")).to_be_visible()
    page.get_by_role("button", name="Restart now").click()
    page.wait_for_url(server.url + "/admin/settings")
    expect(page.get_by_text("from the next start")).to_have_count(0)
    assert server.process.poll() is None
    assert server.process.pid == process
    quota = server.client("root@example.org").get("/api/v1/me/quota").json()
    assert quota["videos"]["limit"] == 17, quota
    # In between nobody answers, or a server that is still starting: the browser says so.
    assert [one for one in root.troubles if "ERR_" not in one and "status of 503" not in one] == []
    root.troubles.clear()
