"""Every list, search, suggestion, count and feed, asked by everybody: what is not public is in none of others."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from streamhost.db import interactions, tastes
from streamhost.db import videos as video_rows
from streamhost.db.interactions import Interaction
from streamhost.features.accounts import SignIn
from streamhost.host import Host
from streamhost.model.accounts import Role
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.videos import Clearance, Video, VideoState, Visibility
from streamhost.server.auth import SESSION_COOKIE
from tests.support.house import CAST, PASSWORD, a_house

CLOSED = {
    "private": {"visibility": Visibility.PRIVATE},
    "unlisted": {"visibility": Visibility.UNLISTED},
    "password": {"visibility": Visibility.PASSWORD, "password_hash": "x"},
    "failed": {"state": VideoState.FAILED},
    "unready": {"playable": False, "state": VideoState.PROCESSING},
    "unseen": {"clearance": Clearance.PENDING},
    "held": {"clearance": Clearance.REVIEW},
    "rejected": {"clearance": Clearance.REJECTED},
    "trashed": {"deleted_at": time.time()},
}
OTHER = "other"
"""A public one that only the administrator has watched: proposed to the others for what they have watched."""
LISTS = (
    "/",
    "/watch/zebrapublic",
    "/api/v1/recommendations",
    "/api/v1/videos/zebrapublic/related",
    "/search?q=zebra",
    "/search?q=zebr",
    "/search?q=zebar",
    "/search?tag=zebra&sort=newest",
    "/search?creator=Alice",
    "/search?q=-nothing&length=short",
    "/library/likes",
    "/library/later",
    "/library/history",
    "/feeds/videos.rss",
    "/feeds/videos.atom",
    "/feeds/videos.json",
    "/sitemap.xml",
    "/api/v1/videos",
    "/api/v1/search?q=zebra",
    "/api/v1/search?q=zebar",
    "/api/v1/search?q=tag:zebra",
    "/api/v1/search?creator=Alice&sort=oldest",
    "/api/v1/search?q=-nothing&max_duration=600",
    "/api/v1/search/suggest?q=zebra",
    "/api/v1/search/suggest?q=ze",
    "/api/v1/me/likes",
    "/api/v1/me/watch-later",
    "/api/v1/me/history",
)


@dataclass(slots=True)
class Site:
    """The application in this process."""

    host: Host
    client: httpx.AsyncClient
    signed_in: dict[str, SignIn]

    async def ask(self, who: str, path: str) -> httpx.Response:
        """One list, as somebody sees it."""
        headers = {"Accept": "*/*"}
        if who in self.signed_in:
            value = self.host.accounts.cookie_of(self.signed_in[who].session.id)
            headers["Cookie"] = f"{SESSION_COOKIE}={value}"
        return await self.client.get(path, headers=headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """One public video of Alice's, and one closed in each way; everybody has liked, kept and watched all of them while
    they were open."""
    async with a_house(tmp_path / "data") as house, house.client() as client:
        host = house.host
        await host.accounts.people.add("mod@example.org", PASSWORD, "Mod", Role.MODERATOR, verified=True)
        signed_in = {who: await host.accounts.login(f"{who}@example.org", PASSWORD) for who in ("mod", *CAST)}
        await make(host, signed_in)
        await host.search.learnt()
        await host.recommending.keeping.catch_up(100, lambda _share, _step: None)
        yield Site(host, client, signed_in)


async def make(host: Host, signed_in: dict[str, SignIn]) -> None:
    """The videos, and what everybody keeps of them."""
    now = time.time()
    for number, (name, closed) in enumerate({"public": {}, OTHER: {}, **CLOSED}.items()):
        kind = "horse" if name == OTHER else "zebra"
        video = Video(
            VideoId(f"{kind}{name}"),
            signed_in["alice"].user.id,
            f"{kind.title()} {name}",
            now,
            now,
            tags=(kind, name),
            visibility=Visibility.PUBLIC,
            state=VideoState.READY,
            playable=True,
            duration=60.0 + number,
            package_id=PackageId(new_id()),
            published_at=now,
        )
        async with host.db.write() as conn:
            await video_rows.insert(conn, replace(video, **cast(Any, closed)))
            for who, sign_in in signed_in.items():
                if name == OTHER and who != "root":
                    continue
                viewer = interactions.of_user(sign_in.user.id)
                seen = Interaction(viewer, video.id, 0.5, False, False, True, 30.0, (), now, now)
                await interactions.put(conn, [seen])
                for shelf in ("likes", "watch_later"):
                    sql = f"INSERT INTO {shelf} (user_id, video_id, kept_at) VALUES (:user, :video, :now)"
                    await conn.execute(sql, {"user": sign_in.user.id, "video": video.id, "now": now})
                if name in CLOSED:
                    await tastes.dismiss(conn, viewer, video.id, now, len(CLOSED))


async def test_what_is_closed_is_in_no_list(site: Site) -> None:
    """Nobody but its owner finds it anywhere, by its id or by its title; what is public is found by everybody."""
    wrong = []
    found_public = 0
    for path in LISTS:
        for who in ("anonymous", "bob", "mod", "root"):
            answer = await site.ask(who, path)
            if "/library/" in path or "/me/" in path:
                assert answer.status_code in ((303, 401) if who == "anonymous" else (200,)), (path, who, answer.text)
            else:
                assert answer.status_code == 200, (path, who, answer.text[:300])
            own = path == "/" or path.startswith(("/library", "/api/v1/me"))
            for name in CLOSED:
                # Whoever has the address of an unlisted video may keep it: it is on their own shelf, and nowhere else.
                if own and name == "unlisted":
                    continue
                if f"zebra{name}" in answer.text or f"Zebra {name}" in answer.text:
                    wrong.append(f"{path} tells {who} of the one that is {name}")
            found_public += "zebrapublic" in answer.text
    assert wrong == []
    for who in ("bob", "mod"):
        assert "horseother" in (await site.ask(who, "/api/v1/recommendations")).text, f"{who} is proposed nothing"
    assert found_public > 50


async def test_what_one_did_not_want_has_no_title_any_more(site: Site) -> None:
    """Of what somebody dismissed while it was open they may take back what is closed now, without learning what it is
    called by now; its owner does."""
    for who in ("bob", "mod", "root", "alice"):
        found = (await site.ask(who, "/api/v1/recommendations/dismissed")).json()["items"]
        assert len(found) == len(CLOSED)
        titles = {one["title"] for one in found} - {""}
        page = (await site.ask(who, "/account/recommendations")).text
        assert ("Zebra" in page, len(titles)) == ((True, len(CLOSED) - 1) if who == "alice" else (False, 0)), who


async def test_counts_tell_nothing_either(site: Site) -> None:
    """How much there is, as others are told, is how much they may find; the owner counts their own."""
    for who in ("anonymous", "bob", "mod", "root"):
        told = (await site.ask(who, "/api/v1/search?q=zebra&limit=1")).json()
        assert (told["total"], told["next_cursor"], told["corrected"]) == (1, None, None), who
    # What lies in the trash is not even found by its owner.
    assert (await site.ask("alice", "/api/v1/search?q=zebra")).json()["total"] == len(CLOSED)
    for who in ("anonymous", "bob"):
        assert (await site.ask(who, "/api/v1/search?q=unreddy")).json()["items"] == []
