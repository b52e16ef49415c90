"""Limits on the real server, as a proxy in front makes it see the world: by account, by address, by class of route."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import RunningServer

ALICE = "alice@example.org"
PASSWORD = "correct horse battery"
FIELD = re.compile(r'^"([a-z]+)";r=(\d+);t=(\d+)$')
NOBODY = {"email": "nobody@example.org", "password": "wrong password"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site behind a proxy on this machine, with small limits."""
    running = RunningServer(
        tmp_path_factory.mktemp("limits") / "data",
        STREAMHOST_SERVER_TRUSTED_PROXIES="127.0.0.0/8",
        STREAMHOST_LIMITS_API_PER_MINUTE="20",
        STREAMHOST_LIMITS_LOGIN_PER_MINUTE="4",
        STREAMHOST_LIMITS_MAIL_PER_HOUR="2",
        STREAMHOST_LIMITS_UPLOADS_PER_MINUTE="3",
    ).start()
    running.add_user("root@example.org", "admin")
    running.add_user(ALICE, "creator")
    yield running
    running.stop()


def at(site: RunningServer, address: str, **headers: str) -> httpx.Client:
    """A client whose requests the proxy says come from `address`."""
    return httpx.Client(base_url=site.url, headers={"X-Forwarded-For": address, **headers}, timeout=150)


def token(site: RunningServer, address: str, email: str = ALICE) -> str:
    """An access token, got from that address."""
    answer = at(site, address).post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def left(answer: httpx.Response) -> tuple[str, int]:
    """The class that an answer was counted in, and how many requests are left."""
    found = FIELD.match(answer.headers["ratelimit"])
    assert found, answer.headers["ratelimit"]
    return found[1], int(found[2])


def until_refused(ask: Callable[[int], httpx.Response], most: int = 200) -> list[httpx.Response]:
    """The answers up to the first 429. However slow the machine: what is allowed anew meanwhile is soon used up."""
    answers = [ask(0)]
    while answers[-1].status_code != httpx.codes.TOO_MANY_REQUESTS:
        assert len(answers) < most, "nobody counts"
        answers.append(ask(len(answers)))
    return answers


def fits(found: int, expected: int, since: float) -> bool:
    """Whether so many are left, or a few more, which the time since then has allowed anew: one every three seconds."""
    return expected <= found <= expected + (time.monotonic() - since) / 3


def test_every_answer_tells_what_is_left(site: RunningServer) -> None:
    """Limits are told before they are reached: the policy, and what is left of it."""
    client, begin = at(site, "203.0.113.1"), time.monotonic()
    answers = [client.get(path) for path in ("/api/v1/videos", "/api/v1/videos", "/api/v1/videos/nothing")]
    assert answers[0].headers["ratelimit-policy"] == '"api";q=20;w=60'
    for answer, expected in zip(answers, (19, 18, 17), strict=True):
        name, number = left(answer)
        assert name == "api"
        assert fits(number, expected, begin)


def test_too_many(site: RunningServer) -> None:
    """Over the limit the answer is 429 with the time to wait; it holds for that address and for nobody else."""
    client = at(site, "203.0.113.2")
    *served, refused = until_refused(lambda _: client.get("/api/v1/videos"))
    assert len(served) >= 20
    assert {answer.status_code for answer in served} == {200}
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert left(refused) == ("api", 0)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert at(site, "203.0.113.3").get("/api/v1/videos").status_code == 200
    page = until_refused(lambda _: client.get("/", headers={"Accept": "text/html"}))[-1]
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_an_account_has_its_own(site: RunningServer) -> None:
    """Whoever is signed in is counted as that account wherever they are, and not with others of their network."""
    bearer = {"Authorization": f"Bearer {token(site, '203.0.113.4')}"}
    there = at(site, "203.0.113.4")
    until_refused(lambda _: there.get("/api/v1/videos"))
    begin = time.monotonic()
    mine = there.get("/api/v1/me", headers=bearer)
    assert mine.status_code == 200
    elsewhere = at(site, "198.51.100.77").get("/api/v1/me", headers=bearer)
    assert fits(left(elsewhere)[1], left(mine)[1] - 1, begin)


def test_a_made_up_address_does_not_help(site: RunningServer) -> None:
    """What the client itself writes into X-Forwarded-For, left of the proxy's word, is not counted by."""

    def four(number: int) -> httpx.Response:
        made_up = f"192.0.2.{number}"
        return at(site, f"{made_up}, 203.0.113.5", Forwarded=f"for={made_up}").get("/api/v1/videos")

    def six(number: int) -> httpx.Response:
        return at(site, f"2001:db8:1:2::{number + 1:x}").get("/api/v1/videos")

    for sort in (four, six):
        assert len(until_refused(sort)) > 20


def test_bad_tokens_are_counted(site: RunningServer) -> None:
    """Whoever tries tokens is slowed down by address like anybody else."""
    client = at(site, "203.0.113.6", Authorization="Bearer nonsense")
    *served, _ = until_refused(lambda _: client.get("/api/v1/videos"))
    assert {answer.status_code for answer in served} == {401}


def test_signing_in_has_a_class(site: RunningServer) -> None:
    """Attempts to sign in are few, for pages and API together, also where each is for another account."""
    client = at(site, "203.0.113.7")

    def guess(number: int) -> httpx.Response:
        return client.post("/api/v1/auth/login", json={**NOBODY, "email": f"user{number}@example.org"})

    *served, _ = until_refused(guess)
    assert [answer.status_code for answer in served[:4]] == [401, 401, 401, 401]
    # Less than each would have of its own.
    assert len(until_refused(lambda _: client.post("/login", data=NOBODY))) <= 4
    assert len(until_refused(lambda _: client.post("/api/v1/auth/refresh", json={"refresh_token": "x"}))) <= 4
    assert client.get("/login").status_code == 200


def test_causing_mail_has_a_class(site: RunningServer) -> None:
    """Requests that send mail to somebody are very few."""
    client = at(site, "203.0.113.8")
    codes = [
        client.post("/api/v1/auth/password/forgot", json={"email": f"user{number}@example.org"}).status_code
        for number in range(3)
    ]
    assert codes == [202, 202, 429]
    assert client.post("/api/v1/auth/verify/resend", json={"email": "a@example.org"}).status_code == 429


def test_uploads_are_counted_where_they_begin(site: RunningServer) -> None:
    """So many uploads may begin in a minute; their pieces, however small, are not counted."""
    tus = {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {token(site, '203.0.113.9')}"}
    client = at(site, "203.0.113.9", **tus)
    begun = until_refused(lambda _: client.post("/api/v1/uploads", headers={"Upload-Length": "100"}))
    assert [answer.status_code for answer in begun[:3]] == [201, 201, 201]
    assert begun[-1].headers["tus-resumable"] == "1.0.0"
    address = begun[0].headers["location"]
    for offset in range(60):
        piece = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        assert client.patch(address, headers=piece, content=b"x").status_code == 204
    assert len(until_refused(lambda _: client.post("/api/v1/upload", files={"file": ("a.mp4", b"x")}))) <= 4


def test_what_is_the_same_for_all_is_not_counted(site: RunningServer) -> None:
    """Probes, files of the pages and segments are quick to answer and asked for often."""
    client = at(site, "203.0.113.10")
    for path in ("/livez", "/readyz", "/api/openapi.json", "/assets/nothing.js", "/s/nothing/x/master.m3u8"):
        for _ in range(25):
            answer = client.get(path)
        assert answer.status_code != 429, path
        assert "ratelimit" not in answer.headers


def test_this_machine_is_free(site: RunningServer) -> None:
    """Scripts on the machine itself are no address that is counted."""
    with httpx.Client(base_url=site.url) as client:
        assert {client.get("/api/v1/videos").status_code for _ in range(30)} == {200}


def test_https_by_the_proxys_word(site: RunningServer) -> None:
    """Behind a proxy that speaks https the cookies are those of https."""
    client = at(site, "203.0.113.11", **{"X-Forwarded-Proto": "https"})
    cookie = client.get("/login").headers["set-cookie"]
    assert cookie.startswith("__Host-") and "Secure" in cookie
    assert at(site, "203.0.113.11").get("/login").headers["set-cookie"].startswith("streamhost_")


def test_a_proxy_nobody_spoke_of(tmp_path: Path) -> None:
    """Without the setting nothing is believed, and the log says once that something was not."""
    site = RunningServer(tmp_path / "data", STREAMHOST_LIMITS_API_PER_MINUTE="5").start()
    try:
        codes = {at(site, "203.0.113.12").get("/api/v1/videos").status_code for _ in range(8)}
        assert codes == {200}
        assert site.output.count("proxy_not_trusted") == 1
    finally:
        site.stop()
