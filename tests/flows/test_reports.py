"""Reports by viewers in the whole house: sent, grouped, told of, limited, closed, answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.model.accounts import Role, Viewer
from streamhost.model.reports import place_of
from streamhost.model.videos import Video, Visibility
from tests.support.house import PASSWORD, House, a_house
from tests.support.waiting import until


@asynccontextmanager
async def a_reported_house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """A house with a moderator, and with carol, who watches too."""
    async with a_house(data, **settings) as made:
        for who, role in (("mod", Role.MODERATOR), ("carol", Role.VIEWER)):
            await made.host.accounts.people.add(f"{who}@example.org", PASSWORD, who.title(), role, verified=True)
        yield made


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which one may report twice in an hour."""
    async with a_reported_house(tmp_path / "data", reports__per_hour=3) as made:
        yield made


async def told(house: House, who: str, kind: str) -> list[dict[str, Any]]:
    """The notices of a kind under somebody's bell, once every event has been told."""
    subscriber = "SELECT count(*) AS many FROM jobs WHERE kind IN ('announce_event', 'tell_subscriber') "

    async def over() -> bool:
        async with house.host.db.read() as conn:
            row = await conn.fetch_one(subscriber + "AND state NOT IN ('done', 'failed', 'cancelled')")
        return row is not None and row["many"] == 0

    await until(over)
    async with house.client() as client:
        found = (await client.get("/api/v1/notifications?limit=100", headers=await house.bearer(who))).json()
    return [one for one in found["items"] if one["kind"] == kind]


async def send(
    client: httpx.AsyncClient, video: Video, headers: dict[str, str] | None = None, **said: Any
) -> httpx.Response:
    """One report."""
    return await client.post(f"/api/v1/videos/{video.id}/report", json={"reason": "spam"} | said, headers=headers)


async def test_reports_come_together(house: House) -> None:
    """Of one person a video has one open report, the later words count; moderators see all of a video as one, and are
    told once; whoever owns it sees and hears nothing."""
    film = await house.video(visibility=Visibility.PUBLIC, duration=60.0)
    bob, carol, mod = [await house.bearer(who) for who in ("bob", "carol", "mod")]
    async with house.client() as client:
        answers = await asyncio.gather(*(send(client, film, bob, reason="nudity", at=12.5) for _ in range(2)))
        assert [one.status_code for one in answers] == [202, 202]
        assert answers[0].json()["reason"] == "nudity"
        assert (await send(client, film, bob, reason="violence", at=13, text="Blood.\x00\n A lot.")).status_code == 202
        assert (await send(client, film, carol, reason="This is my own film!")).json()["reason"] == "other"
        [item] = (await client.get("/api/v1/moderation/reports", headers=mod)).json()["items"]
        assert (item["video_id"], item["count"], item["reasons"]) == (film.id, 2, {"other": 1, "violence": 1})
        assert (item["owner"], item["urgent"]) == ("Alice", False)
        both = (await client.get(f"/api/v1/moderation/{film.id}/reports", headers=mod)).json()["items"]
        said = {one["reason"]: (one["text"], one["at"]) for one in both}
        assert said == {"violence": ("Blood.\nA lot.", 13.0), "other": ("This is my own film!", None)}
        seen = (await client.get(f"/api/v1/videos/{film.id}", headers=await house.bearer("alice"))).text
        assert "report" not in seen and "violence" not in seen
    [notice] = await told(house, "mod", "video_reported")
    assert (notice["title"], notice["url"]) == ("“A film” was reported", f"/moderation/{film.id}")
    assert await told(house, "alice", "video_reported") == []


async def test_moderators_do_not_learn_who_reported_theirs(house: House) -> None:
    """Of a video of their own they read what was said; others who moderate also read by which account."""
    film = await house.video("mod", visibility=Visibility.PUBLIC)
    bob = (await house.host.accounts.people.by_email("bob@example.org")).id
    async with house.client() as client:
        assert (await send(client, film, await house.bearer("bob"), text="Dull.")).status_code == 202
        for who, reporter, signed in (("mod", None, "By somebody<"), ("root", bob, "By somebody with an account<")):
            headers = await house.bearer(who)
            [one] = (await client.get(f"/api/v1/moderation/{film.id}/reports", headers=headers)).json()["items"]
            assert (one["text"], one["reporter"]) == ("Dull.", reporter)
            assert signed in (await client.get(f"/moderation/{film.id}", headers=headers)).text, who


async def test_what_is_no_report(house: House) -> None:
    """A place outside of the film, no reason, too many words are refused by field; what one may not watch is not
    there; too many reports have to wait."""
    film = await house.video(visibility=Visibility.PUBLIC, duration=60.0)
    hidden = await house.video()
    bob = await house.bearer("bob")
    async with house.client() as client:
        for said, field in (({"at": 61.5}, "at"), ({"at": -1}, "at"), ({"reason": " "}, "reason")):
            answer = await send(client, film, bob, **said)
            assert (answer.status_code, list(answer.json()["errors"])) == (422, [field]), said
        assert (await send(client, film, bob, text="x" * 1001)).status_code == 422
        assert (await send(client, hidden, bob)).status_code == 404
        films = [await house.video(visibility=Visibility.PUBLIC) for _ in range(4)]
        answers = [await send(client, one, bob) for one in films]
        assert [one.status_code for one in answers] == [202, 202, 202, 429]
        assert answers[-1].json()["code"] == "too_many_reports" and int(answers[-1].headers["retry-after"]) > 600


async def test_the_end_of_a_report(house: House) -> None:
    """Closed reports leave the list, are in the log, and are answered to whoever asked for it and to nobody else;
    afterwards one may report anew."""
    film = await house.video(visibility=Visibility.PUBLIC)
    bob, carol, mod = [await house.bearer(who) for who in ("bob", "carol", "mod")]
    async with house.client() as client:
        assert (await send(client, film, bob, notify=True)).status_code == 202
        assert (await send(client, film, carol)).status_code == 202
        [waits] = (await client.get("/api/v1/moderation/queue", headers=mod)).json()["items"]
        assert (waits["id"], waits["case"]["cause"], waits["risk"]) == (film.id, "report", "medium")
        assert (await client.get(f"/api/v1/videos/{film.id}")).status_code == 200
        decision = {"decision": "approve"}
        answer = await client.post(f"/api/v1/moderation/{film.id}", json=decision, headers=mod)
        assert answer.status_code == 200 and answer.json()["case"] is None
        assert (await client.get("/api/v1/moderation/reports", headers=mod)).json()["items"] == []
        log = await client.get("/api/v1/admin/audit?act=reports_closed", headers=await house.bearer("root"))
        [line] = log.json()["items"]
        assert line["details"] == {"video": film.id, "outcome": "dismissed", "reports": "2"}
        [notice] = await told(house, "bob", "report_answered")
        assert notice["text"] == "Somebody looked at it, and found that the video may stay."
        assert await told(house, "carol", "report_answered") == []
        assert (await send(client, film, carol)).status_code == 202
        both = (await client.get(f"/api/v1/moderation/{film.id}/reports", headers=mod)).json()["items"]
        assert [one["outcome"] for one in both] == [None, "dismissed", "dismissed"]
        assert (await send(client, film, bob, reason="children", notify=True)).status_code == 202
        [waits] = (await client.get("/api/v1/moderation/queue?risk=high", headers=mod)).json()["items"]
        assert (waits["id"], waits["case"]["cause"]) == (film.id, "report")
        decision = {"decision": "reject", "reason": "It shows a child in danger."}
        assert (await client.post(f"/api/v1/moderation/{film.id}", json=decision, headers=mod)).status_code == 200
        assert (await client.get(f"/api/v1/videos/{film.id}", headers=bob)).status_code == 404
        assert len(await told(house, "bob", "report_answered")) == 2
        assert (await client.get("/api/v1/moderation/reports", headers=mod)).json()["items"] == []


async def test_the_form(house: House) -> None:
    """Without script too: mistakes are named beside the field, what was typed stays, then there is a word of thanks;
    whoever is not signed in is asked to, and comes back."""
    film = await house.video(visibility=Visibility.PUBLIC, title="<b>Film</b>")
    sign_in = {"email": "bob@example.org", "password": PASSWORD}
    address = f"/watch/{film.id}/report"
    async with house.client() as browser:
        away = await browser.get(address, headers={"Accept": "text/html"})
        assert away.headers["location"] == f"/login?next=/watch/{film.id}/report"
        page = await browser.get("/login")
        token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert (await browser.post("/login", data=sign_in | {"csrf_token": token})).status_code == 303
        page = await browser.get(f"{address}?at=83")
        assert "&lt;b&gt;Film&lt;/b&gt;" in page.text and 'value="1:23"' in page.text
        token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        typed = {"reason": "hate", "at": "soon", "text": "<i>why</i>", "csrf_token": token}
        wrong = await browser.post(address, data=typed)
        assert wrong.status_code == 422 and "A place such as 1:23, or nothing." in wrong.text
        assert "&lt;i&gt;why&lt;/i&gt;" in wrong.text and 'value="hate" required checked' in wrong.text
        sent = await browser.post(address, data=typed | {"at": "1:02:03"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{address}?done=1")
        assert "Thank you" in (await browser.get(f"{address}?done=1")).text
        [found] = await house.host.reporting.of_video(film.id, Viewer())
        assert (found.at, found.words) == (3723.0, "<i>why</i>")


async def test_without_an_account(tmp_path: Path) -> None:
    """Only where the site allows it: then each browser of a network counts once, and nothing stored names it."""
    async with a_reported_house(tmp_path / "closed") as house, house.client() as stranger:
        film = await house.video(visibility=Visibility.PUBLIC)
        assert (await send(stranger, film)).status_code == 401
        assert "/report" in (page := await stranger.get(f"/watch/{film.id}")).text and "report-dialog" not in page.text
    async with a_reported_house(tmp_path / "open", reports__anonymous=True) as house, house.client() as stranger:
        film, hidden = await house.video(visibility=Visibility.PUBLIC), await house.video()
        for device in ("Firefox", "Firefox", "Chrome"):
            assert (await send(stranger, film, {"User-Agent": device}, notify=True)).status_code == 202
        assert (await send(stranger, hidden)).status_code == 404
        reports = await house.host.reporting.of_video(film.id, Viewer())
        assert len(reports) == 2 and not any(one.user_id or one.wants_answer for one in reports)
        assert not any("127.0.0.1" in one.reporter or "Firefox" in one.reporter for one in reports)
        assert 'id="report-dialog"' in (await stranger.get(f"/watch/{film.id}")).text


def test_typed_places() -> None:
    """Places are typed as players show them; nothing is no place; anything else is refused."""
    assert [place_of(text) for text in ("", " ", "83", "1:23", "01:02:03", "7,5")] == [None, None, 83, 83, 3723, 7.5]
    for text in ("soon", "-1", "1:2:3:4", "1e9", "nan", "٣"):
        with pytest.raises(ValueError):
            place_of(text)
