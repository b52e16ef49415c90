"""Accounts on the real server: from the printed link to the last sign-out, across restarts."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from pyotp import TOTP

from tests.support.server import ROOT, RunningServer

PASSWORD = "correct horse battery"
FORM_TOKEN = re.compile(r'name="csrf_token"\s+value="([^"]+)"')
TICKET = re.compile(r'name="ticket"\s+value="([^"]+)"')


@pytest.fixture(scope="module")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site that lets strangers register, with root as its admin."""
    data = tmp_path_factory.mktemp("open") / "data"
    running = RunningServer(data, STREAMHOST_ACCOUNTS_REGISTRATION="open").start()
    running.add_user("root@example.org", "admin")
    yield running
    running.stop()


def printed_token(site: RunningServer, email: str, path: str) -> str:
    """The token in the newest mail to `email` with a link to `path`, as a site without a mail server prints it."""
    deadline = time.monotonic() + 150
    mail = re.compile(
        rf"^To: {re.escape(email)}$.*?{re.escape(site.url + path)}\?(?:token|invitation)=(\S+)\n", re.M | re.S
    )
    while not (found := mail.findall(site.output)):
        assert time.monotonic() < deadline, site.output
        time.sleep(0.05)
    return unquote(str(found[-1]))


def form_token(browser: httpx.Client, path: str) -> str:
    """The token in the form of a page."""
    found = FORM_TOKEN.search(browser.get(path).text)
    assert found is not None, path
    return found.group(1)


def guessed(client: httpx.Client, path: str, **wrong: Any) -> list[httpx.Response]:
    """The answers to one wrong password after the other, until one says something else than that it is wrong."""
    answers = [client.post(path, **wrong)]
    while answers[-1].status_code == 401 and len(answers) < 30:
        answers.append(client.post(path, **wrong))
    return answers


def test_the_printed_link_makes_the_admin_once(server: RunningServer) -> None:
    """The link outlives a kill -9, makes the first admin and signs the browser in; then it is dead for good."""
    link = urlsplit(server.setup_url)
    assert link.path == "/setup"
    server.kill()
    server.restart()
    assert urlsplit(server.setup_url).query == link.query
    form = {**ROOT, "token": parse_qs(link.query)["token"][0]}
    with httpx.Client(base_url=server.url) as browser:
        assert browser.post("/setup", data=form).status_code == 403
        form["csrf_token"] = form_token(browser, f"/setup?{link.query}")
        assert browser.post("/setup", data={**form, "token": "guess"}).status_code == 403
        assert browser.post("/setup", data=form).status_code == 303
        assert browser.get("/api/v1/me").json()["role"] == "admin"
        assert browser.post("/setup", data={**form, "email": "second@example.org"}).status_code == 403
        server.stop()
        server.restart()
        assert server.setup_url == ""
        assert browser.get("/api/v1/me").json()["email"] == ROOT["email"]
    assert server.client(ROOT["email"]).get("/api/v1/me").json()["email_verified"] is True


def test_sign_ins_outlive_a_kill(server: RunningServer) -> None:
    """What was handed out before a kill -9 still works afterwards: access token, refresh token, revocation."""
    server.add_user("alice@example.org")
    api = server.client()
    tokens = api.sign_in("alice@example.org", PASSWORD)
    gone = api.post("/api/v1/auth/login", json={"email": "alice@example.org", "password": PASSWORD}).json()
    spent = api.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert spent.status_code == 200
    bearer = {"Authorization": f"Bearer {gone['access_token']}"}
    assert api.post("/api/v1/auth/logout", headers=bearer).status_code == 204
    server.kill()
    server.restart()
    assert api.get("/api/v1/me").status_code == 200
    assert api.get("/api/v1/me", headers=bearer).status_code == 401
    fresh = api.post("/api/v1/auth/refresh", json={"refresh_token": spent.json()["refresh_token"]})
    assert fresh.status_code == 200
    reused = api.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (reused.status_code, reused.json()["code"]) == (401, "token_reused")
    assert api.post("/api/v1/auth/refresh", json={"refresh_token": fresh.json()["refresh_token"]}).status_code == 401
    assert api.get("/api/v1/me").status_code == 401


def test_registering_tells_nothing(open_site: RunningServer) -> None:
    """New or taken, the answer is byte for byte the same; the new account works and may only watch."""
    api = open_site.client()
    body = {"email": "eve@example.org", "password": PASSWORD, "name": "Eve"}
    answers = [
        api.post("/api/v1/auth/register", json=body),
        api.post("/api/v1/auth/register", json=body | {"password": "another long password"}),
        api.post("/api/v1/auth/register", json=body | {"email": "root@example.org"}),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    unverified = api.post("/api/v1/auth/login", json={"email": "eve@example.org", "password": PASSWORD})
    assert (unverified.status_code, unverified.json()["code"]) == (403, "email_unverified")
    token = printed_token(open_site, "eve@example.org", "/verify")
    assert api.post("/api/v1/auth/verify", json={"token": token}).status_code == 204
    api.sign_in("eve@example.org", PASSWORD)
    assert api.get("/api/v1/me").json()["role"] == "viewer"
    assert api.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1"}).status_code == 403
    open_site.client("root@example.org")


def test_registering_names_what_is_wrong(open_site: RunningServer) -> None:
    """422 with a sentence for each wrong field, and for missing ones too."""
    answer = open_site.client().post(
        "/api/v1/auth/register", json={"email": "no", "password": "short", "name": "\u202e"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert set(answer.json()["errors"]) == {"email", "password", "name"}
    missing = open_site.client().post("/api/v1/auth/register", json={"email": "zoe@example.org"})
    assert (missing.status_code, missing.json()["code"]) == (422, "invalid_input")


def test_a_closed_site_says_so(server: RunningServer) -> None:
    """Without the setting nobody can register."""
    body = {"email": "eve@example.org", "password": PASSWORD, "name": "Eve"}
    answer = server.client().post("/api/v1/auth/register", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")


def test_devices_can_be_signed_out(open_site: RunningServer) -> None:
    """Sessions are listed with device and address; ending one kills its token and its page cookie at once."""
    open_site.add_user("alice@example.org")
    here = open_site.client("alice@example.org")
    with httpx.Client(base_url=open_site.url, headers={"User-Agent": "Living-room television"}) as tv:
        form = {"email": "alice@example.org", "password": PASSWORD, "csrf_token": form_token(tv, "/login")}
        assert tv.post("/login", data=form).status_code == 303
        assert tv.get("/api/v1/me").status_code == 200
        listed = here.get("/api/v1/auth/sessions").json()["items"]
        assert [item["current"] for item in listed].count(True) == 1
        (television,) = [item for item in listed if item["device"] == "Living-room television"]
        assert television["address"] == "127.0.0.1"
        assert here.delete(f"/api/v1/auth/sessions/{television['id']}").status_code == 204
        assert tv.get("/api/v1/me").status_code == 401
        assert here.delete(f"/api/v1/auth/sessions/{television['id']}").status_code == 404
    assert here.get("/api/v1/me").status_code == 200


def test_guessing_on_the_page_is_slowed_down(open_site: RunningServer) -> None:
    """The page says 429 and when to come back, as the API does, and guesses on either count together: eight at once,
    then one every 15 seconds. No account is needed for that."""
    began = time.monotonic()
    wrong = {"email": "victim@example.org", "password": "guess"}
    with httpx.Client(base_url=open_site.url) as browser:
        *tries, page = guessed(browser, "/login", data=wrong | {"csrf_token": form_token(browser, "/login")})
    assert page.status_code == 429
    assert len(tries) >= 8
    *more, refused = guessed(open_site.client(), "/api/v1/auth/login", json=wrong)
    assert len(tries) + len(more) <= 8 + (time.monotonic() - began) / 15
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["Retry-After"]) <= 15


def test_nothing_secret_is_written_down(open_site: RunningServer) -> None:
    """Neither the log nor the catalog holds a password or a token, and the secrets are the server's alone."""
    api = open_site.client()
    tokens = api.sign_in("root@example.org", PASSWORD)
    api.get(f"/api/v1/me?token={tokens['access_token']}")
    secrets = [PASSWORD, tokens["refresh_token"], tokens["access_token"].rpartition(".")[2]]
    kept = [open_site.output.encode()]
    kept += [path.read_bytes() for path in open_site.data.glob("catalog.sqlite3*")]
    for secret in secrets:
        assert not any(secret.encode() in content for content in kept)
    assert stat.S_IMODE((open_site.data / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(open_site.data).stat().st_mode) == 0o700


def test_a_sign_in_survives_a_restart_between_password_and_code(server: RunningServer) -> None:
    """By the pages: the form that asks for the code holds a ticket, no password; the next process takes it, once."""
    server.add_user("alice@example.org")
    api = server.client("alice@example.org")
    secret = api.post("/api/v1/me/second-factor", json={"password": PASSWORD}).json()["secret"]
    recovery = api.post("/api/v1/me/second-factor/confirm", json={"otp": TOTP(secret).now()}).json()["recovery_codes"]
    with httpx.Client(base_url=server.url) as browser:
        form = {"csrf_token": form_token(browser, "/login"), "email": "alice@example.org", "password": PASSWORD}
        asked = browser.post("/login", data=form)
        assert asked.status_code == 200
        assert PASSWORD not in asked.text
        found = TICKET.search(asked.text)
        assert found is not None
        answer = {"csrf_token": form["csrf_token"], "ticket": found[1], "otp": "no code"}
        server.kill()
        server.restart()
        assert browser.post("/login", data=answer).status_code == 401
        assert browser.post("/login", data={**answer, "otp": recovery[0]}).status_code == 303
        assert browser.get("/api/v1/me").json()["email"] == "alice@example.org"
    with httpx.Client(base_url=server.url) as other:
        answer |= {"csrf_token": form_token(other, "/login"), "otp": recovery[1]}
        again = other.post("/login", data=answer)
        assert (again.status_code, "took too long" in again.text) == (401, True)
        assert other.get("/api/v1/me").status_code == 401


def test_the_description_of_the_api_names_the_refusals(open_site: RunningServer) -> None:
    """Every account route is in the OpenAPI document with the statuses it refuses with."""
    paths = json.loads(open_site.client().get("/api/openapi.json").content)["paths"]
    expected = {
        ("/api/v1/auth/register", "post"): {"202", "403", "422", "429"},
        ("/api/v1/auth/login", "post"): {"200", "401", "422", "429"},
        ("/api/v1/auth/refresh", "post"): {"200", "401", "422"},
        ("/api/v1/auth/logout", "post"): {"204", "401", "403"},
        ("/api/v1/auth/sessions", "get"): {"200", "401"},
        ("/api/v1/auth/sessions/{session_id}", "delete"): {"204", "401", "403", "404"},
        ("/api/v1/me", "get"): {"200", "401"},
    }
    for (path, method), statuses in expected.items():
        assert statuses <= set(paths[path][method]["responses"]), path
