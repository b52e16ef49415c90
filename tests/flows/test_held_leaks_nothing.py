"""A public video that nobody has looked at yet, that waits for a person, or that was rejected: others learn nothing of
it by any address, and of a rejected one its owner gets no picture either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamhost.model.videos import Clearance, Video, Visibility
from tests.flows.access_table import TABLE
from tests.support.house import House, a_house

TITLE, WORDS = "Zebra of the night", "quagga and okapi"
SECRET = b"secret "
"""What every stored object of a video of the house begins with."""
ADDRESS = "http://site.test/{page}/{video}"
LISTS = ("/", "/search?q=zebra", "/api/v1/videos", "/api/v1/search?q=zebra", "/sitemap.xml", "/feeds/videos.rss")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house of a community; mod moderates."""
    async with a_house(tmp_path / "data", moderation__profile="community") as house:
        yield house


def addresses(video: Video) -> list[str]:
    """Every address that tells something of one video, or of all."""
    found = []
    for route in TABLE:
        method, _, path = route.partition(" ")
        if method == "GET" and "{video_id}" in path:
            filled = path.replace("{video_id}", video.id).replace("{number}", "0").replace("{verdict_id}", "none")
            found.append(filled)
    about = [ADDRESS.format(page=page, video=video.id) for page in ("watch", "embed")]
    return [*found, *LISTS, *(f"/oembed?url={one}" for one in about)]


@pytest.mark.parametrize("clearance", [Clearance.PENDING, Clearance.REVIEW, Clearance.REJECTED])
async def test_others_learn_nothing(house: House, clearance: Clearance) -> None:
    """Neither a stranger nor somebody who is signed in, though they liked it, kept it and have a link of its owner's;
    a moment before everybody could see all of it."""
    video = await house.video(visibility=Visibility.PUBLIC, title=TITLE, description=WORDS, allow_download=True)
    async with house.client() as client:
        alice, bob = await house.bearer("alice"), await house.bearer("bob")
        page = await client.get(f"/watch/{video.id}")
        assert TITLE in page.text, "the net would catch it"
        poster = (await client.get(f"/api/v1/videos/{video.id}", headers=bob)).json()["poster"]
        assert (await client.get(poster)).content.startswith(SECRET)
        assert (await client.put(f"/api/v1/me/likes/{video.id}", headers=bob)).is_success
        link = await client.post(
            f"/api/v1/videos/{video.id}/links", json={"expires_at": "2030-01-01T00:00:00Z"}, headers=alice
        )
        assert link.status_code == 201, link.text
        async with house.host.db.write() as conn:
            sql = "UPDATE videos SET clearance = :clearance WHERE id = :id"
            await conn.execute(sql, {"clearance": clearance.value, "id": video.id})
        said: list[str] = []
        asked = addresses(video)
        assert len(asked) > 30
        for name, headers in (("a stranger", {}), ("bob", bob)):
            shelves = ["/library/likes", "/api/v1/me/likes"] if headers else []
            for path in [*asked, *shelves, link.json()["url"]]:
                answer = await client.get(path, headers=headers, follow_redirects=True)
                content = answer.content.lower()
                if any(one in content for one in (SECRET, b"zebra of", b"quagga", b"/s/")):
                    said.append(f"{path} tells {name}: {answer.status_code}")
        if clearance is Clearance.REJECTED:
            for path in asked:
                content = (await client.get(path, headers=alice, follow_redirects=True)).content
                if SECRET in content or b"/s/" in content:
                    said.append(f"{path} shows its owner pictures of it")
        assert said == []
        assert (await client.get(f"/api/v1/stream/{video.id}", headers=bob)).status_code == 404
