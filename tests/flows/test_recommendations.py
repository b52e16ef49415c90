"""Recommendations over HTTP on a whole house: learned from views, with reasons, and nothing that is hidden."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from streamhost.model.videos import Visibility
from streamhost.server.auth import SESSION_COOKIE
from tests.support.house import PASSWORD, House, a_house
from tests.support.watching import NOW, watch_all

ROW = re.compile(r'<section class="strip" aria-labelledby="proposed">(.*?)</section>', re.DOTALL)
HOUSE: dict[str, Any] = {
    "recommendations__patience": 10.0,
    "recommendations__chance": 0.0,
    "recommendations__train": False,  # what the schedule orders at the start may come when there is something to learn
}


async def filled(house: House) -> list[str]:
    """Ten public videos of Alice's that strangers watched in two circles, five each; Bob watched three of the first."""
    shown: dict[str, Any] = {"visibility": Visibility.PUBLIC, "published_at": NOW}
    films = [(await house.video(title=f"Film {number}", **shown)).id for number in range(10)]
    for number in range(8):
        circle = films[:5] if number % 2 else films[5:]
        await watch_all(house.host.db, f"s:stranger{number}", [one for n, one in enumerate(circle) if n != number % 5])
    bob = await house.host.accounts.people.by_email("bob@example.org")
    await watch_all(house.host.db, f"u:{bob.id}", films[:3])
    await house.host.recommending.keeping.catch_up(1000, lambda _share, _step: None)
    await house.host.recommending.learning.train(lambda _share, _step: None)
    assert await house.host.recommending.server.ready()
    return [str(one) for one in films]


def ids(answer: httpx.Response) -> list[str]:
    """What an answer proposes."""
    assert answer.status_code == httpx.codes.OK, answer.text
    return [one["video"]["id"] for one in answer.json()["items"]]


async def test_from_views_to_proposals(tmp_path: Path) -> None:
    """Bob gets the rest of his circle first, with a reason that names what he watched, and nothing private ever."""
    async with a_house(tmp_path, **HOUSE) as house, house.client() as client:
        films = await filled(house)
        bob, alice = await house.bearer("bob"), await house.bearer("alice")
        answer = await client.get("/api/v1/recommendations?limit=5", headers=bob)
        assert set(ids(answer)[:2]) == set(films[3:5])
        assert set(ids(answer)).isdisjoint(films[:3])
        first = answer.json()["items"][0]
        assert first["reason"].startswith(("Because you watched Film ", "Viewers like you"))
        assert answer.json()["cached"] is False
        again = await client.get("/api/v1/recommendations?limit=5", headers=bob)
        assert (again.json()["cached"], ids(again)) == (True, ids(answer))
        beside = await client.get(f"/api/v1/videos/{films[5]}/related", headers=bob)
        assert set(ids(beside)[:4]) == set(films[6:])

        # Private from one moment to the next: gone for everybody, from kept lists too, and refused as a place to ask.
        change = {"visibility": "private", "title": "Private diary"}
        await client.patch(f"/api/v1/videos/{films[3]}", json=change, headers=alice)
        for path in ("/api/v1/recommendations?limit=100", f"/api/v1/videos/{films[4]}/related?limit=100"):
            for headers in (bob, alice, {}):
                answer = await client.get(path, headers=headers)
                assert films[3] not in ids(answer)
                assert "Private diary" not in answer.text
        assert (await client.get(f"/api/v1/videos/{films[3]}/related", headers=bob)).status_code == 404

        # Not interested, and back.
        assert (await client.post(f"/api/v1/videos/{films[4]}/dismiss", headers=bob)).status_code == 204
        assert films[4] not in ids(await client.get("/api/v1/recommendations?limit=100", headers=bob))
        session = (await house.host.accounts.login("bob@example.org", PASSWORD)).session
        cookie = {"Cookie": f"{SESSION_COOKIE}={house.host.accounts.cookie_of(session.id)}"}
        # The first page shows the same, also to a browser that asks not to be tracked: Bob has chosen in his account.
        for private in ({}, {"Sec-GPC": "1"}):
            [row] = ROW.findall((await client.get("/", headers=cookie | private)).text)
            twelve = await client.get("/api/v1/recommendations?limit=12", headers=bob)
            assert re.findall(r'data-video="([^"]+)"', row) == ids(twelve)
        listed = (await client.get("/api/v1/recommendations/dismissed", headers=bob)).json()["items"]
        assert [(one["id"], one["title"]) for one in listed] == [(films[4], "Film 4")]
        assert (await client.post(f"/api/v1/videos/{films[3]}/dismiss", headers=bob)).status_code == 404
        assert (await client.delete(f"/api/v1/videos/{films[4]}/dismiss", headers=bob)).status_code == 204
        assert films[4] in ids(await client.get("/api/v1/recommendations?limit=100", headers=bob))

        # A history that was cleared is no reason any more, from the next request on.
        assert (await client.get("/api/v1/recommendations", headers=bob)).json()["cached"] is True
        assert (await client.delete("/api/v1/me/history", headers=bob)).is_success
        answer = await client.get("/api/v1/recommendations", headers=bob)
        assert {one["kind"] for one in answer.json()["items"]} <= {"popular", "new"}

        # Without a past of one's own: what everybody gets.
        chosen = await client.patch("/api/v1/recommendations/settings", json={"personal": False}, headers=bob)
        assert chosen.json()["personal"] is False
        everybody = await client.get("/api/v1/recommendations?limit=100")
        assert ids(await client.get("/api/v1/recommendations?limit=100", headers=bob)) == ids(everybody)
        assert {one["kind"] for one in everybody.json()["items"]} <= {"popular", "new"}
        page = await client.get("/account/recommendations", headers=cookie)
        assert "You get the same proposals as everybody" in page.text
        began = await client.post("/api/v1/recommendations/reset", headers=bob)
        assert began.json()["since"] is not None
