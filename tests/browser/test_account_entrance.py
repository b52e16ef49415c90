"""Getting an account, losing the password, and coming back in: by the pages and the links in mails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import MAIL_SECONDS, OTHER, forgive, mailed, sign_in
from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD
from tests.support.server import RunningServer


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where everybody may register, and mail is printed."""
    running = RunningServer(tmp_path_factory.mktemp("open") / "data", STREAMHOST_ACCOUNTS_REGISTRATION="open").start()
    running.add_user("root@example.org", "admin")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def invite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where whoever is invited may register."""
    data = tmp_path_factory.mktemp("invite") / "data"
    running = RunningServer(data, STREAMHOST_ACCOUNTS_REGISTRATION="invite").start()
    running.add_user("root@example.org", "admin")
    yield running
    running.stop()


def register(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill the form for a new account and send it."""
    page.get_by_label("Name").fill("Nia")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Create account").click()


def test_from_the_form_to_the_account(open_site: RunningServer, visit: Visit) -> None:
    """Register, find the door shut, ask for the mail again, follow its link, sign in, see one's account."""
    nia = visit(open_site.url)
    page = nia.page("/register")
    register(page, "nia@example.org")
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    mailed(open_site, "nia@example.org", "/verify")
    page.goto(open_site.url + "/login")
    sign_in(page, "nia@example.org")
    expect(page.get_by_role("alert")).to_contain_text("not been verified")
    page.get_by_role("button", name="Send the mail again").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    link = mailed(open_site, "nia@example.org", "/verify")
    page.goto(open_site.url + link)
    expect(page.get_by_text("Your address is verified.")).to_be_visible()
    sign_in(page, "nia@example.org")
    page.wait_for_url(open_site.url + "/")
    page.get_by_role("button", name="Account: Nia").click()
    page.get_by_role("link", name="Your account").click()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Nia")
    again = visit(open_site.url)
    page = again.page(link)
    expect(page.get_by_role("alert")).to_contain_text("has been used")
    expect(page.get_by_role("link", name="Ask for another link")).to_be_visible()
    forgive(nia.troubles, "403")
    forgive(again.troubles, "410")


def test_a_taken_address_gets_the_same_page_and_another_mail(open_site: RunningServer, visit: Visit) -> None:
    """Whoever tries out addresses sees no difference; the owner of the address is told."""
    page = visit(open_site.url).page("/register")
    register(page, "root@example.org")
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    deadline = time.monotonic() + MAIL_SECONDS
    while "You have an account at streamhost already" not in open_site.output:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_mistakes_are_named_at_their_fields(open_site: RunningServer, visit: Visit) -> None:
    """What the server refuses stands at the field, is announced with it, and what was right stays typed in."""
    guest = visit(open_site.url)
    page = guest.page("/register")
    page.evaluate("document.querySelector('main form').noValidate = true")
    register(page, "not an address", "short")
    expect(page.get_by_label("Name")).to_have_value("Nia")
    for label in ("E-mail address", "Password"):
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        described = field.get_attribute("aria-describedby") or ""
        assert f"f-{field.get_attribute('name')}-error" in described
    forgive(guest.troubles, "422")


def test_a_forgotten_password(open_site: RunningServer, visit: Visit) -> None:
    """A link by mail sets a new password, once; every browser is signed out, and the old password is dead."""
    open_site.add_user("fay@example.org")
    there = visit(open_site.url).sign_in("fay@example.org")
    here = visit(open_site.url)
    page = here.page("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill("fay@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    link = mailed(open_site, "fay@example.org", "/reset")
    page.goto(open_site.url + link)
    expect(page.get_by_text("fay@example.org")).to_be_visible()
    page.get_by_label("New password", exact=True).fill("fay@example.org")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("New password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your new password is set")).to_be_visible()
    sign_in(page, "fay@example.org")
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    sign_in(page, "fay@example.org", OTHER)
    page.wait_for_url(open_site.url + "/")
    out = there.page("/studio")
    out.wait_for_url("**/login?next=**")
    page.goto(open_site.url + link)
    expect(page.get_by_role("heading", name="This link does not open anything")).to_be_visible()
    forgive(here.troubles, "422", "401", "410")


def test_an_invitation_lets_one_in(invite_site: RunningServer, visit: Visit) -> None:
    """Without an invitation the page says how to get one; with a link for an address one signs in at once."""
    guest = visit(invite_site.url)
    page = guest.page("/register")
    expect(page.get_by_role("heading", name="By invitation")).to_be_visible()
    page.goto(invite_site.url + "/register?invitation=made-up")
    expect(page.get_by_role("heading", name="This invitation does not work")).to_be_visible()
    api = invite_site.client("root@example.org")
    body = {"email": "ivy@example.org", "role": "creator"}
    link = api.post("/api/v1/admin/invitations", json=body).json()["link"]
    address = urlsplit(link)
    page.goto(f"{invite_site.url}{address.path}?{address.query}")
    expect(page.get_by_text("You come in as creator")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("ivy@example.org")
    register(page, "other@example.org")
    expect(page.get_by_text("The invitation is for ivy@example.org.")).to_be_visible()
    register(page, "ivy@example.org")
    expect(page.get_by_text("you can sign in")).to_be_visible()
    sign_in(page, "ivy@example.org")
    page.wait_for_url(invite_site.url + "/")
    expect(page.get_by_role("link", name="Upload", exact=True)).to_be_visible()
    page.get_by_role("button", name="Account: Nia").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{invite_site.url}{address.path}?{address.query}")
    expect(page.get_by_role("heading", name="This invitation does not work")).to_be_visible()
    forgive(guest.troubles, "403")


def test_too_many_guesses_have_to_wait(open_site: RunningServer, visit: Visit) -> None:
    """Whoever guesses on is told to wait, in words and by the header, and finds the form still there."""
    guest = visit(open_site.url)
    page = guest.page("/login")
    waits: list[str] = []
    page.on("response", lambda answer: waits.append(answer.headers.get("retry-after", "")))
    alert = page.get_by_role("alert")
    for _ in range(30):
        sign_in(page, "victim@example.org", OTHER)
        expect(alert).to_be_visible()
        if "Too many attempts" in alert.inner_text():
            break
    expect(alert).to_contain_text("Try again in")
    assert any(wait.isdigit() for wait in waits)
    expect(page.get_by_label("E-mail address")).to_have_value("victim@example.org")
    forgive(guest.troubles, "401", "429")
