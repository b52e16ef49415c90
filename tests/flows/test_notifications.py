"""Notifications over HTTP in the whole house: from a failed video to the bell, the mail and the webhook, and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from streamhost.jobs.announcing import announce
from streamhost.model.events import VideoProcessed
from streamhost.model.ids import VideoId
from streamhost.testing.faulty_http import FaultyHttp, Reply, faulty_http
from tests.support.house import House, a_house

PATIENCE = 150.0


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultyHttp]:
    """A program that listens."""
    async with faulty_http() as server:
        yield server


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose webhooks may reach this machine."""
    patient: dict[str, Any] = {"webhooks__timeout_seconds": 50.0}  # the endpoint is as slow as this process
    async with a_house(tmp_path / "data", webhooks__allow=("127.0.0.0/8",), **patient) as made:
        yield made


async def until(house: House, path: str, headers: dict[str, str], enough: Any) -> Any:
    """What a path answers, once that is enough."""
    async with asyncio.timeout(PATIENCE), house.client() as client:
        while True:
            document = (await client.get(path, headers=headers)).json()
            if enough(document):
                return document
            await asyncio.sleep(0.05)


async def ready(house: House, number: int = 0) -> None:
    """Announce that a video of alice's is ready."""
    alice = await house.host.accounts.people.by_email("alice@example.org")
    async with house.host.db.write() as conn:
        event = VideoProcessed(VideoId(f"film{number}"), alice.id, f"Holidays {number}", at=house.host.clock())
        await announce(conn, house.host.queue, event)


async def test_a_file_that_is_no_film(house: House, endpoint: FaultyHttp) -> None:
    """Its owner hears of it under the bell and by mail, a program by a webhook; what is read counts no more."""
    alice, root = await house.bearer("alice"), await house.bearer("root")
    async with house.client() as client:
        order = {"url": f"{endpoint.url}/hook", "kinds": ["video_failed"]}
        made = (await client.post("/api/v1/admin/webhooks", json=order, headers=root)).json()
        sent = await client.post("/api/v1/upload", files={"file": ("film.mp4", b"no film")}, headers=alice)
        film = sent.json()["video"]["id"]
        # The list is read before the number of what is not read.
        found = await until(house, "/api/v1/notifications", alice, lambda document: document["items"])
        [item] = found["items"]
        assert (item["kind"], item["url"], item["read_at"]) == ("video_failed", f"/studio/{film}", None)
        assert item["data"]["code"] == "not_media"
        mails = await until(house, "/api/v1/admin/mail?state=sent", root, lambda document: document["items"])
        assert [(one["kind"], one["to"]) for one in mails["items"]] == [("notice", "alice@example.org")]
        hook = f"/api/v1/admin/webhooks/{made['webhook']['id']}"
        await until(house, hook, root, lambda document: document["delivered_at"])
        [asked] = endpoint.requests
        event = Webhook(made["secret"]).verify(asked.body, dict(asked.headers))
        assert (event["type"], event["data"]["video_id"]) == ("video.failed", film)
        shown = json.dumps([(await client.get(path, headers=root)).json() for path in (hook, "/api/v1/admin/webhooks")])
        assert made["secret"] not in shown and "whsec_" not in shown
        page = await client.get("/notifications", headers={**alice, "Accept": "text/html"})
        assert "could not be processed" in page.text
        assert (await client.post(f"/api/v1/notifications/{item['id']}/read", headers=alice)).status_code == 204
        assert (await client.get("/api/v1/notifications", headers=alice)).json()["unread"] == 0
        bob = await house.bearer("bob")
        assert (await client.post(f"/api/v1/notifications/{item['id']}/read", headers=bob)).status_code == 404


async def test_pages_of_a_list(house: House) -> None:
    """Newest first, one page after the other, perhaps only what is not read; a cursor that is none is refused."""
    alice = await house.bearer("alice")
    for number in range(5):
        await ready(house, number)
    await until(house, "/api/v1/notifications", alice, lambda document: document["unread"] == 5)
    async with house.client() as client:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "2", "cursor": cursor}
            page = (await client.get("/api/v1/notifications", params=params, headers=alice)).json()
            seen += [one["title"] for one in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 5
        for wrong in ("x", "-1", "9" * 30, "0"):
            answer = await client.get("/api/v1/notifications", params={"cursor": wrong}, headers=alice)
            assert answer.status_code == 422
        assert (await client.post("/api/v1/notifications/read", headers=alice)).json() == {"read": 5}
        page = (await client.get("/api/v1/notifications", params={"unread": "true"}, headers=alice)).json()
        assert (page["items"], page["unread"]) == ([], 0)


class Ear:
    """Reads server-sent events of a running application, one after the other."""

    def __init__(self, house: House, headers: dict[str, str]) -> None:
        self._house = house
        self._headers = headers
        self._text: asyncio.Queue[str | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.over = asyncio.Event()

    async def __aenter__(self) -> Ear:
        lines = [(name.lower().encode(), value.encode()) for name, value in self._headers.items()]
        path = "/api/v1/notifications/stream"
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": lines, "scheme": "http", "client": ("127.0.0.1", 1), "server": ("site.test", 80)}
        scope |= {"http_version": "1.1", "root_path": ""}
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await self._text.put(message.get("body", b"").decode())
                if not message.get("more_body"):
                    await self._text.put(None)

        self._task = asyncio.ensure_future(self._house.door(scope, receive, send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.over.set()
        assert self._task is not None
        await asyncio.wait([self._task], timeout=PATIENCE)
        self._task.cancel()

    async def hear(self, name: str) -> dict[str, str]:
        """The next event of that name, by field. An empty one: the line was closed."""
        async with asyncio.timeout(PATIENCE):
            while (text := await self._text.get()) is not None:
                fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if ": " in line)
                if fields.get("event") == name:
                    return fields
        return {}


async def test_live(house: House) -> None:
    """Whoever listens hears at once; who comes back with the last number hears what was missed, each once."""
    alice = await house.bearer("alice")
    async with Ear(house, alice) as ear:
        assert json.loads((await ear.hear("unread"))["data"]) == {"unread": 0}
        await ready(house)
        told = await ear.hear("notification")
        assert json.loads(told["data"])["title"] == "“Holidays 0” is ready"
        assert json.loads((await ear.hear("unread"))["data"]) == {"unread": 1}
    await ready(house, 1)
    await until(house, "/api/v1/notifications", alice, lambda document: document["unread"] == 2)
    async with Ear(house, alice | {"Last-Event-ID": told["id"]}) as ear:
        missed = await ear.hear("notification")
        assert json.loads(missed["data"])["title"] == "“Holidays 1” is ready"
        assert int(missed["id"]) > int(told["id"])


async def test_signed_out_is_out(house: House) -> None:
    """A stream ends with the session that opened it: what comes afterwards is not told."""
    alice = await house.bearer("alice")
    async with Ear(house, alice) as ear:
        await ear.hear("unread")
        async with house.client() as client:
            assert (await client.post("/api/v1/auth/logout", headers=alice)).status_code == 204
        await ready(house)
        assert await ear.hear("notification") == {}


async def test_choosing_over_http(house: House) -> None:
    """What is chosen holds; what cannot be chosen is refused by name; the page takes what is ticked."""
    alice = await house.bearer("alice")
    async with house.client() as client:
        change = {"kinds": {"video_processed": {"in_app": False}}}
        changed = (await client.patch("/api/v1/me/notifications", json=change, headers=alice)).json()
        kinds = {one["kind"]: one["channels"] for one in changed["kinds"]}
        assert kinds["video_processed"] == {"in_app": False, "email": True}
        assert "disk_low" not in kinds
        wrong = {"kinds": {"disk_low": {"email": True}}}
        refused = await client.patch("/api/v1/me/notifications", json=wrong, headers=alice)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["kinds.disk_low"])
        tried = await client.post("/api/v1/me/notifications/test", json={"channel": "email"}, headers=alice)
        assert tried.json() == {"sent": True, "error": None}


async def test_leaving_by_a_mails_button(house: House) -> None:
    """A mail program posts to the link as RFC 8058 has it, without a cookie or token of ours; looking ends nothing."""
    alice = await house.host.accounts.people.by_email("alice@example.org")
    link = house.host.notifications.unsubscribing.url(alice.id, "video_processed")
    path = link[link.index("/unsubscribe") :]
    async with house.client() as client:
        looked = await client.get(path)
        assert looked.status_code == 200 and "No more of these mails" in looked.text
        assert await _mailed(house)
        posted = await client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert posted.status_code == 200 and "You get no more mail" in posted.text
        assert not await _mailed(house)
        assert (await client.post("/unsubscribe?token=guess", data={})).status_code == 400


async def _mailed(house: House) -> bool:
    alice = await house.host.accounts.people.by_email("alice@example.org")
    choices = await house.host.notifications.preferences.of(alice)
    return next(one for one in choices.kinds if one.kind == "video_processed").wanted["email"]


async def test_repairing_a_webhook(house: House, endpoint: FaultyHttp) -> None:
    """Over HTTP: test, switch off, deliver again what was missed, replace the secret, remove."""
    root = await house.bearer("root")
    async with house.client() as client:

        async def ask(method: str, path: str = "", body: object = None) -> httpx.Response:
            return await client.request(method, f"/api/v1/admin/webhooks{path}", json=body, headers=root)

        made = (await ask("POST", body={"url": f"{endpoint.url}/hook"})).json()
        one = f"/{made['webhook']['id']}"
        endpoint.script.append(Reply(500, body=b"oh"))
        assert (await ask("POST", f"{one}/test")).json()["error"]["code"] == "notify_unavailable"
        assert (await ask("POST", f"{one}/test")).json() == {"sent": True, "error": None}
        assert (await ask("PATCH", one, {"enabled": False})).json()["enabled"] is False
        await ready(house)
        await until(house, f"/api/v1/admin/webhooks{one}", root, lambda document: document["dead"] == 1)
        assert (await ask("POST", f"{one}/replay", {"since": "2020-01-01T00:00:00Z"})).status_code == 409
        assert (await ask("PATCH", one, {"enabled": True})).json()["enabled"] is True
        assert (await ask("POST", f"{one}/replay", {})).status_code == 422
        assert (await ask("POST", f"{one}/replay", {"since": "2020-01-01T00:00:00Z"})).json() == {"replayed": 1}
        await until(house, f"/api/v1/admin/webhooks{one}", root, lambda document: document["delivered_at"])
        [delivery] = (await ask("GET", f"{one}/deliveries?state=delivered")).json()["items"]
        assert delivery["message"] == endpoint.requests[-1].headers["webhook-id"]
        fresh = (await ask("POST", f"{one}/rotate", {"hours": 1})).json()["secret"]
        await ask("POST", f"{one}/test")
        last = endpoint.requests[-1]
        for secret in (fresh, made["secret"]):
            Webhook(secret).verify(last.body, dict(last.headers))
        assert (await ask("DELETE", one)).status_code == 204
        assert (await ask("GET", one)).status_code == 404
