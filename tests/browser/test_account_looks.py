"""How the pages about accounts look and sound: every width, both themes, WCAG 2.2 AA, keyboard, no script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pyotp import TOTP

from tests.browser.accounts import forgive, mailed, sign_in
from tests.browser.conftest import Visit
from tests.browser.looks import look
from tests.browser.support import PASSWORD, press_tab, profile, until
from tests.support.clips import copied_clip
from tests.support.server import RunningServer

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff " * 2


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where everybody may register, with root as its admin and somebody who has not verified their address."""
    running = RunningServer(tmp_path_factory.mktemp("open") / "data", STREAMHOST_ACCOUNTS_REGISTRATION="open").start()
    running.add_user("root@example.org", "admin")
    running.add_user("alice@example.org")
    api = running.client("root@example.org")
    body = {"email": f"{'long.' * 10}name@example.org", "name": LONG_NAME.strip(), "password": PASSWORD}
    assert api.post("/api/v1/admin/users", json=body).status_code == 201
    yield running
    running.stop()


@pytest.mark.looks
def test_pages_at_the_door(open_site: RunningServer, visit: Visit) -> None:
    """What forms at the door become when they are sent: with mistakes, and without."""
    guest = visit(open_site.url)
    page = guest.page()
    page.goto(open_site.url + "/register")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    look(page, "register-wrong")
    page.goto(open_site.url + "/forgot")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    look(page, "forgot-sent")
    page.goto(open_site.url + mailed(open_site, "alice@example.org", "/reset"))
    look(page, "reset")
    page.goto(open_site.url + "/login")
    sign_in(page, f"{'long.' * 10}name@example.org")
    expect(page.get_by_role("alert")).to_contain_text("not been verified")
    look(page, "login-unverified")
    page.get_by_role("button", name="Send the mail again").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    look(page, "resend-sent")
    open_site.add_user("fay@example.org")
    fay = open_site.client("fay@example.org")
    secret = fay.post("/api/v1/me/second-factor", json={"password": PASSWORD}).json()["secret"]
    fay.post("/api/v1/me/second-factor/confirm", json={"otp": TOTP(secret).now()}).raise_for_status()
    page.goto(open_site.url + "/login")
    sign_in(page, "fay@example.org")
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    look(page, "code")
    forgive(guest.troubles, "400", "403", "422")


@pytest.mark.looks
def test_pages_at_doors_that_are_shut(server: RunningServer, open_site: RunningServer, visit: Visit) -> None:
    """The very first page of a new site, and what stands before a video with a password."""
    page = visit(server.url).page()
    page.goto(server.setup_url)
    expect(page.get_by_role("button", name="Create account and go on")).to_be_visible()
    look(page, "setup")
    alice = open_site.client("alice@example.org")
    video = alice.upload(copied_clip(), title="Locked")
    alice.wait_until(video, "playable")
    locked = {"visibility": "password", "password": PASSWORD}
    alice.patch(f"/api/v1/videos/{video}", json=locked).raise_for_status()
    guest = visit(open_site.url)
    page = guest.page(f"/watch/{video}")
    expect(page.get_by_label("Password of the video")).to_be_visible()
    look(page, "unlock")
    forgive(guest.troubles, "403")


@pytest.mark.looks
def test_pages_of_an_account(open_site: RunningServer, visit: Visit) -> None:
    """The second factor's secret, a form for tokens with mistakes, and a site without plugins."""
    root = visit(open_site.url).sign_in("root@example.org")
    page = root.page()
    page.goto(open_site.url + "/account/second-factor")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    look(page, "second-factor-secret")
    page.goto(open_site.url + "/account/tokens")
    page.evaluate("document.querySelector('main form[action=\"/account/tokens\"]').noValidate = true")
    page.get_by_label("Read").uncheck()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    look(page, "tokens-wrong")
    page.goto(open_site.url + "/admin/plugins")
    look(page, "admin-plugins-none")
    forgive(root.troubles, "422")


def test_the_keyboard_is_enough(open_site: RunningServer, visit: Visit) -> None:
    """From the sign-in form to a changed name without a mouse, with the focus in sight at every stop."""
    page = visit(open_site.url).page("/login")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type("root@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(open_site.url + "/")
    page.goto(open_site.url + "/account")
    stops = []
    while page.evaluate("document.activeElement.id") != "f-name":
        press_tab(page)
        stops.append(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip())
        seen = "getComputedStyle(document.activeElement).boxShadow !== 'none'"
        until(page, seen)
        assert len(stops) < 30, stops
    assert stops[0] == "Skip to the content"
    assert {"Profile", "Security", "API tokens"} <= set(stops)
    page.keyboard.press("Control+a")
    page.keyboard.type("Root of the site")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your name is changed.")).to_be_visible()


def test_everything_works_without_script(open_site: RunningServer, browser: Browser) -> None:
    """Registering, verifying, signing in, the second factor's picture, a token and a log-out: plain forms do it all."""
    context = profile(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(open_site.url + "/register")
    page.get_by_label("Name").fill("Plain")
    page.get_by_label("E-mail address").fill("plain@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.goto(open_site.url + mailed(open_site, "plain@example.org", "/verify"))
    sign_in(page, "plain@example.org")
    page.wait_for_url(open_site.url + "/")
    page.goto(open_site.url + "/account/second-factor")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.goto(open_site.url + "/account/tokens")
    page.get_by_label("Name").fill("plain")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#token")).to_contain_text("sht_")
    page.goto(open_site.url + "/account/security")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("You are signed out everywhere.")).to_be_visible()
    context.close()
