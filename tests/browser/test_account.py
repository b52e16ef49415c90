"""Looking after one's own account by its pages."""

from __future__ import annotations

import time

import httpx
from playwright.sync_api import Page, expect
from pyotp import TOTP

from tests.browser.accounts import OTHER, forgive, mailed, sign_in
from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD, REMEMBER_TOASTS, until
from tests.support.server import RunningServer

STEP = 30


def sign_out(page: Page, url: str) -> None:
    """By the account menu."""
    page.goto(url + "/")
    page.get_by_role("button", name="Account: ").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()


def test_a_second_factor_from_the_qr_code_to_the_last_recovery_code(site: RunningServer, visit: Visit) -> None:
    """Set it up, sign in with a code, with a recovery code, never twice with one code, and switch it off again."""
    site.add_user("tia@example.org")
    tia = visit(site.url).sign_in("tia@example.org")
    page = tia.page("/account/security")
    page.get_by_role("link", name="Set it up").click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    picture = page.get_by_role("img", name="QR code")
    expect(picture.locator("svg path")).to_have_count(1)
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 150
    secret = page.locator(".secret code").inner_text().replace(" ", "")
    assert f"secret={secret}" in (page.get_by_role("link", name="Open it in an app").get_attribute("href") or "")
    app = TOTP(secret)
    page.get_by_label("Six digits").fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_label("Six digits")).to_have_attribute("aria-invalid", "true")
    assert page.locator(".secret code").inner_text().replace(" ", "") == secret
    first = app.now()
    page.get_by_label("Six digits").fill(first)
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes li").all_inner_texts()
    assert len(set(recovery)) == 10

    sign_out(page, site.url)
    page.goto(site.url + "/login?next=/account/security")
    sign_in(page, "tia@example.org")
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    assert PASSWORD not in page.content()
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill(first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not fit, or has been used before")
    page.get_by_label("Code").fill(app.at(int(time.time()) + STEP))
    page.keyboard.press("Enter")
    page.wait_for_url(site.url + "/account/security")
    expect(page.get_by_text("10 recovery codes left.")).to_be_visible()

    sign_out(page, site.url)
    page.goto(site.url + "/login")
    sign_in(page, "tia@example.org")
    page.get_by_label("Code").fill(recovery[0].upper())
    page.keyboard.press("Enter")
    page.wait_for_url(site.url + "/")
    page.goto(site.url + "/account/second-factor")
    expect(page.get_by_text("9 of yours are left.")).to_be_visible()
    off = page.get_by_role("region", name="Switch it off")
    off.get_by_label("Your password", exact=True).fill(PASSWORD)
    off.get_by_label("Code of your app").fill(recovery[0])
    off.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_label("Code of your app")).to_have_attribute("aria-invalid", "true")
    off.get_by_label("Your password", exact=True).fill(PASSWORD)
    off.get_by_label("Code of your app").fill(recovery[1])
    off.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_text("Signing in needs no code any more.")).to_be_visible()
    forgive(tia.troubles, "422", "401")


def test_a_code_that_comes_too_late(site: RunningServer, visit: Visit) -> None:
    """A ticket between password and code that the server does not know leads back to the first form."""
    guest = visit(site.url)
    page = guest.page("/login")
    page.evaluate(
        """() => { const form = document.querySelector("main form");
        form.insertAdjacentHTML("beforeend", '<input name="ticket" value="00.00">'); }"""
    )
    sign_in(page, "alice@example.org")
    expect(page.get_by_role("alert")).to_contain_text("took too long")
    forgive(guest.troubles, "401")


def test_a_token_is_shown_once_and_can_be_revoked(site: RunningServer, visit: Visit) -> None:
    """The page makes a token that does what was ticked and nothing else; after a reload it is gone from the page."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/account/tokens")
    expect(page.get_by_text("You have no tokens.")).to_be_visible()
    page.get_by_label("Name").fill("camera upload")
    expect(page.get_by_label("Read")).to_be_checked()
    expect(page.get_by_label("Admin")).to_have_count(0)
    page.get_by_label("For how long").select_option("30")
    page.get_by_label("Your password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Your password", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("camera upload")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("#token").inner_text()
    page.evaluate(REMEMBER_TOASTS)
    page.get_by_role("button", name="Copy Token").click()
    until(page, "window.toasts.includes('Copied.')")
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(site.url + "/api/v1/me", headers=bearer).status_code == 200
    assert httpx.get(site.url + "/account", headers=bearer).status_code == 403
    page.goto(site.url + "/account/tokens")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke camera upload").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    assert httpx.get(site.url + "/api/v1/me", headers=bearer).status_code == 401
    forgive(alice.troubles, "422")


def test_devices_can_be_signed_out(site: RunningServer, visit: Visit) -> None:
    """Another browser is listed in words and signed out from here; signing out everywhere ends this one too."""
    here, there = visit(site.url).sign_in("bob@example.org"), visit(site.url).sign_in("bob@example.org")
    page = here.page("/account/security")
    devices = page.get_by_role("region", name="Where you are signed in").get_by_role("listitem")
    expect(devices).to_have_count(2)
    expect(devices.first).to_contain_text("Chrome on Linux")
    devices.filter(has_not_text="This browser").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("That device is signed out.")).to_be_visible()
    expect(devices).to_have_count(1)
    there.page("/account").wait_for_url("**/login?next=**")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("You are signed out everywhere.")).to_be_visible()
    page.goto(site.url + "/account")
    page.wait_for_url("**/login?next=**")


def test_password_name_and_address(site: RunningServer, visit: Visit) -> None:
    """A new password signs other browsers out; a new address counts once its link was followed; a name at once."""
    site.add_user("max@example.org")
    here, there = visit(site.url).sign_in("max@example.org"), visit(site.url).sign_in("max@example.org")
    page = here.page("/account/security")
    page.get_by_label("Present password", exact=True).fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    there.page("/account").wait_for_url("**/login?next=**")
    page.get_by_role("link", name="Profile").click()
    page.get_by_role("textbox", name="Name").fill("Maximilian")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Account: Maximilian")).to_be_visible()
    page.get_by_label("New address").fill("maxi@example.org")
    page.get_by_label("Your password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Follow the link")).to_be_visible()
    expect(page.get_by_text("max@example.org", exact=True).first).to_be_attached()
    page.goto(site.url + mailed(site, "maxi@example.org", "/account/email/confirm"))
    page.get_by_role("button", name="Use this address").click()
    expect(page.get_by_text("Your account has its new address.")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("maxi@example.org")).to_be_visible()


def test_deleting_the_account(site: RunningServer, visit: Visit) -> None:
    """It takes the password; afterwards nobody can sign in. The last administrator is told why not."""
    site.add_user("dora@example.org")
    dora = visit(site.url).sign_in("dora@example.org")
    page = dora.page("/account")
    page.get_by_role("link", name="Delete this account").click()
    page.get_by_label("Your password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_label("Your password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    sign_in(page, "dora@example.org")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/account/delete")
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_contain_text("The last administrator cannot be removed.")
    forgive(dora.troubles, "422", "401")
    forgive(root.troubles, "409")
