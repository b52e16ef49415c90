"""Throwing videos away over HTTP and by the pages: nobody plays what lies in the trash, and it comes back as it was."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.model.clock import HOUR
from streamhost.model.ids import VideoId
from streamhost.model.tasks import AnnounceEvent
from streamhost.model.videos import Video, Visibility
from streamhost.server.auth import SESSION_COOKIE
from tests.support.house import PASSWORD, SEGMENT, House, a_house
from tests.support.waiting import until


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running house."""
    async with a_house(tmp_path / "data") as running:
        yield running


async def asked(house: House, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    """The answer to one of the cast; to nobody where `who` is empty."""
    async with house.client() as client:
        return await client.request(method, path, headers=await house.bearer(who) if who else {}, **more)


async def thrown(house: House, video: Video, who: str = "alice") -> None:
    """Move a video to the trash."""
    answer = await asked(house, who, "DELETE", f"/api/v1/videos/{video.id}?permanently=false")
    assert answer.status_code == 204, answer.text


async def bulk(house: House, ids: Sequence[str], who: str = "alice", **more: Any) -> dict[str, Any]:
    """The answer to a change of many."""
    answer = await asked(house, who, "POST", "/api/v1/videos/bulk", json={"videos": list(ids), **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_nobody_plays_what_lies_in_the_trash(house: House) -> None:
    """Grants, posters, links, captions and figures of before are refused at once, also its owner's and an
    administrator's; restored, its links open it again, but the old grants stay dead."""
    video = await house.video(visibility=Visibility.PUBLIC)
    until_when = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    link = await asked(house, "alice", "POST", f"/api/v1/videos/{video.id}/links", json={"expires_at": until_when})
    reached, closed = {}, []
    for who in ("alice", "bob", "root", ""):
        stream = (await asked(house, who, "GET", f"/api/v1/stream/{video.id}")).json()
        reached[who] = [stream["hls"], stream["hls"].replace("master.m3u8", SEGMENT), stream["poster"]]
        for path in reached[who]:
            assert (await asked(house, who, "GET", path)).status_code == 200, path
    await thrown(house, video)
    address = f"/api/v1/videos/{video.id}"
    for who, paths in reached.items():
        closed += [(await asked(house, who, "GET", path)).status_code for path in paths]
        for path in (
            address,
            f"/api/v1/stream/{video.id}",
            f"/watch/{video.id}",
            f"/embed/{video.id}",
            f"/oembed?url=http://site.test/watch/{video.id}",
            f"{address}/captions",
            f"{address}/related",
            f"{address}/download",
        ):
            answer = await asked(house, who, "GET", path)
            assert answer.status_code == 404, (who, path, answer.status_code)
            assert video.title not in answer.text
    assert set(closed) == {403}
    opened = await asked(house, "", "POST", f"{address}/unlock", json={"link": link.json()["url"].rpartition("/")[2]})
    assert opened.status_code in (404, 410, 422)
    for path in (f"{address}/analytics", f"{address}/posters", f"{address}/links", f"{address}/source"):
        assert (await asked(house, "alice", "GET", path)).status_code == 404, path

    mine = (await asked(house, "alice", "GET", "/api/v1/me/trash")).json()
    assert [(one["id"], one["poster"]) for one in mine["items"]] == [(video.id, None)]
    assert mine["items"][0]["deleted_at"]
    assert mine["keep_days"] == 30
    assert (await asked(house, "bob", "GET", "/api/v1/me/trash")).json()["items"] == []
    assert (await asked(house, "bob", "POST", f"{address}/restore")).status_code == 404
    back = await asked(house, "alice", "POST", f"{address}/restore")
    assert (back.status_code, back.json()["visibility"], back.json()["deleted_at"]) == (200, "public", None)
    stream = (await asked(house, "bob", "GET", f"/api/v1/stream/{video.id}")).json()
    assert (await asked(house, "bob", "GET", stream["hls"])).status_code == 200
    assert {(await asked(house, who, "GET", reached[who][0])).status_code for who in reached} == {403}


async def test_for_good(house: House) -> None:
    """Out of the trash or not, files and row go; emptying takes only what is one's own."""
    one, other, kept = [await house.video() for _ in range(3)]
    roots = await house.video("root")
    for video, who in ((one, "alice"), (other, "alice"), (roots, "root")):
        await thrown(house, video, who)
    assert (await asked(house, "alice", "DELETE", f"/api/v1/videos/{one.id}")).status_code == 204
    answer = await asked(house, "alice", "DELETE", "/api/v1/me/trash")
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1})
    for gone in (one, other):
        assert (await asked(house, "alice", "POST", f"/api/v1/videos/{gone.id}/restore")).status_code == 404
    assert (await asked(house, "alice", "GET", f"/api/v1/videos/{kept.id}")).status_code == 200
    assert (await asked(house, "root", "POST", f"/api/v1/videos/{roots.id}/restore")).status_code == 200

    async def left() -> bool:
        stored = [key.key async for key in house.host.storage.list("videos/")]
        return not [key for key in stored if one.id in key or other.id in key]

    await until(left)


async def test_its_owner_hears_what_an_administrator_throws_away(house: House) -> None:
    """With where it lies now; only an administrator brings it back."""
    video = await house.video(visibility=Visibility.PUBLIC)
    await thrown(house, video, "root")

    async def heard() -> bool:
        notices = (await asked(house, "alice", "GET", "/api/v1/notifications")).json()["items"]
        return [one["title"] for one in notices if one["kind"] == "video_trashed"] == [
            "“A film” was put into the trash"
        ]

    await until(heard)
    refused = await asked(house, "alice", "POST", f"/api/v1/videos/{video.id}/restore")
    assert (refused.status_code, refused.json()["code"]) == (403, "trashed_by_others")
    assert (await asked(house, "root", "POST", f"/api/v1/videos/{video.id}/restore")).status_code == 200


async def test_an_administrator_looks_after_everybodys(house: House) -> None:
    """Whose it is, of how many; what is restored or deleted there leads back to that page and stands in the log."""
    films = [await house.video(title=title) for title in ("First film", "Second film")]
    roots = await house.video("root", title="Root's film")
    for video, who in ((films[0], "alice"), (films[1], "root"), (roots, "root")):
        await thrown(house, video, who)
    every = (await asked(house, "root", "GET", "/api/v1/admin/trash?limit=2")).json()
    more = (await asked(house, "root", "GET", f"/api/v1/admin/trash?cursor={every['next_cursor']}")).json()
    assert [one["id"] for one in every["items"] + more["items"]] == [roots.id, films[1].id, films[0].id]
    alices = (await asked(house, "root", "GET", f"/api/v1/admin/trash?user={films[0].owner_id}")).json()["items"]
    assert {(one["id"], one["owner"]["name"]) for one in alices} == {(film.id, "Alice") for film in films}
    sign_in = await house.host.accounts.login("root@example.org", PASSWORD)
    async with house.client() as client:
        client.cookies.set(SESSION_COOKIE, house.host.accounts.cookie_of(sign_in.session.id))
        page = await client.get("/admin/trash")
        assert "3 videos of 2 people" in page.text
        assert page.text.count("An administrator put it here, so its owner cannot restore it.") == 1
        page = await client.get(f"/admin/trash?user={films[0].owner_id}")
        assert [title in page.text for title in ("First film", "Second film", "Root&#39;s film")] == [True, True, False]
        restore = {"video": films[1].id, "do": "restore", "next": "/admin/trash"}
        page = await posted(client, "/admin/trash", "/studio/many", restore)
        assert (page.url.path, "1 video is back, as it was." in page.text) == ("/admin/trash", True)
        away = f"/studio/trash/{films[0].id}/delete?back=/admin/trash"
        page = await posted(client, away, away, {})
        assert (page.url.path, "The video is deleted." in page.text) == ("/admin/trash", True)
        abroad = f"/studio/trash/{roots.id}/delete?back=//evil.example"
        assert (await posted(client, abroad, abroad, {})).url.path == "/studio/trash"
        assert "Nobody&#39;s trash holds anything" in (await client.get("/admin/trash")).text
    noted = [(entry.act.value, entry.subject_id) for entry in (await house.host.audit.entries()).items]
    assert ("video_restored", films[0].owner_id) in noted
    assert ("video_deleted", films[0].owner_id) in noted


async def test_many_at_once(house: House) -> None:
    """Each by itself: what is another's, or takes the change not, is told by its id and holds up no other."""
    films = [await house.video(title=f"Film {number}", tags=("sea",)) for number in range(3)]
    roots = await house.video("root", visibility=Visibility.PUBLIC)
    ids = [film.id for film in films]
    changes = {"visibility": "unlisted", "add_tags": ["sun"], "remove_tags": ["sea"], "allow_download": True}
    told = await bulk(house, [ids[0], roots.id, "nothing", ids[1], ids[0]], changes=changes)
    assert told["done"] == 2
    codes = {one["id"]: one["error"] and one["error"]["code"] for one in told["items"]}
    assert codes == {ids[0]: None, roots.id: "forbidden", "nothing": "not_found", ids[1]: None}
    for changed in ids[:2]:
        video = (await asked(house, "alice", "GET", f"/api/v1/videos/{changed}")).json()
        assert (video["visibility"], video["tags"], video["allow_download"]) == ("unlisted", ["sun"], True)
    assert (await asked(house, "alice", "GET", f"/api/v1/videos/{ids[2]}")).json()["visibility"] == "private"

    assert (await bulk(house, ids, action="trash"))["done"] == 3
    assert (await bulk(house, ids, "bob", action="restore"))["done"] == 0
    assert (await bulk(house, ids[:2], action="restore"))["done"] == 2
    assert (await bulk(house, ids[1:], action="delete"))["done"] == 2
    listed = (await asked(house, "alice", "GET", "/api/v1/videos?owner=me")).json()["items"]
    assert [one["id"] for one in listed] == [ids[0]]


@pytest.mark.parametrize(
    "body",
    [
        {"videos": []},
        {"videos": ["x"] * 101},
        {"videos": ["film"], "changes": {"visibility": "secret"}},
        {"videos": ["film"], "changes": {"owner_id": "bob"}},
        {"videos": ["film"], "action": "burn"},
        {"videos": "film"},
    ],
)
async def test_what_is_refused_as_a_whole(house: House, body: dict[str, Any]) -> None:
    """None, too many, fields that are wrong, and what cannot be done."""
    answer = await asked(house, "alice", "POST", "/api/v1/videos/bulk", json=body)
    assert answer.status_code in (400, 422), answer.text


async def test_a_scheduled_video_becomes_public(tmp_path: Path) -> None:
    """At its time, by itself; until then only its owner knows of it and of the time."""
    ahead = 0.0
    async with a_house(tmp_path / "data", clock=lambda: time.time() + ahead) as house:
        video = await house.video(visibility=Visibility.UNLISTED)
        address = f"/api/v1/videos/{video.id}"
        then = datetime.now(UTC) + timedelta(hours=1)
        answer = await asked(house, "alice", "PATCH", address, json={"publish_at": then.isoformat()})
        assert (answer.status_code, answer.json()["visibility"]) == (200, "private")
        assert answer.json()["publish_at"][:19] == then.isoformat()[:19]
        await house.host.worker.idle()
        assert (await asked(house, "bob", "GET", address)).status_code == 404
        ahead = HOUR

        async def public() -> bool:
            return (await asked(house, "", "GET", address)).status_code == 200

        await until(public)
        seen = (await asked(house, "bob", "GET", address)).json()
        assert (seen["visibility"], seen["publish_at"]) == ("public", None)

        async def told() -> bool:
            async with house.host.db.read() as conn:
                jobs = await house.host.queue.list(conn, kind=AnnounceEvent.kind)
            return "video_published" in [job.payload["event_kind"] for job in jobs]

        await until(told)


async def posted(client: httpx.AsyncClient, page: str, action: str, data: dict[str, Any]) -> httpx.Response:
    """Send a form of a page, and go where it leads."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', (await client.get(page)).text)
    assert token is not None
    return await client.post(action, data={"csrf_token": token[1], **data}, follow_redirects=True)


async def test_by_the_pages_without_script(house: House) -> None:
    """Tick, change, throw away, undo, delete for good, empty: all by forms; what was left as it was is named."""
    films = [await house.video(title=f"Film {number}") for number in range(4)]
    ids = [film.id for film in films]
    sign_in = await house.host.accounts.login("alice@example.org", PASSWORD)
    async with house.client() as client:
        client.cookies.set(SESSION_COOKIE, house.host.accounts.cookie_of(sign_in.session.id))
        page = await posted(
            client,
            "/studio",
            "/studio/many",
            {"video": ids[:2], "do": "edit", "visibility": "public", "add_tags": "a, B"},
        )
        assert "2 videos are changed." in page.text
        assert page.text.count('class="tags__one">b<') == 2
        page = await posted(client, "/studio", "/studio/many", {"video": ids[:1], "do": "edit"})
        assert (page.status_code, "Choose what is to change." in page.text) == (422, True)
        page = await posted(
            client, "/studio", "/studio/many", {"video": [ids[0], "nothing"], "do": "edit", "visibility": "unlisted"}
        )
        assert (page.status_code, "One video was left as it was." in page.text) == (409, True)
        page = await posted(client, "/studio", f"/studio/{ids[0]}/delete", {})
        assert "1 video is in the trash." in page.text
        assert f'<input type="hidden" name="video" value="{ids[0]}">' in page.text
        page = await posted(client, "/studio", "/studio/many", {"video": ids[:1], "do": "restore"})
        assert "1 video is back, as it was." in page.text
        await posted(client, "/studio", "/studio/many", {"video": ids[1:], "do": "trash"})
        page = await client.get("/studio/trash")
        assert page.text.count("data-tick>") == 3
        page = await posted(client, "/studio/trash", f"/studio/trash/{ids[1]}/delete", {})
        assert "The video is deleted." in page.text
        assert (await client.get(f"/studio/trash/{ids[0]}/delete")).status_code == 404, "it is not in the trash"
        page = await posted(client, "/studio/trash", "/studio/trash/empty", {})
        assert "The trash is empty" in page.text
        assert (await client.get(f"/studio/{ids[0]}/delete")).status_code == 200
    assert await house.host.catalog.known(VideoId(ids[0])) is not None


async def test_the_form_for_a_time(house: House) -> None:
    """Without script a time is in UTC; a scheduled video needs one; another choice takes it away; tags have commas."""
    video = await house.video(title="Film")
    sign_in = await house.host.accounts.login("alice@example.org", PASSWORD)
    page, form = (
        f"/studio/{video.id}",
        {"title": "Film", "description": "", "tags": "sea,  Sun\nsand", "next": "/studio"},
    )
    async with house.client() as client:
        client.cookies.set(SESSION_COOKIE, house.host.accounts.cookie_of(sign_in.session.id))
        answer = await posted(client, page, page, form | {"visibility": "scheduled", "publish_at": ""})
        assert (answer.status_code, "Say when." in answer.text) == (422, True)
        answer = await posted(client, page, page, form | {"visibility": "scheduled", "publish_at": "2099-01-31T18:30"})
        assert "31 January 2099, 18:30 UTC" in answer.text
        assert 'value="2099-01-31T18:30"' in (await client.get(page)).text
        known = await house.host.catalog.known(video.id)
        assert known is not None
        assert (known.visibility, known.tags) == (Visibility.PRIVATE, ("sea", "sun", "sand"))
        await posted(client, page, page, form | {"visibility": "private", "publish_at": "2099-01-31T18:30"})
        known = await house.host.catalog.known(video.id)
        assert known is not None
        assert known.publish_at is None
