"""Every page of the site, as the application lists them: full, empty and wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route

from streamhost.db import videos
from streamhost.db.core import Database
from streamhost.host_basis import CATALOG_FILE
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, HOUR, system_clock
from streamhost.model.ids import PackageId, UserId, VideoId, new_id
from streamhost.model.tasks import MakeDownload
from streamhost.model.videos import Video, VideoState, Visibility
from tests.browser.conftest import Visit
from tests.browser.looks import look, settle
from tests.browser.pages import PAGES, View
from tests.browser.support import PASSWORD, Visitor, bunny, profile
from tests.support.installed import plugin_path, write_plugin
from tests.support.server import RunningServer
from tests.support.server import until as wait_until

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff " * 2
FILMS = ("Waves", "How to bake sourdough bread, from the flour to the crust", "Cliffs", "Lighthouse", "Harbour at dawn")
BELL = """
from streamhost.hookspecs import hookimpl

@hookimpl
def on_event():
    raise OSError("The bell does not answer: " + "no wire, " * 12 + "no bell.")
"""
"""A plugin that fails whenever something happens."""
EXPECTED = re.compile(r"status of 40[0349]")
MOVES = """[...document.querySelectorAll('*')].filter((one) => {
  const style = getComputedStyle(one);
  const longest = (text) => Math.max(...text.split(',').map((part) => parseFloat(part) * (/ms/.test(part) ? 1 : 1000)));
  const turns = longest(style.animationDuration);
  const spins = style.animationName !== 'none' && turns > 20 && turns < 4000;  // what says "wait" turns slowly
  return spins || longest(style.transitionDuration) > 20;
}).map((one) => one.outerHTML.slice(0, 100))"""
DEAD = """[...document.querySelectorAll('button[type=button]')].filter((one) =>
  one.checkVisibility({ visibilityProperty: true }) && !one.popoverTargetElement && !one.closest('[data-player]')
).map((one) => one.outerHTML.slice(0, 120))"""
"""Buttons that only a script could make do something."""

VIEWS = [view for views in PAGES.values() for view in views]


@pytest.fixture(scope="module")
def addresses(full_site: RunningServer) -> Mapping[str, str]:
    """What stands for the names in paths, with something in every list of root's."""
    root = full_site.client("root@example.org")
    long_name = {"email": f"{'long.' * 10}name@example.org", "name": LONG_NAME.strip(), "password": PASSWORD}
    user = root.post("/api/v1/admin/users", json=long_name).raise_for_status().json()["id"]
    for invitation in ({"note": "The film club", "uses": 5}, {"email": "guest@example.org", "role": "creator"}):
        root.post("/api/v1/admin/invitations", json=invitation).raise_for_status()
    token = {"name": "camera upload", "scopes": ["upload"], "password": PASSWORD, "days": 30}
    root.post("/api/v1/me/tokens", json=token).raise_for_status()
    hook = {"url": "http://127.0.0.1:9/a-listener/with/a/long/address", "note": "The search index"}
    hook_id = root.post("/api/v1/admin/webhooks", json=hook).raise_for_status().json()["webhook"]["id"]
    for name in ("fake.mp4", f"{'A very long name ' * 8}.mkv", f"{'verylong' * 20}.mkv"):
        (full_site.data / "import" / name).write_bytes(b"This is no film.")
    good = root.upload(bunny(), title="A rabbit, long of name: " + "very " * 20 + "long", visibility="public")
    notes = full_site.data.parent / "notes.mp4"
    notes.write_text("This is not a video.")
    bad = root.upload(notes, title="Notes", visibility="private")
    root.wait_until(good, "ready")
    chapters = [{"start": 0, "title": "The hole"}, {"start": 2, "title": f"A butterfly, {'and more ' * 9}of it"}]
    root.patch(f"/api/v1/videos/{good}", json={"chapters": chapters}).raise_for_status()
    for language in ("en", "de"):
        words = ("words.srt", b"00:00:00,000 --> 00:00:05,000\nSomebody wakes up.\n")
        path = f"/api/v1/videos/{good}/captions"
        root.post(path, data={"language": language}, files={"file": words}).raise_for_status()
    root.wait_until(bad, "failed")
    trashed = root.upload(notes, title="Notes that nobody needs", visibility="private")
    root.delete(f"/api/v1/videos/{trashed}", params={"permanently": "false"}).raise_for_status()
    root.put(f"/api/v1/me/likes/{good}").raise_for_status()
    root.put(f"/api/v1/me/watch-later/{good}").raise_for_status()
    events = [{"type": "start", "at": 1000, "position": 0, "seq": 0}]
    events.append({"type": "progress", "at": 1004, "position": 4, "seq": 1})
    root.post("/api/v1/events", json={"session": "root", "video": good, "events": events}).raise_for_status()
    bob = full_site.client("bob@example.org")
    bob.post(f"/api/v1/videos/{good}/report", json={"reason": "spam", "text": "Look at this."}).raise_for_status()
    wait_until(lambda: root.get("/api/v1/me/history").json()["items"])
    wait_until(lambda: len(root.get("/api/v1/admin/imports/files").json()["items"]) == 3)
    root.post("/admin/storage")
    wait_until(lambda: "The largest videos" in root.get("/admin/storage").text)
    wait_until(lambda: "The bell does not answer" in root.get("/admin/plugins").text)
    rendition = root.video(good)["renditions"][0]["name"]
    begun = furnish(full_site, user, good, rendition)
    events[1] |= {"at": 1060, "position": 60}
    root.post("/api/v1/events", json={"session": "other", "video": begun, "events": events}).raise_for_status()
    wait_until(lambda: all(row in root.get("/").text for row in ("Continue watching", "Trending", "For you")))
    return {
        "video": good,
        "rendition": rendition,
        "failed": bad,
        "trashed": trashed,
        "user": user,
        "hook": hook_id,
    }


def furnish(site: RunningServer, owner: str, video: str, rendition: str) -> str:
    """Put what would take long to come about beside a running server: films of somebody that many watch, of which the
    newest is the answer; and an order for a file that is not put together meanwhile, so that the page which waits for
    it stays."""
    now = system_clock()

    async def put() -> str:
        db = await Database.open(site.data / CATALOG_FILE)
        async with db.write() as conn:
            films = [film(UserId(owner), title, now - number * DAY) for number, title in enumerate(FILMS)]
            for one in films:
                await videos.insert(conn, one)
                sql = "INSERT INTO playback_hours (subject, hour, views) VALUES (:subject, :hour, 100)"
                await conn.execute(sql, {"subject": one.id, "hour": int(now // HOUR)})
            found = await videos.get(conn, VideoId(video))
            assert found is not None
            assert found.package_id is not None
            task = MakeDownload(found.id, found.package_id, rendition)
            lock = f"download:{found.package_id}:{rendition}"
            await Queue(system_clock).add(conn, task, lock=lock, subject=f"video:{video}", delay=DAY)
        await db.close()
        return films[0].id

    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in this thread
        return apart.submit(asyncio.run, put()).result()


def film(owner: UserId, title: str, since: float) -> Video:
    """A public film of five minutes that has no files."""
    name = VideoId(new_id())
    made = Video(name, owner, title, since, since, visibility=Visibility.PUBLIC, state=VideoState.READY, playable=True)
    return replace(made, duration=300.0, published_at=since, package_id=PackageId(new_id()))


@pytest.fixture(scope="module")
def full_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where everybody may register and webhooks may come to this machine, with plugins: one that works, one
    that is not set up, one that fails."""
    settings = {"ACCOUNTS_REGISTRATION": "open", "WEBHOOKS_ALLOW": '["127.0.0.0/8"]'}
    given = {f"STREAMHOST_{name}": value for name, value in settings.items()}
    plugins = tmp_path_factory.mktemp("plugins")
    given["PYTHONPATH"] = plugin_path(plugins, "streamhost-ntfy", "streamhost-nginx-edge")
    write_plugin(plugins, "bell", "Rings at the door whenever something happens", BELL)
    running = RunningServer(tmp_path_factory.mktemp("full") / "data", **given).start()
    for who, role in (("root", "admin"), ("eve", "admin"), ("bob", "viewer")):
        running.add_user(f"{who}@example.org", role)
    yield running
    running.stop()


def opened(page: Page, site: RunningServer, view: View, addresses: Mapping[str, str]) -> None:
    """Open a page; the server answers as it should. One that would ask again stands still."""
    if view.restless:
        page.route(site.url + view.path.format(**addresses), hold)
    answer = page.goto(site.url + view.path.format(**addresses))
    assert answer is not None and answer.status == view.status, view


def hold(route: Route) -> None:
    """Give a page without the header that has the browser ask again."""
    answer = route.fetch()
    kept = {name: value for name, value in answer.headers.items() if name != "refresh"}
    assert kept.keys() != answer.headers.keys()
    route.fulfill(response=answer, headers=kept)


@pytest.mark.looks
@pytest.mark.parametrize("who", ["", "root", "eve", "bob"], ids=["nobody", "root", "eve", "bob"])
def test_pages_of(full_site: RunningServer, visit: Visit, addresses: Mapping[str, str], who: str) -> None:
    """Each reflows down to 320 px and with letters twice as large, keeps the rules of WCAG 2.2 AA in both themes,
    stands still for whoever wants that, and leaves nothing to complain about in the console."""
    visitor = visit(full_site.url)
    if who:
        visitor.sign_in(f"{who}@example.org")
    page = visitor.page()
    for view in (one for one in VIEWS if one.who == who):
        opened(page, full_site, view, addresses)
        look(page, view.name)
        assert page.evaluate(MOVES) == [], view
        # Browsers write down by themselves that a page was refused, as these were meant to be.
        told = [trouble for trouble in visitor.troubles if view.status == 200 or not EXPECTED.search(trouble)]
        assert told == [], view
        visitor.troubles.clear()


def test_pages_move_for_others(full_site: RunningServer, browser: Browser) -> None:
    """Where nobody asks for stillness something does move: the look above can find it."""
    context = profile(browser, reduced_motion="no-preference")
    page = context.new_page()
    page.goto(full_site.url)
    assert page.evaluate(MOVES) != []
    context.close()


def test_pages_without_script(full_site: RunningServer, browser: Browser, addresses: Mapping[str, str]) -> None:
    """Where no script runs each page still has its heading, and no button that would do nothing."""
    for who in ("", "root"):
        visitor = Visitor(profile(browser, java_script_enabled=True), full_site.url)
        if who:
            visitor.sign_in(f"{who}@example.org")
        plain = profile(browser, java_script_enabled=False, storage_state=visitor.context.storage_state())
        page = plain.new_page()
        for view in (one for one in VIEWS if one.who == who):
            opened(page, full_site, view, addresses)
            assert page.locator("h1").count() == 1, view
            assert page.evaluate(DEAD) == [], view
        plain.close()
        visitor.context.close()


MAIN = ("/", "/search?q=rabbit", "/watch/{video}", "/upload", "/studio", "/studio/{video}", "/account", "/admin")
REMEMBER = """() => {
  const look = (one) => [one, one.parentElement, one.nextElementSibling].filter(Boolean).map((part) => {
    const style = getComputedStyle(part);
    return [style.outline, style.boxShadow, style.borderColor, style.backgroundColor];
  }).join();
  const stops = document.querySelectorAll('a, button, input, select, textarea, summary, video, [tabindex]');
  window.lookOf = look;
  window.looks = new Map([...stops].map((one) => [one, look(one)]));
}"""
STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const changed = window.looks.get(one) !== window.lookOf(one);
  const shown = one.tagName === 'VIDEO' || changed;
  const inside = box.bottom > 0 && box.top < innerHeight;
  return { name: (one.ariaLabel || one.innerText || one.name || one.tagName).trim().slice(0, 60), shown, inside };
}"""


@pytest.mark.parametrize("path", MAIN)
def test_pages_by_keyboard(full_site: RunningServer, visit: Visit, addresses: Mapping[str, str], path: str) -> None:
    """Tab goes from the link that skips the header through everything to the end and out: no trap, and wherever it
    stands it can be seen, on the screen."""
    page = visit(full_site.url).sign_in("root@example.org").page(path.format(**addresses))
    settle(page)
    page.evaluate(REMEMBER)
    stops: list[str] = []
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            break
        assert stop["shown"] and stop["inside"], (stop, stops)
        stops.append(stop["name"])
        assert len(stops) < 300, stops
    assert stops[0] == "Skip to the content"
    assert len(stops) > 8
