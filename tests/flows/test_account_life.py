"""The life of an account on the real server, by its API, its mail and its command line."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from click.testing import Result
from pyotp import TOTP

from tests.support.command import run
from tests.support.server import Api, RunningServer, until

PASSWORD = "correct horse battery"
NEW = "another long password"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def invite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site that takes the invited, with root as its admin."""
    data = tmp_path_factory.mktemp("invite") / "data"
    settings = {"STREAMHOST_ACCOUNTS_REGISTRATION": "invite", "STREAMHOST_LIMITS_ENABLED": "false"}
    running = RunningServer(data, **settings).start()
    running.add_user("root@example.org", "admin")
    yield running
    running.stop()


def mailed(site: RunningServer, email: str, path: str, after: int = 0) -> str:
    """The token in the newest mail to `email` with a link to `path`, as a site without a mail server prints it."""
    mail = re.compile(
        rf"^To: {re.escape(email)}$(?:(?!^To: ).)*?{re.escape(site.url + path)}\?(?:token|invitation)=(\S+)\n",
        re.MULTILINE | re.DOTALL,
    )
    deadline = time.monotonic() + 150
    while not (found := mail.findall(site.output[after:])):
        assert time.monotonic() < deadline, site.output[after:]
        time.sleep(0.05)
    return unquote(str(found[-1]))


def users(site: RunningServer, *arguments: str) -> Result:
    """Run `streamhost users …` beside the server."""
    return run("users", *arguments, "--data", str(site.data), env={"STREAMHOST_ACCOUNTS_REGISTRATION": "invite"})


def invited(site: RunningServer, email: str, role: str = "creator") -> Api:
    """A client of somebody who came by an invitation and is signed in."""
    root = site.client("root@example.org")
    body = {"email": email, "role": role}
    made = root.post("/api/v1/admin/invitations", json=body)
    assert made.status_code == 201, made.text
    api = site.client()
    answer = api.post(
        "/api/v1/auth/register",
        json={
            "email": email,
            "password": PASSWORD,
            "name": email.partition("@")[0].title(),
            "invitation": unquote(made.json()["link"].partition("?invitation=")[2]),
        },
    )
    assert answer.status_code == 202, answer.text
    api.sign_in(email, PASSWORD)
    return api


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return answer.status_code, answer.json()["code"]


def test_an_invitation_is_sent_used_and_gone(invite_site: RunningServer) -> None:
    """Mailed, it opens registration for that address; nobody gets in without one, nor twice; admins see its use."""
    root, api = invite_site.client("root@example.org"), invite_site.client()
    body = {"email": "ina@example.org", "password": PASSWORD, "name": "Ina"}
    assert code_of(api.post("/api/v1/auth/register", json=body)) == (403, "registration_closed")
    begin = len(invite_site.output)
    made = root.post("/api/v1/admin/invitations", json={"email": "ina@example.org", "role": "creator"}).json()
    token = mailed(invite_site, "ina@example.org", "/register", begin)
    assert made["link"].endswith(token)
    other = body | {"email": "other@example.org", "invitation": token}
    assert code_of(api.post("/api/v1/auth/register", json=other)) == (403, "invitation_invalid")
    assert api.post("/api/v1/auth/register", json=body | {"invitation": token}).status_code == 202
    again = api.post("/api/v1/auth/register", json=body | {"invitation": token})
    assert code_of(again) == (403, "invitation_invalid")
    api.sign_in("ina@example.org", PASSWORD)
    me = api.get("/api/v1/me").json()
    assert (me["role"], me["email_verified"], me["second_factor"]) == ("creator", True, False)
    (item,) = [i for i in root.get("/api/v1/admin/invitations").json()["items"] if i["id"] == made["invitation"]["id"]]
    assert (item["uses"], item["open"]) == (1, False)
    assert "link" not in item


def test_a_forgotten_password(invite_site: RunningServer) -> None:
    """The answer is the same for everybody; the link sets a password once and signs out everywhere."""
    api = invited(invite_site, "fay@example.org")
    begin = len(invite_site.output)
    answers = [
        api.post("/api/v1/auth/password/forgot", json={"email": email})
        for email in ("fay@example.org", "nobody@example.org")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    token = mailed(invite_site, "fay@example.org", "/reset", begin)
    assert "nobody@example.org" not in invite_site.output
    weak = api.post("/api/v1/auth/password/reset", json={"token": token, "password": "short"})
    assert (weak.status_code, set(weak.json()["errors"])) == (422, {"password"})
    assert api.post("/api/v1/auth/password/reset", json={"token": token, "password": NEW}).status_code == 204
    again = api.post("/api/v1/auth/password/reset", json={"token": token, "password": NEW})
    assert code_of(again) == (410, "link_used")
    forged = api.post("/api/v1/auth/password/reset", json={"token": token[:-3], "password": NEW})
    assert code_of(forged) == (400, "invalid_link")
    assert code_of(api.get("/api/v1/me")) == (401, "invalid_token")
    api.sign_in("fay@example.org", NEW)


def test_another_address(invite_site: RunningServer) -> None:
    """It is the account's once the link that was sent to it was followed."""
    api = invited(invite_site, "cat@example.org")
    begin = len(invite_site.output)
    wrong = api.post("/api/v1/me/email", json={"email": "kat@example.org", "password": "guess"})
    assert code_of(wrong) == (422, "wrong_password")
    assert api.post("/api/v1/me/email", json={"email": "kat@example.org", "password": PASSWORD}).status_code == 202
    token = mailed(invite_site, "kat@example.org", "/account/email/confirm", begin)
    assert api.get("/api/v1/me").json()["email"] == "cat@example.org"
    assert invite_site.client().post("/api/v1/auth/email/confirm", json={"token": token}).status_code == 204
    assert api.get("/api/v1/me").json()["email"] == "kat@example.org"
    invite_site.client("kat@example.org")


def test_a_second_factor(invite_site: RunningServer) -> None:
    """Set up by API, asked for at sign-in, survived by a recovery code, refused when replayed."""
    api = invited(invite_site, "tom@example.org")
    secret = api.post("/api/v1/me/second-factor", json={"password": PASSWORD}).json()["secret"]
    totp = TOTP(secret)
    confirmed = api.post("/api/v1/me/second-factor/confirm", json={"otp": totp.now()})
    codes = confirmed.json()["recovery_codes"]
    assert api.get("/api/v1/me/second-factor").json()["recovery_codes_left"] == len(codes)
    credentials = {"email": "tom@example.org", "password": PASSWORD}

    def login(**more: str) -> httpx.Response:
        return invite_site.client().post("/api/v1/auth/login", json=credentials | more)

    assert code_of(login()) == (401, "otp_required")
    assert code_of(login(otp="000000")) == (401, "otp_invalid")
    assert code_of(login(password="guess")) == (401, "bad_credentials")
    assert login(otp=codes[0]).status_code == 200
    assert code_of(login(otp=codes[0])) == (401, "otp_invalid")
    later = totp.at(int(time.time()) + 30)
    assert login(otp=later).status_code == 200
    assert code_of(login(otp=later)) == (401, "otp_invalid")
    off = api.post("/api/v1/me/second-factor/off", json={"password": PASSWORD, "otp": codes[1]})
    assert off.status_code == 204
    assert login().status_code == 200


def test_administrators_change_all_or_nothing(invite_site: RunningServer) -> None:
    """What cannot be done to the last administrator undoes the rest; a disabled account gets no link; it is audited."""
    root = invite_site.client("root@example.org")
    me = root.get("/api/v1/me").json()
    refused = root.patch(f"/api/v1/admin/users/{me['id']}", json={"role": "viewer", "disabled": True})
    assert code_of(refused) == (409, "last_admin")
    assert root.get("/api/v1/me").json() == me
    una = invited(invite_site, "una@example.org", "creator").get("/api/v1/me").json()["id"]
    changed = root.patch(f"/api/v1/admin/users/{una}", json={"role": "moderator", "disabled": True}).json()
    assert (changed["role"], changed["disabled"]) == ("moderator", True)
    assert code_of(root.post(f"/api/v1/admin/users/{una}/reset-password")) == (409, "account_shut")
    acts = root.get("/api/v1/admin/audit", params={"user": una}).json()["items"]
    assert [act["act"] for act in acts[:2]] == ["user_disabled", "role_changed"]


def test_tokens_do_what_their_scopes_say(invite_site: RunningServer) -> None:
    """Each scope opens its own routes and no others; no token changes the account; a revoked one is dead at once."""
    api = invited(invite_site, "sue@example.org", "admin")
    asked: dict[str, tuple[str, str, dict[str, Any]]] = {
        "read": ("GET", "/api/v1/videos", {}),
        "upload": ("POST", "/api/v1/uploads", {"headers": TUS | {"Upload-Length": "1"}}),
        "manage": ("DELETE", "/api/v1/videos/nothing", {}),
        "admin": ("GET", "/api/v1/admin/users", {}),
    }
    personal = ("/api/v1/me/tokens", "/api/v1/me/second-factor", "/api/v1/auth/sessions")
    for scope in asked:
        body = {"name": scope, "scopes": [scope], "password": PASSWORD, "days": 1}
        made = api.post("/api/v1/me/tokens", json=body).json()
        script = httpx.Client(base_url=invite_site.url, headers={"Authorization": f"Bearer {made['token']}"})
        for needed, (method, path, more) in asked.items():
            answer = script.request(method, path, **more)
            refused = answer.status_code == 403 and answer.json()["code"] == "insufficient_scope"
            assert refused == (needed != scope), (scope, needed, answer.text)
        for path in personal:
            assert code_of(script.get(path)) == (403, "insufficient_scope")
        assert code_of(script.post("/api/v1/me/password", json={})) == (403, "insufficient_scope")
        assert api.delete(f"/api/v1/me/tokens/{made['details']['id']}").status_code == 204
        assert code_of(script.request(*asked[scope][:2], **asked[scope][2])) == (401, "invalid_token")
        script.close()


def test_a_script_uploads_by_a_token(invite_site: RunningServer, tmp_path: Path) -> None:
    """`streamhost videos upload` takes an API token with the scopes `read` and `upload` as it takes any other."""
    api = invited(invite_site, "uli@example.org")
    body = {"name": "script", "scopes": ["upload", "read"], "password": PASSWORD}
    token = api.post("/api/v1/me/tokens", json=body).json()["token"]
    (tmp_path / "film.mp4").write_bytes(b"no film at all")
    command = ["videos", "upload", str(tmp_path / "film.mp4"), "--title", "By token", "--json"]
    done = run(*command, "--url", invite_site.url, "--token", token, env={"XDG_STATE_HOME": str(tmp_path)})
    assert done.exit_code == 0, done.stderr
    assert "By token" in done.stdout
    (listed,) = api.get("/api/v1/me/tokens").json()["items"]
    assert listed["last_used_at"] is not None


HARD: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    2**70,
    "",
    "x" * 5000,
    "a\x00b",
    "\ud800",
    "\u202e",
    [],
    ["\ud800"],
    {},
    "'; DROP",
]
"""What a fuzzer thinks of first."""
PLACES = ("", "%00", "%ed%a0%80", "%ff", "x" * 3000, "WyJ4IiwgMV0", "W05hTiwgIngiXQ", "WzEuMCwgIlx1ZDgwMCJd")
"""The last ones are cursors that decode to JSON: of wrong types, with NaN, with half a character."""


def test_nothing_that_is_sent_makes_the_server_stumble(invite_site: RunningServer) -> None:
    """Odd values in every field of every route: refused as the API's description says, or taken; never 5xx."""
    api = invite_site.client("root@example.org")
    fields: dict[str, tuple[str, ...]] = {
        "POST /api/v1/auth/register": ("email", "password", "name", "invitation"),
        "POST /api/v1/auth/login": ("email", "password", "otp"),
        "POST /api/v1/auth/verify": ("token",),
        "POST /api/v1/auth/verify/resend": ("email",),
        "POST /api/v1/auth/password/forgot": ("email",),
        "POST /api/v1/auth/password/reset": ("token", "password"),
        "POST /api/v1/auth/email/confirm": ("token",),
        "PATCH /api/v1/me": ("name",),
        "POST /api/v1/me/email": ("email",),
        "POST /api/v1/me/second-factor/confirm": ("otp",),
        "POST /api/v1/me/tokens": ("name", "scopes", "days"),
        "POST /api/v1/admin/users": ("email", "password", "name", "role", "verified"),
        "PATCH /api/v1/admin/users/nobody": ("role", "disabled", "email_verified"),
        "POST /api/v1/admin/invitations": ("role", "email", "note", "uses", "days"),
    }
    good: dict[str, Any] = {"email": "odd@example.org", "password": PASSWORD, "name": "Odd", "scopes": ["read"]}
    described = api.get("/api/openapi.json").json()["paths"]
    statuses: set[int] = set()
    for route, names in fields.items():
        method, _, path = route.partition(" ")
        for name, value in itertools.product(names, HARD):
            content = json.dumps({key: good[key] for key in (*names, "password") if key in good} | {name: value})
            answer = api.request(method, path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, (route, name, value, answer.text)
            expected = described[path.replace("/nobody", "/{user_id}")][method.lower()]["responses"]
            assert str(answer.status_code) in expected, (route, name, value, answer.text)
            statuses.add(answer.status_code)
    for path in ("/api/v1/admin/users", "/api/v1/admin/audit"):
        for name, text in itertools.product(("q", "cursor", "limit", "act", "user"), PLACES):
            answer = api.get(f"{path}?{name}={text}")
            assert str(answer.status_code) in described[path]["get"]["responses"], (path, name, text, answer.text)
    assert statuses >= {201, 202, 400, 422}


def test_signing_out_everywhere(invite_site: RunningServer) -> None:
    """Every session of the user ends, the one that asks too; others' do not."""
    api, other = invited(invite_site, "eli@example.org"), invite_site.client("eli@example.org")
    root = invite_site.client("root@example.org")
    assert api.delete("/api/v1/auth/sessions").status_code == 204
    assert [client.get("/api/v1/me").status_code for client in (api, other, root)] == [401, 401, 200]


def test_administration(invite_site: RunningServer) -> None:
    """Finding, promoting, shutting, opening and deleting people; the last admin stays; all of it is in the log."""
    root, api = invite_site.client("root@example.org"), invited(invite_site, "pia@example.org", "viewer")
    (pia,) = root.get("/api/v1/admin/users", params={"q": "PIA@"}).json()["items"]
    path = f"/api/v1/admin/users/{pia['id']}"
    assert root.patch(path, json={"role": "moderator"}).json()["role"] == "moderator"
    assert api.get("/api/v1/me").json()["role"] == "moderator"
    assert code_of(api.get("/api/v1/admin/audit")) == (403, "forbidden")
    (session,) = root.get(f"{path}/sessions").json()["items"]
    assert root.delete(f"{path}/sessions/{session['id']}").status_code == 204
    assert api.get("/api/v1/me").status_code == 401
    assert root.patch(path, json={"disabled": True}).json()["disabled"] is True
    refused = api.post("/api/v1/auth/login", json={"email": "pia@example.org", "password": PASSWORD})
    assert code_of(refused) == (401, "bad_credentials")

    def acts() -> list[dict[str, Any]]:
        found = root.get("/api/v1/admin/audit", params={"user": pia["id"], "limit": 100}).json()
        return list(found["items"])

    until(lambda: acts()[0]["act"] == "sign_in_refused")  # that is written down after the answer
    assert root.patch(path, json={"disabled": False}).json()["disabled"] is False
    assert root.patch(path, json={"role": "king"}).status_code == 422
    assert root.delete(path).status_code == 204
    assert code_of(root.get(path)) == (404, "not_found")
    own = root.get("/api/v1/me").json()["id"]
    admins = [u for u in root.get("/api/v1/admin/users", params={"limit": 200}).json()["items"] if u["role"] == "admin"]
    for admin in admins:
        if admin["id"] != own:
            assert root.delete(f"/api/v1/admin/users/{admin['id']}").status_code == 204
    assert code_of(root.patch(f"/api/v1/admin/users/{own}", json={"role": "viewer"})) == (409, "last_admin")
    assert code_of(root.post("/api/v1/me/delete", json={"password": PASSWORD})) == (409, "last_admin")
    log = acts()
    assert [entry["act"] for entry in log] == [
        "user_deleted",
        "user_enabled",
        "sign_in_refused",
        "user_disabled",
        "session_ended",
        "role_changed",
        "signed_in",
        "registered",
    ]
    assert (log[0]["actor"]["words"], log[0]["subject"]["words"]) == ("root@example.org", "pia@example.org")
    assert log[0]["address"] == "127.0.0.1"


def test_the_log_cannot_be_edited_by_hand(invite_site: RunningServer) -> None:
    """Not even with a database tool."""
    with closing(sqlite3.connect(invite_site.data / "catalog.sqlite3", timeout=150)) as conn:
        for sql in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="audit log"):
                conn.execute(sql)


def test_the_command_line_manages_people(invite_site: RunningServer) -> None:
    """Invite, promote, shut, open, sign out, reset, delete: beside the server, which follows within seconds."""
    link = json.loads(users(invite_site, "invite", "--role", "creator", "--json").stdout)["link"]
    assert link.startswith(f"{invite_site.url}/register?invitation=")
    api = invited(invite_site, "max@example.org", "viewer")
    assert "creator" in users(invite_site, "role", "MAX@example.org", "creator").stdout
    listed = json.loads(users(invite_site, "sessions", "max@example.org", "--json").stdout)["items"]
    assert [item["address"] for item in listed] == ["127.0.0.1"]
    assert users(invite_site, "sessions", "max@example.org", "--end").stdout == "Sessions ended: 1.\n"
    deadline = time.monotonic() + 150
    while api.get("/api/v1/me").status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    reset = users(invite_site, "reset-password", "max@example.org").stdout.strip()
    token = unquote(reset.partition("?token=")[2])
    assert api.post("/api/v1/auth/password/reset", json={"token": token, "password": NEW}).status_code == 204
    assert json.loads(users(invite_site, "disable", "max@example.org", "--json").stdout)["disabled"] is True
    assert users(invite_site, "enable", "max@example.org").exit_code == 0
    api.sign_in("max@example.org", NEW)
    unsure = users(invite_site, "delete", "max@example.org")
    assert unsure.exit_code == 1
    assert users(invite_site, "delete", "max@example.org", "--yes").exit_code == 0
    gone = users(invite_site, "role", "max@example.org", "viewer")
    assert (gone.exit_code, "max@example.org" in gone.stderr) == (1, True)
