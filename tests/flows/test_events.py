"""Players report what they play: taken once, by whoever may watch, and counted as what they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.db import interactions
from streamhost.db.interactions import Interaction
from streamhost.features.analytics.intake import Intake
from streamhost.model.ids import new_id
from streamhost.model.streaming import MEDIA_PLAYLIST
from streamhost.model.tasks import SweepPlaybacks
from streamhost.model.videos import Video, Visibility, package_prefix
from tests.support.house import House, a_house
from tests.support.waiting import until

FILM = 100.0
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
PLAYLIST = "#EXTM3U\n" + "".join(f"#EXTINF:4.000000,\n{n * 51200}.m4s\n" for n in range(25)) + "#EXT-X-ENDLIST\n"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house."""
    async with a_house(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def video(house: House) -> Video:
    """A public video of alice's."""
    return await house.video(visibility=Visibility.PUBLIC, duration=FILM)


def played(upto: float, begin: float = 0.0, **more: Any) -> list[dict[str, Any]]:
    """The events of somebody who plays from one place to another, told every five seconds."""
    events: list[dict[str, Any]] = [{"type": "start", "at": 1000.0, "position": begin, "seq": 0, **more}]
    place = begin
    while place < upto:
        place = min(upto, place + 5)
        at = 1000.0 + place - begin
        events.append({"type": "progress", "at": at, "position": place, "seq": len(events)})
    return events


async def report(
    client: httpx.AsyncClient, video: Video, events: list[dict[str, Any]], session: str = "", **more: Any
) -> httpx.Response:
    """Send them."""
    body = {"session": session or new_id(), "video": video.id, "events": events, **more.pop("body", {})}
    return await client.post("/api/v1/events", json=body, **more)


async def figures(house: House, video: Video, **params: str) -> dict[str, Any]:
    """What the owner is told, with everything folded."""
    await house.host.analytics.folder.catch_up()
    async with house.client() as client:
        alice = await house.bearer("alice")
        answer = await client.get(f"/api/v1/videos/{video.id}/analytics", headers=alice, params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def seen(house: House, video: Video, who: str = "bob") -> Interaction | None:
    """What is remembered of somebody."""
    await house.host.analytics.folder.catch_up()
    user = await house.host.accounts.people.by_email(f"{who}@example.org")
    async with house.host.db.read() as conn:
        return await interactions.get(conn, interactions.of_user(user.id), video.id)


async def test_what_is_reported_is_counted_once(house: House, video: Video) -> None:
    """The same batch again changes nothing; what is left out of it and comes later does."""
    session, events = new_id(), played(30, first_frame=0.5)
    async with house.client() as client:
        bob = await house.bearer("bob")
        first = await report(client, video, events[:5], session, headers=bob)
        assert (first.status_code, first.json()) == (202, {"accepted": 5})
        for _ in range(2):
            assert (await report(client, video, events, session, headers=bob)).status_code == 202
    found = await figures(house, video)
    assert (found["views"], found["unique_viewers"], found["plays"], found["watch_time"]) == (1, 1, 1, 30)
    assert found["time_to_first_frame"] == pytest.approx(0.5, rel=0.15)
    assert [point["share"] for point in found["retention"]] == [1.0] * 30 + [0.0] * 70
    [day] = [one for one in found["by_day"] if one["plays"]]
    assert day | {"day": ""} == {
        "day": "", "views": 1, "unique_viewers": 1, "watch_time": 30, "plays": 1, "stalled": 0, "failed": 0
    }  # fmt: skip
    remembered = await seen(house, video)
    assert remembered is not None
    assert (remembered.watched, remembered.position, remembered.completed) == (0.3, 30, False)


async def test_events_in_any_order_and_form(house: House, video: Video) -> None:
    """Late ones find their place; beacons come as text; times as scripts or people write them; numbers are optional."""
    events = played(20)
    async with house.client() as client:
        session = new_id()
        assert (await report(client, video, events[3:], session)).status_code == 202
        await house.host.analytics.folder.catch_up()
        assert (await report(client, video, events[:3], session)).status_code == 202
        bare = [{"type": one["type"], "at": one["at"] * 1e9, "position": one["position"]} for one in events]
        body = {"session": new_id(), "video": video.id, "events": bare}
        for _ in range(2):
            text = await client.post(
                "/api/v1/events", content=str(body).replace("'", '"'), headers={"Content-Type": "text/plain"}
            )
            assert text.status_code == 202, text.text
        written = [dict(one, at=f"2026-11-22T10:00:{int(one['at'] - 1000):02}Z") for one in events]
        assert (await report(client, video, written)).status_code == 202
    found = await figures(house, video)
    assert (found["views"], found["watch_time"], found["unique_viewers"]) == (3, 60, 3)


async def test_what_cannot_be_read_is_refused(house: House, video: Video) -> None:
    """In words, and nothing of the batch is taken."""
    good = {"type": "start", "at": 1, "position": 0, "seq": 1}
    async with house.client() as client:
        for wrong in (
            {"type": "laugh"},
            {"at": "soon"},
            {"position": -1},
            {"position": 1e300},
            {"seq": -1},
            {"code": "<"},
        ):
            answer = await report(client, video, [good, good | wrong])
            assert answer.status_code in (400, 422), (wrong, answer.text)
        many = await report(client, video, [good] * 501)
        assert many.status_code in (400, 422)
        assert (await client.post("/api/v1/events", content=b"x" * 70_000)).status_code == 413
        assert (await client.post("/api/v1/events", content=b"[]")).status_code in (400, 422)
    assert (await figures(house, video))["plays"] == 0


async def test_only_who_may_watch_is_heard(house: House) -> None:
    """A private video of somebody else is not there; a grant for it opens it to reports, and for no other."""
    private, other = await house.video(duration=FILM), await house.video(duration=FILM)
    async with house.client() as client:
        for headers in ({}, await house.bearer("bob")):
            assert (await report(client, private, played(20), headers=headers)).status_code == 404
        alice = await house.bearer("alice")
        assert (await report(client, private, played(20), headers=alice)).status_code == 202
        stream = (await client.get(f"/api/v1/stream/{private.id}", headers=alice)).json()
        body = {"grant": stream["hls"].split("/")[2]}
        poster = {"grant": stream["poster"].split("/")[2]}
        assert (await report(client, private, played(20), body=body)).status_code == 202
        for video, grant in ((other, body), (private, poster), (private, {"grant": "made-up"})):
            refused = await report(client, video, played(20), body=grant)
            assert (refused.status_code, refused.json()["code"]) == (403, "invalid_grant")
    found = await figures(house, private)
    assert (found["views"], found["unique_viewers"]) == (2, 1), "whose grant it was counts"


async def test_robots_are_answered_and_not_counted(house: House, video: Video) -> None:
    """A crawler that plays is no viewer. A library for HTTP is what applications are made with."""
    async with house.client() as client:
        assert (await report(client, video, played(20), headers={"User-Agent": ROBOT})).status_code == 202
        assert (await report(client, video, played(20), headers={"User-Agent": PHONE})).status_code == 202
        assert (await report(client, video, played(20), headers={"User-Agent": "python-httpx/0.28"})).status_code == 202
    found = await figures(house, video)
    assert found["views"] == 2
    assert {one["name"]: one["count"] for one in found["devices"]} == {"phone": 1, "other": 1}


@pytest.mark.parametrize("wish", ["DNT", "Sec-GPC"])
async def test_who_asks_not_to_be_tracked_is_not_remembered(house: House, video: Video, wish: str) -> None:
    """The view counts; that it was bob's stands nowhere."""
    async with house.client() as client:
        bob = await house.bearer("bob")
        assert (await report(client, video, played(20), headers=bob | {wish: "1"})).status_code == 202
    assert (await figures(house, video))["views"] == 1
    assert await seen(house, video) is None
    async with house.host.db.read() as conn:
        rows = await conn.fetch_all("SELECT viewer FROM playbacks", {})
        assert [row["viewer"] for row in rows] == [""]
        assert await conn.fetch_all("SELECT * FROM interactions", {}) == []


async def test_sessions_make_up_what_somebody_has_seen(house: House, video: Video) -> None:
    """Two halves on two days are the whole; who left at once and came back has not skipped it."""
    async with house.client() as client:
        bob, alice = await house.bearer("bob"), await house.bearer("alice")
        left = [*played(4), {"type": "end", "at": 1004.0, "position": 4, "seq": 9}]
        await report(client, video, left, headers=bob)
        first = await seen(house, video)
        assert first is not None
        assert (first.skipped, first.completed) == (True, False)
        await report(client, video, played(50), headers=bob)
        await report(client, video, played(95, begin=50), headers=bob)
        await report(client, video, played(100), headers=alice)
    found = await seen(house, video)
    assert found is not None
    assert (found.watched, found.completed, found.skipped, found.spans) == (0.95, True, False, ((0, 95),))
    async with house.host.db.write() as conn:
        await interactions.forget(conn, found.viewer)
    assert await seen(house, video) is None
    assert await seen(house, video, "alice") is not None


async def test_a_deleted_account_or_video_leaves_no_trace(house: House, video: Video) -> None:
    """What bob watched goes with his account, what was watched of a video with the video; the site's sums stay."""
    async with house.client() as client:
        await report(client, video, played(20), headers=await house.bearer("bob"))
        await house.host.analytics.folder.catch_up()
        root, alice = await house.bearer("root"), await house.bearer("alice")
        bob = await house.host.accounts.people.by_email("bob@example.org")
        assert (await client.delete(f"/api/v1/admin/users/{bob.id}", headers=root)).status_code == 204
        assert (await figures(house, video))["views"] == 1
        async with house.host.db.read() as conn:
            for table in ("interactions", "playbacks"):
                assert await conn.fetch_all(f"SELECT * FROM {table} WHERE viewer <> ''", {}) == []
        assert (await client.delete(f"/api/v1/videos/{video.id}", headers=alice)).status_code == 204
        site = (await client.get("/api/v1/analytics", params={"scope": "instance"}, headers=root)).json()
        assert (site["views"], site["videos"]) == (1, [])
    async with house.host.db.read() as conn:
        for table in ("playbacks", "playback_events", "interactions"):
            assert await conn.fetch_all(f"SELECT * FROM {table}", {}) == []


async def test_single_reports_go_after_their_time_and_sums_stay(house: House, video: Video) -> None:
    """The clean-up removes what is older than the setting says."""
    async with house.client() as client:
        await report(client, video, played(20))
    await house.host.analytics.folder.catch_up()
    for age, left in ((89, 1), (91, 0)):
        async with house.host.db.write() as conn:
            for table in ("playbacks", "interactions"):
                old = house.host.clock() - age * 86400
                await conn.execute(f"UPDATE {table} SET last_at = :old", {"old": old})
            await house.host.queue.add(conn, SweepPlaybacks())
        await house.host.worker.idle()
        async with house.host.db.read() as conn:
            for table in ("playbacks", "interactions"):
                assert len(await conn.fetch_all(f"SELECT * FROM {table}", {})) == left, (age, table)
    assert (await figures(house, video))["views"] == 1


async def test_what_players_say_in_their_requests_counts_too(house: House, video: Video) -> None:
    """By query or headers (CTA-5004): played is what was asked for less what lies in store; stalls are counted."""
    prefix = package_prefix(video.id, video.package_id) + "v720/"  # type: ignore[arg-type]
    await house.host.storage.put_bytes(prefix + MEDIA_PLAYLIST, PLAYLIST.encode())
    for number in range(25):
        await house.host.storage.put_bytes(f"{prefix}{number * 51200}.m4s", b"x")
    async with house.client() as client:
        stream = (await client.get(f"/api/v1/stream/{video.id}")).json()
        root = stream["hls"].removesuffix("master.m3u8")
        listening, clock = house.host.analytics.listening, house.host.clock
        await listening.stop()

        async def fetch(number: int, said: str, headers: dict[str, str] | None = None) -> None:
            params = {} if headers else {"CMCD": said}
            answer = await client.get(f"{root}v720/{number * 51200}.m4s", params=params, headers=headers)
            assert answer.status_code == 200

        for number in range(5):
            # One piece every four seconds, none in store but the one that plays.
            await fetch(number, f'bl=0,d=4000,ot=v,sid="one",mtp=9000{",bs" if number == 3 else ""}')
            listening._waiting[-1] = _at(listening._waiting[-1], clock() + 4 * number)
        await fetch(0, "", {"CMCD-Status": "bs", "CMCD-Object": "d=4000,ot=v", "CMCD-Session": 'sid="two"'})
        await fetch(24, "", {"CMCD-Request": "bl=8000", "CMCD-Session": 'sid="two"'})
        await client.get(f"{root}master.m3u8", params={"CMCD": 'sid="three"'})
        await listening._hand_on()
        await house.host.analytics.folder.catch_up()
    found = await figures(house, video)
    assert (found["views"], found["stalls"]) == (2, 1)
    assert found["watch_time"] == 16 + 12
    assert found["qualities"] == [{"name": "720p", "count": 28}]
    assert found["sources"] == [{"name": "cmcd", "count": 2}]
    assert found["plays"] == 0, "nobody told that playing was asked for"


def _at(one: Any, moment: float) -> Any:
    return type(one)(one.grant, one.path, one.query, one.headers, one.agent, one.private, moment)


async def test_too_much_at_once_is_refused_and_not_lost(house: House, video: Video) -> None:
    """What waits is bounded: beyond that reports are refused for a while, and all that was taken counts."""
    analytics = house.host.analytics
    await analytics.intake.stop()
    analytics.intake = Intake(house.host.db, gather=0.05, most=100)
    await analytics.intake.start()
    events = played(45)
    async with house.client() as client:

        def sent() -> list[asyncio.Task[httpx.Response]]:
            waiting = (one for one, done in sessions.items() if not done)
            return [asyncio.create_task(report(client, video, events, one), name=one) for one in waiting]

        sessions = {new_id(): False for _ in range(40)}
        async with house.host.db.write():  # nothing is written down before some were refused
            underway = sent()
            await until(lambda: analytics.intake.refused > 0)
        while underway:
            for task in underway:
                answer = await task
                sessions[task.get_name()] = answer.status_code == 202
                if answer.status_code != 202:
                    assert (answer.status_code, answer.json()["code"]) == (503, "reports_backlog")
                    assert int(answer.headers["retry-after"]) > 0
            underway = sent()
    found = await figures(house, video)
    assert (found["views"], found["watch_time"]) == (40, 40 * 45)


async def test_figures_of_all_videos_and_as_a_table(house: House, video: Video) -> None:
    """One's own together, the site's for administrators; by day as CSV; periods are checked."""
    other = await house.video("root", visibility=Visibility.PUBLIC, duration=FILM, title="Another")
    async with house.client() as client:
        bob = await house.bearer("bob")
        for one in (video, other, other):
            await report(client, one, played(20), headers=bob)
        await house.host.analytics.folder.catch_up()
        alice, root = await house.bearer("alice"), await house.bearer("root")
        own = (await client.get("/api/v1/analytics", headers=alice)).json()
        assert (own["views"], own["unique_viewers"], [one["id"] for one in own["videos"]]) == (1, 1, [video.id])
        site = (await client.get("/api/v1/analytics", params={"scope": "instance"}, headers=root)).json()
        assert (site["views"], site["unique_viewers"]) == (3, 1)
        assert [(one["title"], one["views"]) for one in site["videos"]] == [("Another", 2), ("A film", 1)]
        assert (await client.get("/api/v1/analytics", params={"scope": "instance"}, headers=alice)).status_code == 403
        path = f"/api/v1/videos/{video.id}/analytics"
        table = await client.get(path, params={"format": "csv"}, headers=alice)
        assert table.headers["content-type"].startswith("text/csv")
        lines = table.text.splitlines()
        assert lines[0] == "day,views,unique_viewers,watch_time,plays,stalled,failed"
        assert len(lines) == 29
        days = [line.partition(",")[2] for line in lines[1:]]
        assert [day for day in days if not day.startswith("0,")] == ["1,1,20.0,1,0.0,0"]
        past = await client.get(path, params={"from": "2020-01-01", "to": "2020-01-03"}, headers=alice)
        assert (past.json()["views"], len(past.json()["by_day"]), past.json()["time_to_first_frame"]) == (0, 3, None)
        for wrong in ({"from": "2026-02-01", "to": "2026-01-01"}, {"from": "1970-01-01"}, {"from": "soon"}):
            assert (await client.get(path, params=wrong, headers=alice)).status_code == 422
        assert (await client.get(path, headers=bob)).status_code == 403
