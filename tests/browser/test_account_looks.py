"""How the pages about accounts look and sound: every width, both themes, WCAG 2.2 AA, keyboard, no script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.accounts import forgive, mailed, sign_in
from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD, PATIENCE, press_tab, until
from tests.browser.test_looks import check
from tests.support.server import RunningServer
from tests.support.server import until as waited

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff " * 2


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where everybody may register, with root as its admin and something in every list."""
    running = RunningServer(tmp_path_factory.mktemp("open") / "data", STREAMHOST_ACCOUNTS_REGISTRATION="open").start()
    running.add_user("root@example.org", "admin")
    running.add_user("alice@example.org")
    api = running.client("root@example.org")
    body = {"email": f"{'long.' * 10}name@example.org", "name": LONG_NAME.strip(), "password": PASSWORD}
    assert api.post("/api/v1/admin/users", json=body).status_code == 201
    for invitation in ({"note": "The film club", "uses": 5}, {"email": "guest@example.org", "role": "creator"}):
        assert api.post("/api/v1/admin/invitations", json=invitation).status_code == 201
    token = {"name": "camera upload", "scopes": ["upload"], "password": PASSWORD, "days": 30}
    assert api.post("/api/v1/me/tokens", json=token).status_code == 201
    for name in ("fake.mp4", f"{'A very long name ' * 8}.mkv", f"{'verylong' * 20}.mkv"):
        (running.data / "import" / name).write_bytes(b"This is no film.")
    waited(lambda: len(api.get("/api/v1/admin/imports/files").json()["items"]) == 3)
    yield running
    running.stop()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_at_the_door(open_site: RunningServer, visit: Visit, dark: bool) -> None:
    """Registering, verifying and recovering, with their mistakes and refusals."""
    guest = visit(open_site.url, dark=dark)
    page = guest.page()
    paths = {
        "register": "/register",
        "invitation-refused": "/register?invitation=made-up",
        "verify-refused": "/verify?token=guess",
        "resend": "/verify/resend",
        "forgot": "/forgot",
        "reset-refused": "/reset?token=guess",
        "confirm-email": "/account/email/confirm?token=guess",
        "login": "/login?done=verified",
    }
    for name, path in paths.items():
        page.goto(open_site.url + path)
        check(page, name, dark)
    page.goto(open_site.url + "/register")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    check(page, "register-wrong", dark)
    page.goto(open_site.url + "/forgot")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    check(page, "forgot-sent", dark)
    page.goto(open_site.url + mailed(open_site, "alice@example.org", "/reset"))
    check(page, "reset", dark)
    page.goto(open_site.url + "/login")
    sign_in(page, f"{'long.' * 10}name@example.org")
    expect(page.get_by_role("alert")).to_contain_text("not been verified")
    check(page, "login-unverified", dark)
    page.get_by_role("button", name="Send the mail again").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    check(page, "resend-sent", dark)
    forgive(guest.troubles, "400", "403", "422")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_of_an_administrator(open_site: RunningServer, visit: Visit, dark: bool) -> None:
    """One's own account, and the administration, with something in every list."""
    root = visit(open_site.url, dark=dark).sign_in("root@example.org")
    page = root.page()
    paths = {
        "account": "/account?done=name",
        "security": "/account/security",
        "second-factor": "/account/second-factor",
        "tokens": "/account/tokens",
        "delete-account": "/account/delete",
        "users": "/admin/users",
        "users-none": "/admin/users?q=zzzz",
        "add-user": "/admin/users/new",
        "invitations": "/admin/invitations",
        "mail": "/admin/mail",
        "imports": "/admin/imports",
        "imports-none": "/admin/imports?state=duplicate",
        "audit": "/admin/audit",
        "audit-none": "/admin/audit?act=user_deleted",
    }
    for name, path in paths.items():
        page.goto(open_site.url + path)
        check(page, name, dark)
    page.goto(open_site.url + "/admin/users?q=long")
    page.get_by_role("link", name=LONG_NAME.strip()).click()
    expect(page.get_by_role("button", name="Shut this account")).to_be_visible()
    check(page, "user", dark)
    page.get_by_role("link", name="Delete this account").click()
    page.wait_for_url("**/delete")
    check(page, "delete-user", dark)
    page.goto(open_site.url + "/account/second-factor")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    check(page, "second-factor-secret", dark)
    page.goto(open_site.url + "/account/tokens")
    page.evaluate("document.querySelector('main form[action=\"/account/tokens\"]').noValidate = true")
    page.get_by_label("Read").uncheck()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    check(page, "tokens-wrong", dark)
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
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
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
