"""Signed requests, as somebody else's implementation of Standard Webhooks reads them, over safe connections."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from streamhost.notify.addresses import AddressGuard
from streamhost.notify.posting import Poster
from streamhost.notify.webhook import PREFIX, Endpoint, WebhookNotifier, new_secret, retry_after
from streamhost.ports import NotifyRefused, NotifyUnavailable
from streamhost.testing.faulty_http import Asked, Reply, faulty_http
from streamhost.testing.notifier_contract import notice
from tests.support.smtp import Authority

HERE = ["127.0.0.0/8"]
AGENT = "streamhost/test"


def notifier(url: str, *secrets: str, allow: list[str] | None = None, ca_file: str = "") -> WebhookNotifier:
    """One for an endpoint, with the real clock: a verifier looks at the time."""
    guard = AddressGuard(HERE if allow is None else allow)
    return WebhookNotifier(Endpoint(url, secrets or (new_secret(),)), Poster(guard, 150, ca_file), time.time, AGENT)


def read(secret: str, asked: Asked) -> dict[str, object]:
    """What the other side reads, after it has checked the signature."""
    found: dict[str, object] = Webhook(secret).verify(asked.body, dict(asked.headers))
    return found


async def test_somebody_else_verifies_it() -> None:
    """The signature holds for the published implementation, and no longer if a byte, the id or the time changes."""
    secret = new_secret()
    assert len(base64.b64decode(secret.removeprefix(PREFIX))) == 32
    async with faulty_http() as server:
        await notifier(f"{server.url}/hook", secret).send(notice(title="Ünï", data={"title": "Ünï", "size": 3}))
        [asked] = server.requests
    assert read(secret, asked) == {
        "type": "video.processed",
        "timestamp": "2027-01-15T08:00:00.000Z",
        "data": {"title": "Ünï", "size": 3},
    }
    assert asked.headers["webhook-id"] == "notice0"
    assert asked.headers["user-agent"] == AGENT
    later = str(int(asked.headers["webhook-timestamp"]) + 1)
    for changed in ({"webhook-id": "other"}, {"webhook-timestamp": later}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(asked.body, {**asked.headers, **changed})
    for wrong in (new_secret(), PREFIX + base64.b64encode(b"k" * 32).decode()):
        with pytest.raises(WebhookVerificationError):
            read(wrong, asked)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(asked.body + b" ", dict(asked.headers))


async def test_two_secrets_while_one_takes_the_others_place() -> None:
    """In the overlap either secret verifies the request."""
    old, new = new_secret(), new_secret()
    async with faulty_http() as server:
        await notifier(f"{server.url}/hook", new, old).send(notice())
        [asked] = server.requests
    assert asked.headers["webhook-signature"].count("v1,") == 2
    assert read(old, asked) == read(new, asked)


async def test_the_same_request_each_time() -> None:
    """Sent again, id and body are the same; only the time of sending and the signature may differ."""
    async with faulty_http() as server:
        for _ in range(2):
            await notifier(f"{server.url}/hook").send(notice())
        first, second = server.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


async def test_the_inside_is_out_of_reach() -> None:
    """Without leave nothing is sent to this machine, and no connection is made; the words say what may be set."""
    async with faulty_http() as server:
        for url in (f"{server.url}/hook", f"http://localhost:{server.port}/", f"https://127.0.0.1:{server.port}/"):
            with pytest.raises(NotifyRefused) as failure:
                await notifier(url, allow=[]).send(notice())
            assert "webhooks.allow" in (failure.value.hint or "")
        assert server.requests == []


async def test_tls_asks_for_the_name(tmp_path: Path) -> None:
    """Over https the certificate must be for the host of the address, and by an authority that is trusted."""
    authority = Authority(tmp_path)
    trusted = str(authority.ca_file)
    async with faulty_http(tls=authority.server()) as server:
        await notifier(f"{server.url}/hook", ca_file=trusted).send(notice())
        with pytest.raises(NotifyUnavailable, match="cannot prove who it is"):
            await notifier(f"{server.url}/hook").send(notice())
    async with faulty_http(tls=authority.server("elsewhere.example")) as server:
        with pytest.raises(NotifyUnavailable, match="cannot prove who it is"):
            await notifier(f"{server.url}/hook", ca_file=trusted).send(notice())
        assert server.requests == []


async def test_what_an_endpoint_says_is_bounded() -> None:
    """Of a refusal a line is kept, without what could move a terminal's cursor."""
    async with faulty_http() as server:
        server.script.append(Reply(500, body=b"\x1b[31mno\r\n" + b"x" * 100_000))
        with pytest.raises(NotifyUnavailable) as failure:
            await notifier(f"{server.url}/hook").send(notice())
    assert failure.value.detail.startswith("It answered 500: [31mno xxx")
    assert len(failure.value.detail) < 300


def test_when_to_come_again() -> None:
    """Seconds, or a date in the future or the past; nonsense is none."""
    now = 1_800_000_000.0
    texts = ("0", "7", "Fri, 15 Jan 2027 08:01:00 GMT", "Fri, 15 Jan 2020 08:00:00 GMT", "-1", "later", "", "\uff11")
    assert [retry_after(text, now) for text in texts] == [0.0, 7.0, 60.0, 0.0, None, None, None, None]


def test_no_secret_is_shown() -> None:
    """An endpoint that lands in a log says nothing of its secrets."""
    secret = new_secret()
    assert secret not in repr(Endpoint("https://example.org", (secret,)))
    assert json.dumps(secret).count("whsec_") == 1
