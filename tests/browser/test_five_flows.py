"""The five flows of the house in one scripted session, as each kind of user, from an invitation by real mail to what a
viewer finds after a decision. Nothing may appear in the console, and no request may fail that was not meant to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Response, expect

from tests.browser.accounts import make_administrator
from tests.browser.conftest import Visit
from tests.browser.support import PASSWORD, PATIENCE, Visitor, until, wait_for_time
from tests.support.clips import small_clip
from tests.support.models import lend
from tests.support.posed import posed
from tests.support.server import RunningServer
from tests.support.server import until as wait_until
from tests.support.smtp import HOST, MailServer, text_of

NIGHT, GARDEN = "Rabbits at night", "Rabbits in the garden"
OTHERS = ("Foxes at noon", "Rabbits in spring")
"""The front page has a row of proposals once there are three."""
WHY = "It shows the garden of somebody who does not want that."
LEFT = "ERR_ABORTED"
"""What a browser says of a request that it gives up because its page is left."""


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    """A mail server."""
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, post: MailServer) -> Iterator[RunningServer]:
    """A community to be, that sends real mail, lets in whoever is invited, and has the real models. It has nobody."""
    data = tmp_path_factory.mktemp("town") / "data"
    lend(data)
    mail = {"HOST": HOST, "PORT": str(post.port), "SECURITY": "none", "SENDER": "video@example.org"}
    given = {f"STREAMHOST_MAIL_{name}": value for name, value in mail.items()}
    given |= {"STREAMHOST_ACCOUNTS_REGISTRATION": "invite", "STREAMHOST_MEDIA_HEIGHTS": "[240]"}
    given |= {"STREAMHOST_RECOMMENDATIONS_PATIENCE": "5"}
    running = RunningServer(data, **given).start()
    yield running
    running.stop()


@dataclass
class Town:
    """The session: the site, its mail, and everything that went wrong in any browser."""

    site: RunningServer
    post: MailServer
    visit: Visit
    failed: list[str] = field(default_factory=list)

    def comes(self) -> Visitor:
        """Somebody opens a browser."""
        visitor = self.visit(self.site.url)
        visitor.context.on("requestfailed", self._lost)
        visitor.context.on("response", self._refused)
        return visitor

    def _lost(self, request: Request) -> None:
        if LEFT not in (request.failure or ""):
            self.failed.append(f"{request.failure}: {request.url}")

    def _refused(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status}: {response.url}")

    def meant(self, visitor: Visitor, status: int) -> None:
        """What was refused just now should be, and nothing else was."""
        assert len(self.failed) == 1 and self.failed[0].startswith(f"{status}:"), self.failed
        assert [trouble for trouble in visitor.troubles if str(status) not in trouble] == []
        self.failed.clear()
        visitor.troubles.clear()

    def link(self, to: str, path: str) -> str:
        """The newest link to `path` in a mail to somebody."""
        found = re.findall(rf"{re.escape(self.site.url + path)}\?\S+", text_of(self.post.wait(1, to=to)[-1]))
        assert found, text_of(self.post.mailbox.mails[-1])
        return str(found[-1])


def begin(town: RunningServer, root: Visitor) -> Page:
    """Flow 1 for the first of all: whoever has the link that the server printed becomes its administrator, and says who
    the site is for."""
    desk = root.page()
    make_administrator(desk, town, "Town")
    expect(desk.locator(".brand__name")).to_have_text("Town")
    desk.get_by_role("radio", name=re.compile("^Community")).check()
    desk.get_by_role("button", name="Choose and go on").click()
    desk.wait_for_url(f"{town.url}/setup/storage")
    for step in ("mail", "models", "done"):
        desk.get_by_role("link", name=re.compile("^(Skip|Go on)$")).click()
        desk.wait_for_url(f"{town.url}/setup/{step}")
    return desk


def invite(root: Page, town: Town, email: str, role: str, *, by_mail: bool) -> str:
    """The administrator makes an invitation; the link that somebody gets."""
    root.goto(town.site.url + "/admin/invitations")
    if by_mail:
        root.get_by_label("E-mail address").fill(email)
    root.get_by_label("Role").select_option(role)
    root.get_by_role("button", name="Make the invitation").click()
    made = root.get_by_text(re.compile(re.escape(town.site.url) + r"/register\?")).first.inner_text()
    return town.link(email, "/register") if by_mail else made.strip()


def join(town: Town, root: Page, name: str, role: str, *, by_mail: bool) -> Visitor:
    """Flow 1: from the invitation through the form, the mail that verifies, and the sign-in form."""
    email = f"{name.lower()}@example.org"
    visitor = town.comes()
    page = visitor.page()
    page.goto(invite(root, town, email, role, by_mail=by_mail))
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    if by_mail:  # the address is proven by the mail that the link came in
        expect(page.get_by_text("you can sign in")).to_be_visible()
    else:
        expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
        page.goto(town.link(email, "/verify"))
        expect(page.get_by_text("Your address is verified.")).to_be_visible()
    page.close()
    return visitor.sign_in(email)


def upload(town: Town, creator: Visitor, folder: Path) -> str:
    """Flow 2: two files by the page, encrypted; made and screened while the page tells how far they are, to the mail
    that says so. One of the models does not like the first, which then waits; the other is out. The first one's id."""
    files = []
    for clip, title in ((posed("nudity_first_model"), NIGHT), (small_clip(), GARDEN)):
        files.append(folder / f"{title}.mp4")
        files[-1].write_bytes(clip.read_bytes())
    page = creator.page("/upload")
    page.get_by_text("Protection of the files").click()
    page.locator("[name=protection][value=cenc]").check()
    page.get_by_label("Public").first.check()
    page.locator("[data-files]").set_input_files(files)
    rows = page.get_by_role("region", name="Uploads").get_by_role("listitem").filter(has_text=".mp4")
    expect(rows).to_have_count(2)
    for title, phase, words in ((NIGHT, "review", "Waiting for review"), (GARDEN, "ready", "Ready")):
        row = rows.filter(has_text=title)
        expect(row).to_have_attribute("data-phase", phase, timeout=2 * PATIENCE)
        expect(row.get_by_role("status")).to_have_text(words)
    page.close()
    api = town.site.client("cleo@example.org")
    more = [api.upload(small_clip(), title=title, visibility="public", protection="cenc") for title in OTHERS]
    made = {one["title"]: one for one in api.get("/api/v1/videos", params={"owner": "me"}).json()["items"]}
    assert {(one["visibility"], one["protection"]) for one in made.values()} == {("public", "cenc")}
    for video in more:
        api.wait_until(video, "ready")
    # The first mail about the films comes at once, the next ones together later.
    assert {NIGHT, GARDEN} & set(re.findall(f"{NIGHT}|{GARDEN}", text_of(town.post.wait(2, to="cleo@example.org")[1])))
    return str(made[NIGHT]["id"])


def watch(page: Page, title: str, *, to_the_end: bool = False) -> None:
    """Flow 3: from the first page to a moving picture that was decrypted by a licence, in the page's own player."""
    page.get_by_role("main").get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("button", name="Play", exact=True).first).to_be_visible()
    page.locator("[data-start]").click()
    if to_the_end:
        until(page, "document.querySelector('video').ended")
    else:
        wait_for_time(page, 0.3)
    assert page.evaluate("document.querySelector('video').mediaKeys !== null")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    assert any(path.endswith("/license/clearkey") for path in loaded)


def is_proposed(town: Town, page: Page) -> None:
    """Flow 4: the other films are proposed, each with its reason; the one that was watched is not. A list that was made
    before somebody watched keeps its reasons until the watch graph has taken note, minutes later."""
    mine = town.site.client("vera@example.org")

    def proposals() -> list[str]:
        return [one["video"]["title"] for one in mine.get("/api/v1/recommendations").json()["items"]]

    wait_until(lambda: set(proposals()) == {GARDEN, *OTHERS})
    page.goto(town.site.url)
    row = page.get_by_role("region", name="For you")
    expect(row.get_by_role("link", name=GARDEN)).to_be_visible()
    expect(row.get_by_text(re.compile(f"{NIGHT}|like you|New here"))).to_have_count(3)
    expect(row.get_by_role("link", name=NIGHT)).to_have_count(0)


def approve(page: Page) -> None:
    """Flow 5, the first time: what the models were not sure of waits for a moderator, who finds nothing wrong."""
    page.get_by_role("link", name=NIGHT).click()
    expect(page.get_by_role("img", name=re.compile("Nudity: highest score"))).to_be_visible()
    until(page, "document.querySelector('video').readyState >= 2")
    page.keyboard.press("a")
    expect(page.locator("[data-flash]")).to_contain_text(f"“{NIGHT}” was approved.")


def report(page: Page) -> None:
    """Flow 5 begins: a viewer says what is wrong, beside the player."""
    page.get_by_role("link", name="Report").click()
    dialog = page.get_by_role("dialog", name="Report this video")
    dialog.get_by_role("radio").nth(1).check()
    dialog.get_by_label("In your own words").fill("That is my garden.")
    dialog.get_by_label("Tell me how it ended").check()
    dialog.get_by_role("button", name="Report").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def reject(page: Page) -> None:
    """Flow 5 goes on: a moderator finds the report at the desk, looks at the film, and decides."""
    page.get_by_role("link", name=NIGHT).click()
    expect(page.get_by_text("That is my garden.")).to_be_visible()
    until(page, "document.querySelector('video').readyState >= 2")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Reject this video")
    dialog.get_by_label("What the owner is told").fill(WHY)
    dialog.get_by_role("button", name="Reject").click()
    expect(page.locator("[data-flash]")).to_contain_text(f"“{NIGHT}” was rejected.")


def test_everybody_goes_through_the_five_flows(
    town: RunningServer, post: MailServer, visit: Visit, tmp_path: Path
) -> None:
    """Root comes by the printed link, and invites; Cleo uploads; Mo approves what models held; a stranger, Vera, Cleo,
    Mo and root watch what is protected; Vera is proposed other films with reasons, and reports the first; Mo rejects
    it; each finds afterwards what is for them, no more."""
    all_of = Town(town, post, visit)
    root = all_of.comes()
    desk = begin(town, root)
    cleo = join(all_of, desk, "Cleo", "creator", by_mail=True)
    mo = join(all_of, desk, "Mo", "moderator", by_mail=True)
    vera = join(all_of, desk, "Vera", "viewer", by_mail=False)
    stranger = all_of.comes()
    night = upload(all_of, cleo, tmp_path)

    pages = {"mo": mo.page("/moderation")}
    approve(pages["mo"])
    pages |= {name: visitor.page() for name, visitor in (("vera", vera), ("stranger", stranger), ("cleo", cleo))}
    pages["root"] = desk
    for page in pages.values():
        page.goto(town.url)
    for name, page in pages.items():
        watch(page, NIGHT, to_the_end=name == "vera")
        page.goto(town.url)  # a player that is still there would ask for what is rejected meanwhile
    is_proposed(all_of, pages["vera"])
    pages["vera"].goto(f"{town.url}/watch/{night}")
    report(pages["vera"])
    pages["mo"].goto(town.url + "/moderation?cause=report")
    reject(pages["mo"])
    assert (all_of.failed, [one.troubles for one in (root, cleo, mo, vera, stranger)]) == ([], [[]] * 5)

    for visitor, page in ((vera, pages["vera"]), (stranger, pages["stranger"])):
        page.goto(f"{town.url}/watch/{night}")
        expect(page.get_by_text("404")).to_be_visible()
        all_of.meant(visitor, 404)
        page.goto(town.url)
        expect(page.get_by_role("main").get_by_role("link", name=GARDEN).first).to_be_visible()
        expect(page.get_by_role("main").get_by_role("link", name=NIGHT)).to_have_count(0)
    expect(pages["vera"].get_by_role("link", name=re.compile(r"Notifications: \d+ not read"))).to_be_visible()
    pages["stranger"].goto(town.url + "/studio")
    expect(pages["stranger"]).to_have_url(re.compile("/login"))
    pages["vera"].goto(town.url + "/upload")
    expect(pages["vera"].get_by_role("heading", level=1)).to_contain_text("not yours to do")
    all_of.meant(vera, 403)
    pages["cleo"].goto(town.url + "/studio")
    item = pages["cleo"].get_by_role("listitem").filter(has_text=NIGHT)
    expect(item.get_by_text(WHY)).to_be_visible()
    pages["mo"].goto(town.url)
    watch(pages["mo"], GARDEN)
    desk.goto(town.url + "/admin/audit")
    entries = desk.get_by_role("list", name="What was done, newest first").get_by_role("listitem")
    expect(entries.filter(has_text=re.compile("reject", re.IGNORECASE)).first).to_be_visible()
    assert all_of.failed == []
