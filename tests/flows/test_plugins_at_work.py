"""Plugins in a whole house: their routes, what they refuse, what they are told, and where their failures are seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import get, post

from streamhost.config import InvalidSettings
from streamhost.db import deliveries, packages, videos
from streamhost.hookspecs import PluginHost, Refused, Work
from streamhost.model.accounts import Role, Viewer
from streamhost.model.cdn import Way
from streamhost.model.events import UserRegistered, VideoDeleted
from streamhost.model.ids import PackageId, UserId, VideoId, new_id
from streamhost.model.notices import DeliveryState, Notice
from streamhost.model.videos import Video, VideoState, Visibility, package_prefix
from streamhost.plugins import PluginBroken
from streamhost.server.auth import anyone, at_least, in_person, public, signed_in
from streamhost.testing.house import PASSWORD, House, hooks, open_house, plugin_of
from tests.support.waiting import until


async def film(house: House, owner: str, visibility: Visibility = Visibility.PUBLIC) -> VideoId:
    """A video that could be played if it had files."""
    now = house.host.clock()
    video = Video(
        VideoId(new_id()), UserId(owner), "A film", now, now, visibility=visibility, state=VideoState.READY,
        playable=True, package_id=PackageId(new_id()), published_at=now,
    )  # fmt: skip
    async with house.host.db.write() as conn:
        await videos.insert(conn, video)
        assert video.package_id is not None
        await packages.insert(conn, packages.PackageRow(video.package_id, video.id, "done", "{}", now, now))
    return video.id


async def stands(house: House) -> None:
    """Wait until every part says that it is well: a disk that is held up for seconds is told of, rightly."""

    async def well() -> bool:
        return (await house.client.get("/readyz")).status_code == httpx.codes.OK

    await until(well)


GUARDS = {"public": public, "anyone": anyone, "signed": signed_in, "person": in_person, "admin": at_least(Role.ADMIN)}
ANSWERS = {
    "public": (200, 200, 200),
    "anyone": (200, 200, 200),
    "signed": (401, 200, 200),
    "person": (401, 200, 200),
    "admin": (401, 403, 200),
}
"""For nobody, a viewer and an administrator."""


def register_routes(host: PluginHost[Any]) -> list[Any]:
    """A route for each guard, one that changes something, and one that fails."""

    def route(name: str) -> Any:
        @get(f"/{name}", guards=[GUARDS[name]], name=f"bell-{name}")
        async def answer() -> str:
            return host.name

        return answer

    @post("/ring", guards=[signed_in])
    async def ring() -> dict[str, bool]:
        return {"rang": await host.enqueue("ring")}

    @get("/broken", guards=[public])
    async def broken() -> str:
        raise ValueError("a secret of the plugin")

    @get("/plain", guards=[signed_in], sync_to_thread=True)
    def plain() -> str:
        return host.name

    @get("/leave", guards=[public])
    async def leave() -> str:
        raise SystemExit("a secret of the plugin")

    @get("/leave-plainly", guards=[public], sync_to_thread=True)
    def leave_plainly() -> str:
        raise SystemExit("a secret of the plugin")

    return [*map(route, GUARDS), ring, broken, plain, leave, leave_plainly]


async def test_routes_of_plugins_are_for_whom_they_say(tmp_path: Path) -> None:
    """The same guards hold as for the house's own: by role, with the form token for cookies, and an error says nothing
    of the inside."""
    bell = plugin_of("bell", hooks(register_routes=register_routes, register_jobs=lambda: {"ring": Work(print)}))
    async with open_house(tmp_path, plugins=[bell]) as house:
        people: list[dict[str, str]] = [{}, await house.sign_in("bob", "viewer"), await house.sign_in("root", "admin")]
        for name, statuses in ANSWERS.items():
            got = [(await house.client.get(f"/-/bell/{name}", headers=headers)).status_code for headers in people]
            assert tuple(got) == statuses, name
        plain = [(await house.client.get("/-/bell/plain", headers=headers)).status_code for headers in people[:2]]
        assert plain == [401, 200], "a plain function that runs in a thread"
        assert (await house.client.post("/-/bell/ring", headers=people[1])).json() == {"rang": True}
        for headers in ({}, {"Cookie": "streamhost_session=made-up"}):
            forged = await house.client.post("/-/bell/ring", headers=headers)
            assert (forged.status_code, forged.json()["code"]) == (403, "csrf_mismatch")
        for way in ("broken", "leave", "leave-plainly"):
            broken = await house.client.get(f"/-/bell/{way}")
            assert (broken.status_code, "secret" in broken.text) == (500, False), "an exit ends the request alone"
        assert (await house.client.get("/-/bell/nothing")).status_code == 404
        described = (await house.client.get("/api/openapi.json")).json()
        assert {"/-/bell/admin", "/-/bell/ring"} <= described["paths"].keys()


async def test_a_route_for_nobody_in_particular_stops_the_start(tmp_path: Path) -> None:
    """A route that does not say who may use it, or that is none, is named with its plugin."""

    @get("/open")
    async def everybody() -> str:
        return "come in"

    for routes, words in ((everybody, "each route needs one of the guards"), ("route", "bell: register_routes: ")):
        bell = plugin_of("bell", hooks(register_routes=lambda routes=routes: [routes]))
        with pytest.raises(PluginBroken, match=words):
            async with open_house(tmp_path, plugins=[bell]):
                pass


async def test_gates_stand_where_they_should(tmp_path: Path) -> None:
    """Registering, publishing and playing are refused in the plugin's words; what it does not mind goes on."""

    def before_register(email: str) -> None:
        if email.endswith("@spam.example"):
            raise Refused("No <b>spam</b>.")

    async def before_playback(viewer: Viewer) -> None:
        if viewer.user is None:
            raise Refused("Sign in to watch.")

    def before_publish(video: Video) -> None:
        if "secret" in video.title:
            raise Refused("Keep secrets.")

    strict = plugin_of(
        "strict",
        hooks(before_register=before_register, before_playback=before_playback, before_publish=before_publish),
    )
    async with open_house(tmp_path, plugins=[strict], accounts__registration="open") as house:
        for email, status in (("eve@spam.example", 403), ("eve@example.org", 202)):
            body = {"email": email, "password": PASSWORD, "name": "Eve"}
            answer = await house.client.post("/api/v1/auth/register", json=body)
            assert answer.status_code == status
            assert status == 202 or answer.json()["detail"] == "No <b>spam</b>."
        page = {"email": "eve@spam.example", "password": PASSWORD, "name": "Eve"}
        shown = await house.client.post("/register", data=page, headers={"Accept": "text/html"})
        assert "<b>spam</b>" not in shown.text
        alice = await house.sign_in("alice")
        owner = (await house.client.get("/api/v1/me", headers=alice)).json()["id"]
        public_film, private = await film(house, owner), await film(house, owner, Visibility.PRIVATE)
        refused = await house.client.get(f"/api/v1/stream/{public_film}")
        assert (refused.status_code, refused.json()["detail"]) == (403, "Sign in to watch.")
        assert (await house.client.get(f"/api/v1/stream/{public_film}", headers=alice)).status_code == 200
        edit = f"/api/v1/videos/{private}"
        for change, status in (
            ({"title": "A secret"}, 200),
            ({"visibility": "unlisted"}, 403),
            ({"title": "A film", "visibility": "unlisted"}, 403),
            ({"title": "A film"}, 200),
            ({"visibility": "unlisted"}, 200),
        ):
            answer = await house.client.patch(edit, headers=alice, json=change)
            assert answer.status_code == status, (change, answer.text)


async def test_administrators_see_plugins_and_their_troubles(tmp_path: Path) -> None:
    """The page shows what each brings and what went wrong, as words: nothing of it is markup."""

    def on_event() -> None:
        raise ValueError("<script>alert(1)</script>")

    async def ring(_payload: Any, _host: Any) -> None:
        raise OSError("the wire is cut")

    bell = plugin_of("bell", hooks(on_event=on_event, register_jobs=lambda: {"ring": Work(ring, attempts=1)}))
    async with open_house(tmp_path, plugins=[bell]) as house:
        await house.announce(VideoDeleted(VideoId("film"), UserId("alice"), "A film", at=0.0))
        assert await house.host.plugging.plugins.host("bell").enqueue("ring")
        await house.settled()
        root = await house.sign_in("root", "admin")
        page = await house.client.get("/admin/plugins", headers=root | {"Accept": "text/html"})
        assert page.status_code == 200
        assert "work ring" in page.text
        assert "the wire is cut" in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert(1)" not in page.text


async def test_a_notifier_that_ends_programs_ends_nothing(tmp_path: Path) -> None:
    """Its delivery has failed and is tried again; the house stands."""

    class Leaving:
        asks = None

        async def send(self, _notice: Notice) -> None:
            raise SystemExit(3)

    bell = plugin_of("bell", hooks(register_notifiers=lambda: {"bell": Leaving()}))
    async with open_house(tmp_path, plugins=[bell], notifications__site_kinds=("user_registered",)) as house:
        await house.announce(UserRegistered(UserId("alice"), at=0.0))
        await house.settled()
        async with house.host.db.read() as conn:
            found = await deliveries.listed(conn, "bell:", 10)
        assert [(one.state, one.error_code) for one in found] == [(DeliveryState.WAITING, "notifier_failed")]
        assert found[0].attempts > 0
        await stands(house)


class Liar:
    """A CDN that answers what stands next in `answers`, or raises it."""

    way = Way.REDIRECT
    base_url = "https://cdn.example.org"

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def url(self, _key: str, _expires_at: float) -> Any:
        """Some answer."""
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def push(self, _keys: Sequence[str]) -> None:
        """Do nothing."""

    async def purge(self, _prefixes: Sequence[str]) -> None:
        """Do nothing."""


async def test_a_cdn_that_gives_no_address_costs_no_film(tmp_path: Path) -> None:
    """One that fails, wants to leave, or sends viewers to what is no address: the site sends the segment itself."""
    lies = [ValueError("no"), SystemExit(1), None, "javascript:alert(1)", "https://cdn.example.org/\r\nX: y", "/a b"]
    brought = {"liar": Liar(*lies, "https://cdn.example.org/a.m4s")}
    liar = plugin_of("liar", hooks(register_cdns=lambda: brought))
    async with open_house(tmp_path, plugins=[liar], cdn__kind="liar") as house:
        video = await film(house, await house.add_user("alice"))
        stream = (await house.client.get(f"/api/v1/stream/{video}")).json()
        await house.host.storage.put_bytes(f"{package_prefix(video, stream['package'])}v720/0.m4s", b"pictures")
        segment = stream["hls"].replace("master.m3u8", "v720/0.m4s")
        for _ in lies:
            answer = await house.client.get(segment)
            assert (answer.status_code, answer.content) == (200, b"pictures")
        sent_on = await house.client.get(segment)
        assert (sent_on.status_code, sent_on.headers["location"]) == (302, "https://cdn.example.org/a.m4s")


async def test_a_house_that_cannot_stand_lets_go_of_its_catalog(tmp_path: Path) -> None:
    """A start that a plugin or a wrong name stops can be tried again at once."""
    with pytest.raises(InvalidSettings, match=r"protection\.key_source: nothing installed brings"):
        async with open_house(tmp_path, plugins=[], protection__key_source="vault"):
            pass
    async with open_house(tmp_path, plugins=[]) as house:
        await stands(house)
