"""The notifier against a server that takes what ntfy takes and refuses what ntfy refuses."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from streamhost.model.notices import Recipient, Urgency
from streamhost.ports import NotifyRefused
from streamhost.testing.faulty_http import Asked, FaultyHttp, Reply, faulty_http
from streamhost.testing.notifier_contract import Arrived, RemoteNotifierContract, RemoteOffice, alice, notice
from streamhost_ntfy.notifier import TAGS, NtfyNotifier, NtfyServer
from tests.support.waiting import patience

TOKEN = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
FIELDS = {"topic": str, "title": str, "message": str, "priority": int, "tags": list, "click": str, "sequence_id": str}


def refused(status: int, code: int, words: str) -> Reply:
    """A refusal as ntfy writes it."""
    body = json.dumps({"code": code, "http": status, "error": words, "link": "https://ntfy.sh/docs/publish/"})
    return Reply(status, {"Content-Type": "application/json"}, body.encode())


def ntfy(asked: Asked) -> Reply:
    """What an ntfy server with access rules does with a message published as JSON."""
    if asked.method not in ("POST", "PUT") or asked.path != "/":
        return refused(404, 40401, "page not found")
    if asked.headers.get("authorization") not in (f"Bearer {TOKEN}", basic("phil", "mypass")):
        return refused(403 if "authorization" not in asked.headers else 401, 40301, "forbidden")
    try:
        message: dict[str, Any] = json.loads(asked.body)
    except ValueError:
        return refused(400, 40024, "invalid request: request body must be message JSON")
    if any(not isinstance(value, FIELDS.get(name, ())) for name, value in message.items()):
        return refused(400, 40024, "invalid request: request body must be message JSON")
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", message.get("topic", "")):
        return refused(400, 40009, "invalid request: topic invalid")
    if not 1 <= message.get("priority", 3) <= 5:
        return refused(400, 40007, "invalid request: priority invalid")
    if len(message.get("message", "").encode()) > 4096:
        return refused(413, 41301, "attachment too large, or bandwidth limit reached")
    return Reply(200, {"Content-Type": "application/json"}, json.dumps({"id": "x", "event": "message"}).encode())


def basic(name: str, password: str) -> str:
    """The header for a name and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Phone:
    """Alice's phone, which has subscribed to a topic."""

    recipient: Recipient | None = alice("alices-films_7h2k")

    def __init__(self, server: FaultyHttp, seconds: float = 60.0, /, **known: str) -> None:
        self.server = server
        access = known or {"token": TOKEN}
        self.notifier = NtfyNotifier(NtfyServer(f"{server.url}/", seconds=seconds, **access))

    async def received(self) -> list[Arrived]:
        """The messages that the server has taken."""
        taken = [json.loads(asked.body) for asked in self.server.requests if ntfy(asked).status == 200]
        return [Arrived(f"{one['title']} {one['message']} {one.get('click')}", one["sequence_id"]) for one in taken]

    async def close(self) -> None:
        """The server is away."""
        await self.server.stop()


@pytest.fixture
async def server() -> AsyncIterator[FaultyHttp]:
    """An ntfy server."""
    async with faulty_http(ntfy) as running:
        yield running


class TestNtfyNotifier(RemoteNotifierContract):
    """The contract of streamhost."""

    says: ClassVar[tuple[str, ...]] = ("Holidays 0", "Every version", "https://video.example.org/watch/film0")

    @pytest.fixture
    def office(self, server: FaultyHttp, request: pytest.FixtureRequest) -> RemoteOffice:
        """A phone."""
        return Phone(server, patience(request, 1.5))


async def test_what_a_message_carries(server: FaultyHttp) -> None:
    """Priority by urgency, an emoji by kind, the page to open, and the id under which a repetition is the same."""
    phone = Phone(server)
    for number, urgency in enumerate(Urgency):
        kind = list(TAGS)[number]
        await phone.notifier.send(notice(number, phone.recipient, urgency=urgency, kind=kind))
    messages = [json.loads(asked.body) for asked in server.requests]
    assert [one["priority"] for one in messages] == [2, 3, 4]
    assert [one["tags"] for one in messages] == [["clapper"], ["x"], ["tv"]]
    assert messages[0]["click"] == "https://video.example.org/watch/film0"
    assert messages[0]["sequence_id"] == "notice0"
    assert {one["topic"] for one in messages} == {"alices-films_7h2k"}


async def test_a_name_and_a_password(server: FaultyHttp) -> None:
    """Where there is no token, name and password are sent."""
    phone = Phone(server, username="phil", password="mypass")
    await phone.notifier.send(notice(recipient=phone.recipient))
    assert len(await phone.received()) == 1


@pytest.mark.parametrize("access", [{"token": "tk_wrong"}, {"username": "phil", "password": "no"}, {"username": ""}])
async def test_wrong_access_is_told(server: FaultyHttp, access: dict[str, str]) -> None:
    """Whoever may not publish is told what to set; the secret is not in the words."""
    phone = Phone(server, **access)
    with pytest.raises(NotifyRefused) as failure:
        await phone.notifier.send(notice(recipient=phone.recipient))
    assert "plugins.ntfy.token" in (failure.value.hint or "")
    assert "tk_" not in f"{failure.value} {phone.notifier._server}"


async def test_without_a_topic(server: FaultyHttp) -> None:
    """Somebody who has named no topic cannot be reached."""
    phone = Phone(server)
    for recipient in (None, alice()):
        with pytest.raises(NotifyRefused):
            await phone.notifier.send(notice(recipient=recipient))
    assert server.requests == []


def test_topics_that_ntfy_takes() -> None:
    """What may be typed as a topic is what ntfy takes, and no address with more in it."""
    asks = NtfyNotifier.asks
    assert asks is not None
    assert all(re.fullmatch(asks.pattern, topic) for topic in ("films", "a-b_C9", "x" * 64))
    assert not any(re.fullmatch(asks.pattern, topic) for topic in ("", "a b", "a/b", "é", "x" * 65, "a\n"))
