"""What plays at the moment: counted by what is fetched, limited, listed, and stopped by hand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from streamhost.features.streams import IN_USE_SECONDS, STOPPED_SECONDS
from streamhost.model.videos import Video, Visibility
from streamhost.server.delivery import delivery_of
from streamhost.server.objects import objects_of
from tests.support.house import SEGMENT, House, a_house

LIMIT = 2
EDGE = "the-secret-of-the-edge"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house where two streams at a time are allowed."""
    async with a_house(tmp_path / "data", playback__streams_per_user=LIMIT) as running:
        yield running


class Later:
    """The house's clock, moved on by hand."""

    def __init__(self, house: House) -> None:
        self._streams = house.host.streams
        self._clock = house.host.clock
        self._ahead = 0.0
        self._streams._clock = self

    def __call__(self) -> float:
        """Now."""
        return self._clock() + self._ahead

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds


async def open_stream(client: httpx.AsyncClient, video: Video, headers: dict[str, str]) -> httpx.Response:
    """Ask for a grant."""
    return await client.get(f"/api/v1/stream/{video.id}", headers=headers)


async def fetched(client: httpx.AsyncClient, stream: httpx.Response) -> httpx.Response:
    """A segment by the grant of that answer."""
    return await client.get(stream.json()["hls"].replace("master.m3u8", SEGMENT))


async def test_the_newest_stream_is_refused(house: House) -> None:
    """What somebody watches is not broken off by one device more; when one has ended, another may begin."""
    time = Later(house)
    video = await house.video(visibility=Visibility.PUBLIC)
    async with house.client() as client:
        devices = [await house.bearer("bob") for _ in range(LIMIT + 1)]
        streams = [await open_stream(client, video, device) for device in devices]
        for stream in streams[:LIMIT]:
            assert (await fetched(client, stream)).status_code == 200
        refused = await fetched(client, streams[LIMIT])
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_streams")
        again = await open_stream(client, video, devices[LIMIT])
        assert (again.status_code, again.json()["code"]) == (409, "too_many_streams")
        manifest = streams[LIMIT].json()["hls"]
        assert (await client.get(manifest)).status_code == 200, "manifests are not counted"
        assert (await open_stream(client, video, devices[0])).status_code == 200, "a grant that is renewed is no stream"
        time.move(IN_USE_SECONDS - 1)
        assert (await fetched(client, streams[0])).status_code == 200
        time.move(2)
        assert (await fetched(client, streams[LIMIT])).status_code == 200, "the second one has ended meanwhile"
        assert (await fetched(client, streams[1])).status_code == 409
        assert (await fetched(client, streams[0])).status_code == 200


async def test_what_plays_by_an_edge_counts_as_well(tmp_path: Path) -> None:
    """An edge asks for each viewer: the one too many is refused there too, and what is no segment is not counted."""
    async with a_house(tmp_path / "data", playback__streams_per_user=1, cdn__pull_secret=EDGE) as house:
        video = await house.video(visibility=Visibility.PUBLIC)
        async with house.client() as client:
            streams = [await open_stream(client, video, await house.bearer("bob")) for _ in range(2)]
        grants = [stream.json()["hls"].split("/")[2] for stream in streams]
        objects = httpx.ASGITransport(cast(Any, objects_of(house.host, delivery_of(house.host))))
        named = {"Streamhost-Edge": EDGE}
        async with httpx.AsyncClient(transport=objects, base_url="http://site.test", headers=named) as edge:
            for what, statuses in (("segment", [204, 409]), ("file", [204, 204])):
                asked = [await edge.get(f"/o/grant/{what}/{grant}/{video.id}") for grant in grants]
                assert [answer.status_code for answer in asked] == statuses
        assert [one.video_id for one in await house.host.streams.all()] == [video.id]


async def test_others_and_strangers_do_not_count(house: House) -> None:
    """Limits are a user's own; who is not signed in has none; two looks at one video in one browser are one stream."""
    video, other = await house.video(visibility=Visibility.PUBLIC), await house.video(visibility=Visibility.PUBLIC)
    async with house.client() as client:
        bob = await house.bearer("bob")
        for headers in [*[{}] * 5, *[bob] * 5, *[await house.bearer("alice") for _ in range(LIMIT)]]:
            assert (await fetched(client, await open_stream(client, video, headers))).status_code == 200
        assert (await fetched(client, await open_stream(client, other, bob))).status_code == 200
        mine = (await client.get("/api/v1/me/streams", headers=bob)).json()
        assert {one["video"]["id"] for one in mine["items"]} == {video.id, other.id}
        assert mine["limit"] == LIMIT


async def test_a_limit_of_ones_own(house: House) -> None:
    """An administrator sets it, it holds at once and after a restart, and takes it away again."""
    video = await house.video(visibility=Visibility.PUBLIC)
    async with house.client() as client:
        root, bob = await house.bearer("root"), await house.bearer("bob")
        user = (await client.get("/api/v1/me", headers=bob)).json()["id"]
        path = f"/api/v1/admin/users/{user}/streams"
        assert (await client.get(path, headers=root)).json() == {"limit": LIMIT, "own": False}
        put = await client.put(path, json={"limit": 1}, headers=root)
        assert put.json() == {"limit": 1, "own": True}
        await house.host.streams.start()
        assert (await fetched(client, await open_stream(client, video, bob))).status_code == 200
        assert (await open_stream(client, video, await house.bearer("bob"))).status_code == 409
        await client.put(path, json={"limit": 0}, headers=root)
        for _ in range(LIMIT + 1):
            stream = await open_stream(client, video, await house.bearer("bob"))
            assert (await fetched(client, stream)).status_code == 200
        taken = await client.put(path, json={"limit": None}, headers=root)
        assert taken.json() == {"limit": LIMIT, "own": False}
        for wrong in (-1, 1001, "many"):
            assert (await client.put(path, json={"limit": wrong}, headers=root)).status_code == 422
        assert (await client.put(path.replace(user, "nobody"), json={"limit": 1}, headers=root)).status_code == 404
        log = await client.get("/api/v1/admin/audit", params={"act": "stream_limit_changed"}, headers=root)
        assert [line["details"]["limit"] for line in log.json()["items"]] == ["default", "none", "1"]


async def test_a_limit_is_set_on_the_page_of_a_user(house: House) -> None:
    """A number, nothing for what everybody has, 0 for any number; a wrong one stays there with the reason."""
    async with house.client() as client:
        root, bob = await house.bearer("root"), await house.bearer("bob")
        user = (await client.get("/api/v1/me", headers=bob)).json()["id"]
        page = f"/admin/users/{user}"

        async def told() -> str:
            answer = await client.get(page, headers=root)
            found = re.search(r'Now ([^<]*)\.</p>.*?id="f-limit"[^>]* value="([^"]*)"', answer.text, re.DOTALL)
            assert found, answer.text
            return f"{found[1]} {found[2]}"

        assert await told() == f"{LIMIT} "
        for typed, stands in ((" 1 ", "1 1"), ("0", "any number 0"), ("", f"{LIMIT} ")):
            done = await client.post(f"{page}/streams", data={"limit": typed}, headers=root)
            assert (done.status_code, done.headers["location"]) == (303, f"{page}?done=streams")
            assert await told() == stands
        for wrong in ("-1", "1001", "many", "\u00b2"):
            answer = await client.post(f"{page}/streams", data={"limit": wrong}, headers=root)
            assert answer.status_code == 422
            assert 'id="f-limit-error"' in answer.text
            assert f'value="{wrong}"' in answer.text
        assert house.host.streams.limit(user) == (LIMIT, False)


async def test_stopping_a_stream(house: House) -> None:
    """At once, by its owner or an administrator and nobody else; it cannot begin again for a minute."""
    time = Later(house)
    video = await house.video(visibility=Visibility.PUBLIC)
    async with house.client() as client:
        bob, other, alice = await house.bearer("bob"), await house.bearer("bob"), await house.bearer("alice")
        root = await house.bearer("root")
        for path, stopper in (("/api/v1/me/streams", other), ("/api/v1/admin/streams", root)):
            stream = await open_stream(client, video, bob)
            assert (await fetched(client, stream)).status_code == 200
            listed = (await client.get(path, headers=stopper)).json()["items"]
            assert [(one["video"]["title"], one["user"]["name"], one["current"]) for one in listed] == [
                ("A film", "Bob", False)
            ]
            name = listed[0]["id"]
            assert (await client.delete(f"/api/v1/me/streams/{name}", headers=alice)).status_code == 404
            assert (await client.delete(f"/api/v1/admin/streams/{name}", headers=alice)).status_code == 403
            assert (await client.delete(f"{path}/{name}", headers=stopper)).status_code == 204
            assert (await fetched(client, stream)).json()["code"] == "grant_revoked"
            assert (await client.get(stream.json()["hls"])).json()["code"] == "grant_revoked"
            assert (await open_stream(client, video, bob)).json()["code"] == "stream_stopped"
            assert (await open_stream(client, video, other)).status_code == 200
            assert (await client.get(path, headers=stopper)).json()["items"] == []
            time.move(STOPPED_SECONDS + 1)
            assert (await open_stream(client, video, bob)).status_code == 200
        log = await client.get("/api/v1/admin/audit", params={"act": "stream_stopped"}, headers=root)
        [line] = log.json()["items"]
        assert (line["subject"]["words"], line["details"]) == ("bob@example.org", {"video": video.id})
