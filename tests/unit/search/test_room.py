"""The search over a catalog: ranking, filters, typing errors, suggestions; to each what is theirs to see."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamhost.caching.cache import Cache
from streamhost.caching.memory import Memory
from streamhost.db import users, videos
from streamhost.db.core import Database
from streamhost.features.search import Found, Search
from streamhost.model.accounts import ANONYMOUS, Role, User, Viewer
from streamhost.model.clock import DAY
from streamhost.model.cursors import InvalidCursor
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import UserId, VideoId
from streamhost.model.search import Filters, Sort
from streamhost.model.videos import Video, VideoState, Visibility
from tests.support.catalogs import blank
from tests.support.waiting import until

NOW = 1_800_000_000.0
ALICE = User(UserId("alice"), "alice@example.org", "Alice Able", Role.CREATOR, "", NOW)
BOB = User(UserId("bob"), "bob@example.org", "Bob", Role.CREATOR, "", NOW)


def video(name: str, title: str, owner: User = ALICE, **given: object) -> Video:
    """A public video that plays."""
    made = Video(
        VideoId(name),
        owner.id,
        title,
        NOW,
        NOW,
        visibility=Visibility.PUBLIC,
        state=VideoState.READY,
        playable=True,
        published_at=NOW,
        duration=60.0,
    )
    return replace(made, **given)  # type: ignore[arg-type]


FILMS = [
    video("bunny", "Big Buck Bunny", description="A rabbit and three rodents. " * 30, tags=("animation", "open movie")),
    video(
        "rabbits", "Keeping rabbits", BOB, description="Hay, water, room.", duration=600.0, published_at=NOW - 9 * DAY
    ),
    video("bike", "A bike ride", BOB, description="No rabbit in it.", tags=("sport",), duration=1800.0),
    video("secret", "Secret wedding of the rabbits", visibility=Visibility.PRIVATE, tags=("wedding",)),
    video("draft", "Draft about rabbits", visibility=Visibility.UNLISTED),
    video("broken", "Broken rabbits", state=VideoState.FAILED),
    video("coming", "Coming rabbits", playable=False, state=VideoState.PROCESSING),
]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A catalog with some films."""
    opened = await Database.open(blank(tmp_path), synchronous="NORMAL")
    async with opened.write() as conn:
        for user in (ALICE, BOB):
            await users.insert(conn, user)
        for film in FILMS:
            await videos.insert(conn, film)
    yield opened
    await opened.close()


@pytest.fixture
async def search(db: Database) -> Search:
    """The room, all words learnt."""
    cache = Cache(Memory(100, 1_000_000), None, db.changed_elsewhere)
    db.on_write(cache.wrote)
    room = Search(db, cache)
    await room.learnt()
    return room


def names(found: Found) -> list[str]:
    """The ids of what was found."""
    return [hit.video.id for hit in found.items]


async def test_titles_weigh_more_than_descriptions(search: Search) -> None:
    """Best first, by where the words stand; the words found are marked."""
    found = await search.search("rabbit", ANONYMOUS)
    assert names(found) == ["rabbits", "bunny", "bike"] or names(found) == ["rabbits", "bike", "bunny"]
    assert found.items[0].title == "Keeping \x02rabbits\x03"
    assert "\x02rabbit\x03" in found.items[1].text
    assert (found.total, found.at_least, found.corrected) == (3, False, None)


async def test_to_each_their_own(search: Search) -> None:
    """What is private, unlisted, failed or not there yet is found by its owner alone, and counted for nobody else."""
    assert (await search.search("rabbits wedding", ANONYMOUS)).total == 0
    assert (await search.search("rabbits", Viewer(BOB))).total == 1
    own = await search.search("rabbits", Viewer(ALICE))
    assert set(names(own)) == {"rabbits", "secret", "draft", "broken", "coming"}
    assert own.total == 5
    for viewer in (ANONYMOUS, Viewer(BOB)):
        for text in ("secret", "wedding", "draft", "broken", "coming", "weddin", "tag:wedding", "by:alice"):
            found = await search.search(text, viewer)
            assert set(names(found)) <= {"bunny"}, text
            assert found.corrected is None, text
            assert await search.suggest(text, viewer) == []


async def test_filters_and_orders(search: Search) -> None:
    """Length, date, creator, tag, alone and together with words; the order that was asked for."""

    async def ask(text: str = "", sort: Sort = Sort.RELEVANCE, **given: object) -> list[str]:
        return names(await search.search(text, ANONYMOUS, Filters(**given), sort))  # type: ignore[arg-type]

    assert await ask(min_duration=600) == ["bike", "rabbits"]
    assert await ask(max_duration=600, min_duration=61) == ["rabbits"]
    assert await ask(before=NOW - DAY) == ["rabbits"]
    assert set(await ask("rabbit", after=NOW - DAY)) == {"bunny", "bike"}
    assert set(await ask(creator="bob")) == set(await ask(creator="BOB")) == {"bike", "rabbits"}
    assert set(await ask("by:Bob rabbit")) == {"bike", "rabbits"}
    assert await ask('by:"alice able"') == ["bunny"]
    assert await ask(tags=("sport",)) == await ask("tag:SPORT") == ["bike"]
    assert await ask(tags=("open",)) == [], "a tag is meant as a whole"
    assert await ask('tag:"open movie"') == ["bunny"]
    assert await ask("rabbit", Sort.LONGEST) == ["bike", "rabbits", "bunny"]
    assert await ask("rabbit", Sort.SHORTEST) == ["bunny", "rabbits", "bike"]
    assert (await ask("rabbit", Sort.OLDEST))[0] == "rabbits"
    assert (await ask("rabbit", Sort.NEWEST))[-1] == "rabbits"
    assert await ask("-rabbit") == []
    assert set(await ask("-bike -keeping")) == {"bunny"}


async def test_pages_hold_everything_once(search: Search) -> None:
    """Cursors lead through all results; made-up ones are refused."""
    first = await search.search("rabbit", ANONYMOUS, limit=2)
    assert first.next_cursor is not None
    rest = await search.search("rabbit", ANONYMOUS, cursor=first.next_cursor, limit=2)
    assert rest.next_cursor is None
    assert len(set(names(first) + names(rest))) == 3
    made_up_places: list[object] = [[10**30, False], [-1, False], [True, False], ["x", False], [0, 1], [0], {}]
    for content in made_up_places:
        made_up = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
        with pytest.raises(InvalidCursor):
            await search.search("rabbit", ANONYMOUS, cursor=made_up)
    with pytest.raises(InvalidInput):
        await search.search("rabbit", ANONYMOUS, limit=0)


@pytest.mark.parametrize(
    ("typed", "first", "corrected"),
    [
        ("bunyn", "bunny", "bunny"),
        ("anmiation", "bunny", "animation"),
        ("keping rabit", "rabbits", "keeping rabbits"),
        ("ubbit", None, None),
    ],
)
async def test_typing_errors_are_put_right(
    search: Search, typed: str, first: str | None, corrected: str | None
) -> None:
    """If nothing is found as typed, words that look alike are tried, and it is said which."""
    found = await search.search(typed, ANONYMOUS)
    assert (names(found)[:1], found.corrected) == ([first] if first else [], corrected)


async def test_corrected_searches_have_pages_too(search: Search) -> None:
    """What was searched for instead is gone through to its end, and said on every page."""
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = await search.search("rabbtis", Viewer(ALICE), cursor=cursor, limit=2)
        assert (page.corrected, page.total) == ("rabbits", 5)
        found += names(page)
        cursor = page.next_cursor
    assert cursor is None
    assert sorted(found) == ["broken", "coming", "draft", "rabbits", "secret"]


async def test_words_come_and_go_with_videos(db: Database, search: Search) -> None:
    """The running room learns new titles by itself, and forgets the words of videos that are gone."""
    await search.start()
    async with db.write() as conn:
        await videos.insert(conn, video("zeppelin", "Zeppelin"))

    async def learnt() -> bool:
        return (await search.search("zepelin", ANONYMOUS)).corrected == "zeppelin"

    await until(learnt)
    async with db.write() as conn:
        await videos.change(conn, VideoId("zeppelin"), NOW, title="Balloon")

    async def forgotten() -> bool:
        async with db.read() as conn:
            known = {row["word"] for row in await conn.fetch_all("SELECT word FROM search_words")}
            left = await conn.fetch_all("SELECT 1 FROM search_changes")
        return "zeppelin" not in known and "balloon" in known and not left

    await until(forgotten)
    assert names(await search.search("baloon", ANONYMOUS)) == ["zeppelin"]
    async with db.write() as conn:
        await conn.execute("DELETE FROM users WHERE id = 'alice'")
    assert names(await search.search("balloon", ANONYMOUS)) == []
    await search.stop()


async def test_suggestions(db: Database, search: Search) -> None:
    """Titles that go on as typed come first, each once; they change with the catalog, and end where little is typed."""

    async def suggest(text: str, viewer: Viewer = ANONYMOUS) -> list[str]:
        return [one.text for one in await search.suggest(text, viewer)]

    assert await suggest("bi") == ["Big Buck Bunny", "A bike ride"]
    assert await suggest("big bu") == ["Big Buck Bunny"]
    assert await suggest("b") == await suggest("") == await suggest("🎬") == []
    assert await suggest("secr") == []
    assert await suggest("secr", Viewer(ALICE)) == ["Secret wedding of the rabbits"]
    async with db.write() as conn:
        await videos.change(conn, VideoId("bunny"), NOW, visibility="private")
    assert await suggest("bi") == ["A bike ride"]
