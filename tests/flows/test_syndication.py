"""What others are told of videos, and where they may show them: embed pages, oEmbed, feeds, site map, page heads."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import httpx
import pytest

from streamhost.db import interactions
from streamhost.db.interactions import Interaction
from streamhost.features import syndication
from streamhost.model.videos import Video, VideoState, Visibility
from tests.flows.test_sharing import soon
from tests.support.house import House, a_house

HOME = "http://site.test"
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running house."""
    async with a_house(tmp_path / "data") as running:
        yield running


async def a_public(house: House, **fields: Any) -> Video:
    """A public video of alice's."""
    now = house.host.clock()
    return await house.video(visibility=Visibility.PUBLIC, published_at=now, duration=12.0, **fields)


def ancestors(answer: httpx.Response) -> str:
    """Who may frame a page, as browsers are told."""
    return str(answer.headers["content-security-policy"].rpartition("frame-ancestors ")[2])


async def test_only_the_embed_page_may_be_framed(house: House) -> None:
    """By every site at first, by those that the owner names after that; the page of the video itself by nobody."""
    video, other = [await a_public(house) for _ in range(2)]
    async with house.client() as client:
        page = await client.get(f"/embed/{video.id}")
        assert (page.status_code, ancestors(page)) == (200, "'self' *")
        assert "x-frame-options" not in page.headers
        assert page.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "set-cookie" not in page.headers
        path, headers = f"/api/v1/videos/{video.id}", await house.bearer("alice")
        done = await client.patch(path, json={"embed_origins": ["https://blog.example"]}, headers=headers)
        assert done.status_code == 200
        assert ancestors(await client.get(f"/embed/{video.id}")) == "'self' https://blog.example"
        assert ancestors(await client.get(f"/embed/{other.id}")) == "'self' *"
        for path in (f"/watch/{video.id}", "/", "/login"):
            page = await client.get(path)
            assert (ancestors(page), page.headers["x-frame-options"]) == ("'none'", "DENY")


async def test_a_frame_opens_what_a_stranger_may_open(house: House) -> None:
    """Public and unlisted videos play; a private one is not there even for its owner; a locked one says where to go."""
    async with house.client() as client:
        for fields, status, words in (
            ({"visibility": Visibility.PUBLIC}, 200, "data-stream"),
            ({"visibility": Visibility.UNLISTED}, 200, "data-stream"),
            ({"visibility": Visibility.PASSWORD, "password_hash": "x"}, 403, "This video needs a password"),
            ({"visibility": Visibility.PRIVATE}, 404, "This video is not available"),
            ({"visibility": Visibility.PUBLIC, "playable": False}, 404, "This video is not available"),
            ({"visibility": Visibility.PUBLIC, "state": VideoState.FAILED}, 404, "This video is not available"),
        ):
            video = await house.video(**fields)
            page = await client.get(f"/embed/{video.id}", headers=HTML)
            assert (page.status_code, words in page.text) == (status, True), fields
            assert ("A film" in page.text) is (status == 200)
            if fields["visibility"] is Visibility.PRIVATE:
                own = await client.get(f"/embed/{video.id}", headers=await house.bearer("alice"))
                assert own.status_code == 404


async def test_a_site_may_forbid_frames(tmp_path: Path) -> None:
    """With `playback.embed_origins` empty only videos whose owner names sites are shown; oEmbed gives nothing away."""
    async with a_house(tmp_path / "data", playback__embed_origins=()) as house, house.client() as client:
        video, named = await a_public(house), await a_public(house, embed_origins=("https://blog.example",))
        assert ancestors(await client.get(f"/embed/{video.id}")) == "'self'"
        assert ancestors(await client.get(f"/embed/{named.id}")) == "'self' https://blog.example"
        for one in (video, named):
            refused = await client.get("/oembed", params={"url": f"{HOME}/watch/{one.id}"})
            assert (refused.status_code, refused.json()["code"]) == (403, "embedding_not_allowed")
        page = (await client.get(f"/watch/{video.id}")).text
        assert "og:video" not in page
        assert "oembed" not in page
        assert "data-share-code" not in page


async def test_oembed_gives_the_frame(house: House) -> None:
    """From the page's own discovery link, as JSON and XML, of the size that fits; refusals by their meaning."""
    video = await a_public(house, title='Tom & "Jerry"', width=1920, height=1080)
    async with house.client() as client:
        page = (await client.get(f"/watch/{video.id}")).text
        found = re.search(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page)
        assert found is not None
        answer = await client.get(found[1].replace("&amp;", "&"))
        members = answer.json()
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (members["type"], members["version"], members["title"]) == ("video", "1.0", 'Tom & "Jerry"')
        assert f'src="{HOME}/embed/{video.id}" width="640" height="360"' in members["html"]
        picture = await client.get(members["thumbnail_url"], follow_redirects=True)
        assert picture.content == b"secret poster.jpg"
        url = f"{HOME}/embed/{video.id}"
        xml = await client.get("/oembed", params={"url": url, "format": "xml", "maxwidth": 300})
        assert ElementTree.fromstring(xml.content).findtext("width") == "300"
        hidden = await house.video()
        wrong: tuple[tuple[dict[str, str], int], ...] = (
            ({"url": url, "format": "yaml"}, 501),
            ({"url": "https://other.example/watch/" + video.id}, 404),
            ({"url": f"{HOME}/watch/{hidden.id}"}, 404),
            ({}, 404),
            ({"url": url, "maxwidth": "0"}, 422),
        )
        for asked, status in wrong:
            assert (await client.get("/oembed", params=asked)).status_code == status, asked


async def test_the_head_of_the_page_tells_only_of_what_is_open(house: House) -> None:
    """A public video has a preview, linked data and a canonical address; an unlisted one stays out of search engines;
    of a private one nothing is said, whoever looks."""
    title = "</script><script>alert(1)</script>"
    video = await a_public(house, title=title)
    async with house.client() as client:
        page = (await client.get(f"/watch/{video.id}")).text
        assert f'<link rel="canonical" href="{HOME}/watch/{video.id}">' in page
        assert "noindex" not in page
        data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
        assert data is not None
        told = json.loads(data[1])
        assert (told["@type"], told["name"], told["duration"]) == ("VideoObject", title, "PT12S")
        assert "<script>alert" not in page
        unlisted = await house.video(visibility=Visibility.UNLISTED)
        page = (await client.get(f"/watch/{unlisted.id}")).text
        assert "noindex" in page
        assert "og:title" in page
        private = await house.video(title="Mine")
        page = (await client.get(f"/watch/{private.id}", headers=await house.bearer("alice"))).text
        assert "noindex" in page
        assert "og:" not in page
        assert "ld+json" not in page


async def test_the_page_brings_the_permission_to_play(house: House) -> None:
    """The script finds a grant in the page that opens the playlist; where none can be had the page still comes."""
    video = await a_public(house)
    async with house.client() as client:
        page = (await client.get(f"/watch/{video.id}")).text
        found = re.search(r'<script type="application/json" data-stream>(.*?)</script>', page)
        assert found is not None
        stream = json.loads(found[1])
        assert (await client.get(stream["hls"])).content == b"secret master.m3u8"
        assert f'<link rel="preload" as="fetch" crossorigin href="{stream["dash"]}">' in page
        making = await house.video(playable=False, state=VideoState.PROCESSING)
        page = (await client.get(f"/watch/{making.id}", headers=await house.bearer("alice"))).text
        assert "data-stream" not in page


async def test_feeds_have_public_videos_alone(house: House) -> None:
    """Newest first, as RSS, Atom and JSON; of one creator, of one tag; nothing hidden, failed or in the making."""
    first = await a_public(house, title="First", tags=("sea", 'a "b"', "50%"))
    second = await a_public(house, title="Second", tags=("seaside",))
    for fields in (
        {"visibility": Visibility.PRIVATE},
        {"visibility": Visibility.UNLISTED},
        {"visibility": Visibility.PASSWORD},
        {"visibility": Visibility.PUBLIC, "playable": False},
        {"visibility": Visibility.PUBLIC, "state": VideoState.FAILED},
    ):
        await house.video(title="Hidden", published_at=1.0, **fields)
    async with house.client() as client:

        async def titles(kind: str, **asked: str) -> list[str]:
            answer = await client.get(f"/feeds/videos.{kind}", params=asked)
            assert answer.status_code == 200
            if kind == "json":
                return [item["title"] for item in answer.json()["items"]]
            return [item.title for item in feedparser.parse(answer.content).entries]

        for kind in ("rss", "atom", "json"):
            assert await titles(kind) == ["Second", "First"]
        for tag in ("sea", "SEA", 'a "b"', "50%"):
            assert await titles("rss", tag=tag) == ["First"], tag
        for tag in ("se", "%", "_ea", "\\"):
            assert await titles("rss", tag=tag) == [], tag
        assert await titles("json", creator=first.owner_id) == ["Second", "First"]
        assert await titles("atom", creator=first.owner_id, tag="seaside") == ["Second"]
        assert second.owner_id == first.owner_id
        bob = await house.host.accounts.people.by_email("bob@example.org")
        for path in (
            *(f"/feeds/videos.rss?creator={bob.id}", "/feeds/videos.rss?creator=a%20b", "/feeds/videos.xml"),
            *("/feeds/users.rss", "/feeds/.rss"),
        ):
            assert (await client.get(path)).status_code == 404, path


async def test_readers_that_have_the_feed_are_told_so(house: House) -> None:
    """`ETag` and `Last-Modified` are answered with 304 until something has changed."""
    video = await a_public(house)
    async with house.client() as client:
        answer = await client.get("/feeds/videos.atom")
        tag, moment = answer.headers["etag"], answer.headers["last-modified"]
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": moment}):
            again = await client.get("/feeds/videos.atom", headers=headers)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        path, headers = f"/api/v1/videos/{video.id}", await house.bearer("alice")
        assert (await client.patch(path, json={"title": "Other"}, headers=headers)).status_code == 200
        again = await client.get("/feeds/videos.atom", headers={"If-None-Match": tag})
        assert (again.status_code, b"Other" in again.content) == (200, True)


async def test_the_site_map_comes_in_parts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """All public videos in one answer; beyond a part's length a list of parts, which have each video once."""
    videos = [await a_public(house) for _ in range(5)]
    await house.video(visibility=Visibility.UNLISTED)
    async with house.client() as client:

        async def places(path: str) -> list[str | None]:
            answer = await client.get(path)
            assert answer.status_code == 200
            return [loc.text for loc in ElementTree.fromstring(answer.content).iter(LOC)]

        watched = [f"{HOME}/watch/{video.id}" for video in videos]
        assert sorted(filter(None, await places("/sitemap.xml"))) == sorted([f"{HOME}/", *watched])
        monkeypatch.setattr(syndication, "MAP_LENGTH", 2)
        parts = await places("/sitemap.xml")
        assert parts == [f"{HOME}/sitemap.xml?part={n}" for n in (1, 2, 3)]
        found = [place for part in parts for place in await places(str(part).removeprefix(HOME))]
        assert sorted(filter(None, found)) == sorted([f"{HOME}/", *watched])
        assert (await client.get("/sitemap.xml?part=4")).status_code == 404


async def test_robots_are_told_where_to_look(house: House, tmp_path: Path) -> None:
    """The site map's address and what is no business of theirs; nothing at all where the site is not to be listed."""
    async with house.client() as client:
        text = (await client.get("/robots.txt")).text
        assert f"Sitemap: {HOME}/sitemap.xml" in text
        assert "Disallow: /api/\n" in text
        # The picture that previews and the site map name lies where they may look.
        video = await a_public(house)
        picture = (await client.get(f"/watch/{video.id}/poster.jpg")).headers["location"]
        patterns = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Allow: ")]
        assert any(re.fullmatch(re.escape(p.rstrip("$")).replace(r"\*", ".*"), picture) for p in patterns)
        assert (await client.get("/.well-known/security.txt")).status_code == 404
        away = await client.get("/.well-known/change-password")
        assert (away.status_code, away.headers["location"]) == (302, "/account/security")
    quiet = {"server__indexing": False, "server__security_contact": "mailto:safe@example.org"}
    async with a_house(tmp_path / "quiet", server__public_url="https://video.example.org", **quiet) as other:
        video = await a_public(other)
        async with other.client() as client:
            assert (await client.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
            assert (await client.get("/sitemap.xml")).status_code == 404
            assert "noindex" in (await client.get(f"/watch/{video.id}")).text
            contact = (await client.get("/.well-known/security.txt")).text
            assert contact.startswith("Contact: mailto:safe@example.org\nExpires: 20")
            assert "Canonical: https://video.example.org/" in contact
            feed = await client.get("/feeds/videos.rss")
            assert f"https://video.example.org/watch/{video.id}" in feed.text
            owner = await other.bearer("alice")
            made = await client.post(f"/api/v1/videos/{video.id}/links", json={"expires_at": soon()}, headers=owner)
            assert made.status_code == 201
            # What an owner copies works for others too, also where a proxy loses the name.
            page = (await client.get(f"/studio/{video.id}", headers={**owner, "Host": "10.0.0.7:8000"})).text
            assert f"https://video.example.org/watch/{video.id}?" in page and "10.0.0.7" not in page
            assert feed.headers["cache-control"].startswith("public")


async def test_a_stranger_cannot_name_the_site(house: House) -> None:
    """A `Host` that is none leaves no mark in whole addresses, and what is made of one is kept by no shared cache."""
    await a_public(house)
    async with house.client() as client:
        answer = await client.get("/feeds/videos.rss", headers={"Host": "evil_one'&.example"})
        assert (answer.status_code, "evil" in answer.text) == (200, False)
        assert answer.headers["cache-control"].startswith("private")


async def test_the_page_knows_where_somebody_left_off(house: House) -> None:
    """On any browser in which they are signed in, and for them alone; neither at the beginning nor at the end."""
    video = await a_public(house)
    alice = await house.host.accounts.people.by_email("alice@example.org")
    async with house.client() as client:
        for position, told in ((11.0, True), (4.0, False), (11.9, False)):
            seen = Interaction(
                *(interactions.of_user(alice.id), video.id, 0.5, False, False, False, position, (), 1.0, 1234.5)
            )
            async with house.host.db.write() as conn:
                await interactions.put(conn, [seen])
            page = (await client.get(f"/watch/{video.id}", headers=await house.bearer("alice"))).text
            assert ('data-place="11.0" data-place-noted="1234.5"' in page) is told
            other = (await client.get(f"/watch/{video.id}", headers=await house.bearer("bob"))).text
            assert "data-place" not in other
