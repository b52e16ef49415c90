"""The moderators' desk in a real browser, with videos that the real models hold: by keyboard alone, by two at once,
without script, and what owners and viewers see of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.looks import look
from tests.browser.support import PASSWORD, profile, until
from tests.support.models import PICTURES, lend
from tests.support.posed import posed
from tests.support.server import Api, RunningServer
from tests.support.server import until as wait

TITLES = ("First film", "Second film", "Third film, of a name that is long: " + "very " * 15 + "long", "Fourth film")
BLURRED = "getComputedStyle(document.querySelector('.evidence__picture')).filter"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a harmless picture that one of the two models for nudity takes for something."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = str(PICTURES / "nudity_first_model.png")
    command = ["ffmpeg", "-v", "error", "-loop", "1", "-i", picture, "-t", "4", "-r", "5"]
    subprocess.run(
        [*command, "-s", "240x240", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "5", str(path)], check=True
    )
    return path


@pytest.fixture(scope="module")
def watched_site(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Iterator[RunningServer]:
    """A community with the real models, two moderators, and films that wait for them."""
    data = tmp_path_factory.mktemp("watched") / "data"
    lend(data)
    running = RunningServer(data, STREAMHOST_MODERATION_PROFILE="community").start()
    for who, role in (("root", "admin"), ("alice", "creator"), ("bob", "viewer"), ("mia", "moderator")):
        running.add_user(f"{who}@example.org", role)
    running.add_user("max@example.org", "moderator")
    alice = running.client("alice@example.org")
    names = [alice.upload(film, title=title, visibility="public") for title in TITLES]
    for name in names:
        alice.wait_until(name, "review")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def titles(watched_site: RunningServer) -> list[str]:
    """The films in the order in which they wait."""
    queue = watched_site.client("mia@example.org").get("/api/v1/moderation/queue").json()["items"]
    return [one["title"] for one in queue]


def flash(page: Page, words: str) -> None:
    """Wait for the line that says what was decided."""
    expect(page.locator("[data-flash]")).to_contain_text(words)


def hears_keys(page: Page) -> None:
    """Wait until a case to which a click or a key has led hears keys: from then on its list of them is offered."""
    expect(page.get_by_role("button", name="Keys")).to_be_visible()


def is_free(moderator: Api, title: str) -> bool:
    """Whether nobody looks at the video of that title."""
    queue = moderator.get("/api/v1/moderation/queue").json()["items"]
    return not next(one for one in queue if one["title"] == title)["case"]["reviewer_id"]


def test_by_keyboard_alone(watched_site: RunningServer, titles: list[str], visit: Visit) -> None:
    """From the list to the decision and back without touching anything else: find, look, reject, undo, approve."""
    page = visit(watched_site.url).sign_in("mia@example.org").page("/moderation")
    expect(page.get_by_role("list", name="Videos that wait").get_by_role("listitem")).to_have_count(4)
    page.keyboard.press("n")
    first = page.get_by_role("link", name=titles[0])
    expect(first).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_role("link", name=titles[1])).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=titles[0])).to_be_visible()
    at = page.url
    hears_keys(page)
    until(page, "document.querySelector('video').readyState >= 1")
    assert page.evaluate("document.querySelector('video').muted") is True
    expect(page.get_by_role("img", name=re.compile("Nudity: highest score 0.9"))).to_be_visible()
    page.keyboard.press("e")
    page.keyboard.press("e")
    second = float(page.locator("[data-evidence]").nth(1).get_attribute("data-evidence") or "nan")
    until(page, "at => Math.abs(document.querySelector('video').currentTime - at) < 0.2", second)
    assert "blur" in page.evaluate(BLURRED)
    page.keyboard.press("b")
    assert page.evaluate(BLURRED) == "none"
    page.keyboard.press("b")
    assert "blur" in page.evaluate(BLURRED)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Reject this video")).to_be_visible()
    page.keyboard.press("8")
    expect(page.get_by_label("What the owner is told")).to_have_value(re.compile("^It is the work of somebody"))
    page.keyboard.press("Enter")
    flash(page, f"“{titles[0]}” was rejected.")
    expect(page.get_by_role("heading", name=titles[1])).to_be_visible()
    hears_keys(page)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(re.escape(at)))
    expect(page.get_by_text("A decision was taken back", exact=True)).to_be_visible()
    hears_keys(page)
    page.keyboard.press("a")
    flash(page, f"“{titles[0]}” was approved.")
    hears_keys(page)
    page.keyboard.press("q")
    expect(page.get_by_role("list", name="Videos that wait").get_by_role("listitem")).to_have_count(3)
    guest = visit(watched_site.url).page("/")
    expect(guest.get_by_role("link", name=titles[0])).to_be_visible()
    expect(guest.get_by_role("link", name=titles[1])).to_have_count(0)


def test_two_moderators(watched_site: RunningServer, titles: list[str], visit: Visit) -> None:
    """Whoever comes second sees who has it, and may not decide; once the first has left, it is the second's."""
    mia = visit(watched_site.url).sign_in("mia@example.org").page("/moderation/next")
    expect(mia.get_by_role("heading", name=titles[1])).to_be_visible()
    path = mia.url.removeprefix(watched_site.url)
    second = visit(watched_site.url).sign_in("max@example.org")
    page = second.page("/moderation?who=mine")
    until(mia, "document.querySelector('[data-case-page]').dataset.holding === 'me'")
    page.goto(watched_site.url + path)
    expect(page.get_by_text("Mia is looking at this video.")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("Another moderator is looking at this video.")
    assert [one for one in second.troubles if "409" not in one] == []
    second.troubles.clear()
    page.goto(watched_site.url + "/moderation/next")
    expect(page.get_by_role("heading", name=titles[2])).to_be_visible()
    until(page, "document.querySelector('[data-case-page]').dataset.holding === 'me'")
    mia.goto(watched_site.url + "/moderation?who=free")
    expect(mia.get_by_role("link", name=titles[1])).to_be_visible()
    # A page that is left lets go of its case by a request for which nobody waits.
    moderator = watched_site.client("max@example.org")
    wait(lambda: is_free(moderator, titles[1]))
    page.goto(watched_site.url + path)
    until(page, "document.querySelector('[data-case-page]').dataset.holding === 'me'")
    expect(page.get_by_text("is looking at this video")).to_be_hidden()
    expect(page.get_by_role("button", name="Claim it")).to_be_hidden()
    expect(page.get_by_role("button", name="Let go of it")).to_be_visible()


def test_without_script(watched_site: RunningServer, titles: list[str], browser: Browser) -> None:
    """Claiming, showing a picture, rejecting for a reason of the list, undoing: all of it works by forms."""
    context = profile(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(watched_site.url + "/login?next=/moderation")
    page.get_by_label("E-mail address").fill("max@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(watched_site.url + "/moderation")
    page.get_by_role("link", name=titles[3]).click()
    expect(page.get_by_role("heading", name=titles[3])).to_be_visible()
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_role("button", name="Let go of it")).to_be_visible()
    show = page.get_by_role("checkbox", name="Show the picture").first
    show.focus()
    show.press("Space")
    expect(show).to_be_checked()
    page.get_by_role("link", name="Reject…").click()
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Tell its owner why.")).to_be_visible()
    page.get_by_role("radio", name="Privacy").check()
    page.get_by_role("button", name="Reject").click()
    flash(page, f"“{titles[3]}” was rejected.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=titles[3])).to_be_visible()
    expect(page.get_by_text("It shows somebody, or something private").first).to_be_visible()
    context.close()


def test_what_owners_and_viewers_do(watched_site: RunningServer, titles: list[str], visit: Visit) -> None:
    """A viewer reports what they watch, by the dialog beside the player; it waits at the desk and still plays; once it
    is rejected its owner reads why and what to do, and the viewer finds nothing."""
    bob = visit(watched_site.url).sign_in("bob@example.org")
    page = bob.page("/")
    page.get_by_role("link", name=titles[0]).click()
    until(page, "document.querySelector('video')?.readyState >= 1")
    page.evaluate("document.querySelector('video').currentTime = 2.5")
    page.get_by_role("link", name="Report").click()
    dialog = page.get_by_role("dialog", name="Report this video")
    dialog.get_by_role("radio", name="It is somebody else's work").check()
    expect(dialog.get_by_label("Where in the video")).to_have_value("0:02")
    dialog.get_by_label("In your own words").fill("I filmed this.")
    dialog.get_by_role("button", name="Report").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    mia = visit(watched_site.url).sign_in("mia@example.org").page("/moderation?cause=report")
    mia.get_by_role("link", name=titles[0]).click()
    expect(mia.get_by_text("I filmed this.")).to_be_visible()
    hears_keys(mia)
    mia.keyboard.press("r")
    mia.get_by_label("What the owner is told").fill("Somebody else filmed it.")
    mia.get_by_role("dialog").get_by_role("button", name="Reject").click()
    flash(mia, "was rejected.")
    alice = visit(watched_site.url).sign_in("alice@example.org").page("/studio")
    item = alice.get_by_role("listitem").filter(has_text=titles[0])
    expect(item.get_by_text("Rejected", exact=True)).to_be_visible()
    expect(item.get_by_text("Somebody else filmed it.")).to_be_visible()
    item.get_by_role("link", name=titles[0], exact=True).click()
    expect(alice.get_by_text("This video was rejected: nobody can watch it.")).to_be_visible()
    expect(alice.get_by_role("main").get_by_role("link", name="Replace the file")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_text("404")).to_be_visible()
    assert [one for one in bob.troubles if "404" not in one and "403" not in one] == []
    bob.troubles.clear()


@pytest.mark.looks
def test_a_new_file_is_looked_at_beside_the_old_one(watched_site: RunningServer, film: Path, visit: Visit) -> None:
    """The page shows the new file, which nobody else can play; by one key it takes its place, and the page says so."""
    alice = watched_site.client("alice@example.org")
    video = alice.upload(posed("park"), title="A park", visibility="public")
    alice.wait_until(video, "ready")
    with film.open("rb") as content:
        answer = alice.post(f"/api/v1/videos/{video}/source", files={"file": ("new.mp4", content)})
    assert answer.status_code == 202, answer.text
    wait(lambda: alice.video(video)["replacing"]["step"] == "review")
    studio = visit(watched_site.url).sign_in("alice@example.org").page(f"/studio/{video}/file")
    expect(studio.get_by_text("A new file is made, and somebody looks at it first.")).to_be_visible()
    page = visit(watched_site.url).sign_in("mia@example.org").page("/moderation?cause=new_file")
    page.get_by_role("link", name="A park").click()
    expect(page.get_by_text("This is a new file.")).to_be_visible()
    expect(page.locator("#header-q")).to_have_value("")
    until(page, "document.querySelector('video')?.readyState >= 1")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(4.0, abs=0.5), "the old has eight"
    look(page, "moderation-case-new-file")
    page.get_by_role("link", name="Look at the file that plays").click()
    expect(page.get_by_text("This is the file that plays.")).to_be_visible()
    page.get_by_role("link", name="Look at the new file").click()
    expect(page.get_by_text("This is a new file.")).to_be_visible()
    until(page, "document.querySelector('[data-case-page]').dataset.holding === 'me'")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog", name="Reject this file")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.get_by_text("The new file was approved")).to_be_visible()
    wait(lambda: alice.video(video)["replacing"] is None)
    assert alice.video(video)["duration"] == pytest.approx(4.0, abs=0.5)


@pytest.mark.looks
def test_how_it_looks(watched_site: RunningServer, titles: list[str], visit: Visit) -> None:
    """A case with evidence, the form to reject it, and what a look at all videos has found."""
    root = visit(watched_site.url).sign_in("root@example.org")
    page = root.page("/moderation")
    case = page.get_by_role("link", name=titles[3]).get_attribute("href")
    look(page, "moderation-queue-full")
    page.goto(f"{watched_site.url}{case}")
    look(page, "moderation-case-evidence")
    page.keyboard.press("r")
    look(page, "moderation-case-reject")
    page.goto(watched_site.url + "/moderation/rescreen")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="Looked; nothing was changed yet")).to_be_visible()
    look(page, "moderation-rescreen-seen")
