"""The administration by its pages: users, invitations, mail, the audit log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accounts import OTHER, forgive, sign_in
from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD
from tests.support.server import RunningServer, until
from tests.support.smtp import HOST, MailServer


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    """A mail server."""
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mailing(post: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site by invitation that sends its mail there."""
    smtp = {"HOST": HOST, "PORT": str(post.port), "SECURITY": "none", "SENDER": "video@example.org"}
    settings = {f"STREAMHOST_MAIL_{name}": value for name, value in smtp.items()}
    data = tmp_path_factory.mktemp("mailing") / "data"
    running = RunningServer(data, STREAMHOST_ACCOUNTS_REGISTRATION="invite", **settings).start()
    running.add_user("root@example.org", "admin")
    yield running
    running.stop()


def test_somebody_is_added_promoted_shut_and_deleted(site: RunningServer, visit: Visit) -> None:
    """An account's whole life in the hands of an administrator; the audit log tells it afterwards."""
    root, una = visit(site.url).sign_in("root@example.org"), visit(site.url)
    page = root.page("/")
    page.get_by_role("button", name="Account: Root").click()
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("navigation", name="Administration").get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Add a user").click()
    page.get_by_label("Name").fill("Una")
    page.get_by_label("E-mail address").fill("bob@example.org")
    page.get_by_label("First password", exact=True).fill(OTHER)
    page.get_by_label("The address is right").check()
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mail address").fill("una@example.org")
    page.get_by_label("First password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("The account is made.")).to_be_visible()
    hers = una.page("/login")
    sign_in(hers, "una@example.org", OTHER)
    hers.wait_for_url(site.url + "/")
    page.get_by_role("combobox", name="Role").select_option("creator")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The role is changed.")).to_be_visible()
    hers.goto(site.url + "/upload")
    expect(hers.get_by_role("heading", level=1)).to_contain_text("Upload")
    page.get_by_label("Gigabytes").fill("lots")
    page.get_by_role("button", name="Set the quota").click()
    expect(page.get_by_label("Gigabytes")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Gigabytes").fill("1.5")
    page.get_by_role("button", name="Set the quota").click()
    expect(page.get_by_text("What this account may keep is changed.")).to_be_visible()
    hers.goto(site.url + "/account")
    expect(hers.get_by_text("0 bytes of 1.5 GB")).to_be_visible()
    hers.goto("about:blank")  # nothing of hers is on its way any more that could be refused
    expect(page.get_by_role("region", name="Where this account is signed in").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Shut this account").click()
    expect(page.get_by_text("The account is shut")).to_be_visible()
    hers.goto(site.url + "/studio")
    hers.wait_for_url("**/login?next=**")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_text("The account is open again.")).to_be_visible()
    page.get_by_role("link", name="What the audit log says").click()
    for line in ("User enabled", "User disabled", "Role changed", "Signed in", "User added"):
        expect(page.get_by_role("heading", name=line)).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Delete this account").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The account is deleted.")).to_be_visible()
    page.get_by_label("Name or address").fill("una@")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    forgive(root.troubles, "409", "422")


def test_the_last_administrator_stays(site: RunningServer, visit: Visit) -> None:
    """Neither role nor account can be taken from the last administrator, and the page says why."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/admin/users?q=root@")
    page.get_by_role("link", name="Root").click()
    page.get_by_role("combobox", name="Role").select_option("viewer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The last administrator cannot be removed.")
    page.goto(site.url + "/admin/users?q=root@")
    page.get_by_role("link", name="Root").click()
    page.get_by_role("button", name="Shut this account").click()
    expect(page.get_by_role("alert")).to_contain_text("The last administrator cannot be removed.")
    page.get_by_role("link", name="Delete this account").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("The last administrator cannot be removed.")
    forgive(root.troubles, "409")


def test_a_site_without_mail_server_warns(site: RunningServer, visit: Visit) -> None:
    """The pages from which people get mail say that it goes nowhere, the others do not; a closed site takes no
    invitations."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page()
    for room, warned in (("", True), ("/users", True), ("/invitations", True), ("/mail", True), ("/audit", False)):
        page.goto(f"{site.url}/admin{room}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("Mail does not leave this server")).to_have_count(int(warned))
    page.goto(site.url + "/admin/invitations")
    expect(page.get_by_text("Nobody can register here")).to_be_visible()
    expect(page.get_by_text("Nobody has been invited yet.")).to_be_visible()
    page.goto(site.url + "/admin/mail")
    expect(page.get_by_role("button", name="Send a test mail")).to_have_count(0)


def test_others_see_nothing_of_it(site: RunningServer, visit: Visit) -> None:
    """A creator has no link to the administration, and gets a page with words at its addresses."""
    alice = visit(site.url).sign_in("alice@example.org")
    page = alice.page("/")
    page.get_by_role("button", name="Account: Alice").click()
    expect(page.get_by_role("link", name="Your account")).to_be_visible()
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)
    page.goto(site.url + "/admin/users")
    expect(page.get_by_role("heading", level=1)).to_contain_text("not yours to do")
    forgive(alice.troubles, "403")


def test_invitations_and_their_links(mailing: RunningServer, post: MailServer, visit: Visit) -> None:
    """A link to pass on is shown once and lets people in until it is taken back; one for an address is mailed."""
    root = visit(mailing.url).sign_in("root@example.org")
    page = root.page("/admin/invitations")
    expect(page.get_by_text("Mail does not leave this server")).to_have_count(0)
    page.get_by_label("Note").fill("The film club")
    page.get_by_label("How many people").fill("0")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_label("How many people")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("How many people").fill("3")
    page.get_by_role("button", name="Make the invitation").click()
    link = page.locator("#link").inner_text()
    guest = visit(mailing.url)
    form = guest.page()
    form.goto(link)
    expect(form.get_by_role("heading", name="You are invited")).to_be_visible()
    expect(page.get_by_text("0 of 3 used")).to_be_visible()
    page.get_by_role("button", name="Take back The film club").click()
    expect(page.get_by_text("The invitation is taken back.")).to_be_visible()
    expect(page.get_by_text("Taken back", exact=True)).to_be_visible()
    form.goto(link)
    expect(form.get_by_role("heading", name="This invitation does not work")).to_be_visible()
    page.get_by_label("E-mail address").fill("guest@example.org")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_text("on its way to guest@example.org")).to_be_visible()
    post.wait(1)
    forgive(root.troubles, "422")
    forgive(guest.troubles, "403")


def test_mail_that_was_not_delivered(mailing: RunningServer, post: MailServer, visit: Visit) -> None:
    """A refused letter is listed with what the mail server said; it can be tried again, or thrown away."""
    post.mailbox.unknown = {"ann@example.org", "ben@example.org"}
    api = mailing.client("root@example.org")
    for name in ("ann", "ben"):
        body = {"email": f"{name}@example.org", "role": "viewer"}
        assert api.post("/api/v1/admin/invitations", json=body).status_code == 201
    root = visit(mailing.url).sign_in("root@example.org")
    until(lambda: api.get("/api/v1/admin/mail").json()["dead"] == 2)
    page = root.page("/admin/mail")
    expect(page.get_by_text("The mail server said 550 No such user.")).to_have_count(2)
    expect(page.get_by_role("navigation", name="Administration")).to_contain_text("2 need a look")
    post.mailbox.unknown = set()
    page.get_by_role("button", name="Try again to send to ann@example.org").click()
    expect(page.get_by_text("It is tried again now.")).to_be_visible()
    page.get_by_role("button", name="Throw away the mail to ben@example.org").click()
    expect(page.get_by_text("It is thrown away.")).to_be_visible()
    expect(page.get_by_text("Every mail got through")).to_be_visible()
    page.get_by_role("button", name="Send a test mail to root@example.org").click()
    expect(page.get_by_text("A test mail was handed over.")).to_be_visible()


def test_the_audit_log_is_sifted(site: RunningServer, visit: Visit) -> None:
    """By what was done and by whom; what fits nothing gives words, not an empty page."""
    root = visit(site.url).sign_in("root@example.org")
    page = root.page("/admin/audit")
    page.get_by_label("What was done", exact=True).select_option("signed_in")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="Signed in").first).to_be_visible()
    expect(page.get_by_role("heading", name="User added")).to_have_count(0)
    site.add_user("quiet@example.org")
    page.get_by_label("What was done", exact=True).select_option("user_added")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="quiet@example.org").first.click()
    expect(page.get_by_text("Only what one account did, or had done to it.")).to_be_visible()
    page.get_by_label("What was done", exact=True).select_option("user_deleted")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing of the kind")).to_be_visible()
    assert PASSWORD not in page.content()
