"""Mail on the real server: from a registration to the mailbox, through outages, refusals and a kill -9."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.command import afar, run
from tests.support.server import Api, RunningServer, clean_environment
from tests.support.smtp import HOST, Authority, MailServer, text_of

PASSWORD = "correct horse battery"
ROOT = "root@example.org"
USER = ("video", "a word for mail")


def settings(port: int, **more: str) -> dict[str, str]:
    """A site that lets strangers register, and sends its mail to that port."""
    plain = {"HOST": HOST, "PORT": str(port), "SECURITY": "none", "SENDER": "video@example.org"}
    mail = {f"STREAMHOST_MAIL_{name}": value for name, value in {**plain, **more}.items()}
    return {"STREAMHOST_ACCOUNTS_REGISTRATION": "open", "STREAMHOST_SERVER_SITE_NAME": "Film club", **mail}


@pytest.fixture
def post() -> Iterator[MailServer]:
    """A mail server."""
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture
def site(post: MailServer, tmp_path: Path) -> Iterator[RunningServer]:
    """A site that sends its mail there."""
    running = RunningServer(tmp_path / "data", **settings(post.port)).start()
    running.add_user(ROOT, "admin")
    yield running
    running.stop()


def register(site: RunningServer, email: str) -> None:
    """Somebody makes an account."""
    answer = site.client().post("/api/v1/auth/register", json={"email": email, "password": PASSWORD, "name": "Alice"})
    assert answer.status_code == 202, answer.text


def link_in(mail: EmailMessage, site: RunningServer) -> str:
    """The token in the one link that a mail is about."""
    found = re.search(rf"^{re.escape(site.url)}/\S+\?token=(\S+)$", text_of(mail), re.MULTILINE)
    assert found, text_of(mail)
    return found[1]


def outbox(admin: Api, state: str = "dead") -> dict[str, Any]:
    """How the outbox stands, as an admin sees it."""
    answer = admin.get("/api/v1/admin/mail", params={"state": state})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until(true: Callable[[], Any], seconds: float = 150) -> Any:
    """What `true` returns, once it is something."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


def command(site: RunningServer, *arguments: str, **more: str) -> Result:
    """`streamhost mail …` beside the running server."""
    return run("mail", *arguments, "--data", str(site.data), env=more)


def test_from_registration_to_the_first_sign_in(site: RunningServer, post: MailServer) -> None:
    """A stranger registers, gets one mail, follows its link, and may sign in; a taken address gets another mail."""
    register(site, "alice@example.org")
    [mail] = post.wait(1)
    assert (mail["From"], mail["Subject"]) == ("Film club <video@example.org>", "Confirm your address for Film club")
    verified = site.client().post("/api/v1/auth/verify", json={"token": link_in(mail, site)})
    assert verified.status_code == 204, verified.text
    site.client("alice@example.org", PASSWORD)
    register(site, "Alice@Example.org")
    assert post.wait(2)[1]["Subject"] == "You have an account at Film club already"
    admin = site.client(ROOT)
    until(lambda: len(outbox(admin, "sent")["items"]) == 2)  # it is there before the site hears that it was taken
    status = outbox(admin, "sent")
    assert (status["configured"], status["waiting"], status["dead"], len(status["items"])) == (True, 0, 0, 2)
    assert "token" not in json.dumps(status)


def test_a_mail_server_that_is_away(site: RunningServer, post: MailServer) -> None:
    """While the mail server is away registrations go on, an admin sees why mail waits, and it arrives afterwards."""
    post.stop()
    register(site, "alice@example.org")
    admin = site.client(ROOT)
    failing = until(lambda: outbox(admin)["failing"])
    assert failing["to"] == "alice@example.org"
    assert failing["error"]["code"] == "mail_unavailable"
    assert f"port {post.port}" in failing["error"]["detail"]
    post.start()
    [mail] = post.wait(1)
    assert link_in(mail, site)
    until(lambda: not outbox(admin)["waiting"])


def test_a_kill_between_account_and_mail(site: RunningServer, post: MailServer) -> None:
    """An account whose mail was not sent when the server was killed gets it after the next start."""
    post.mailbox.delay = 30
    register(site, "alice@example.org")
    site.kill()
    post.mailbox.delay = 0
    site.restart()
    assert link_in(post.wait(1)[0], site)


def test_dead_letters(site: RunningServer, post: MailServer) -> None:
    """Refused mail lies with the dead letters, is listed with the reason, tried again, or thrown away."""
    people = [f"user{number}@example.org" for number in range(3)]
    post.mailbox.unknown = set(people)
    for email in people:
        register(site, email)
    admin = site.client(ROOT)
    until(lambda: outbox(admin)["dead"] == 3)
    items = outbox(admin)["items"]
    assert {item["error"]["detail"] for item in items} == {"The mail server said 550 No such user."}
    # The admin's own letter, which tells of the dead ones, is not waited for: it may still be on its way.
    post.mailbox.unknown = set()
    assert admin.post(f"/api/v1/admin/mail/{items[0]['id']}/retry").status_code == 204
    assert link_in(post.wait(1, to="user")[0], site)
    until(lambda: outbox(admin)["waiting"] == 0)
    assert admin.post(f"/api/v1/admin/mail/{items[0]['id']}/retry").status_code == 404
    listed = json.loads(command(site, "list", "--json").stdout)["items"]
    assert {item["id"] for item in listed if item["to"] != ROOT} == {items[1]["id"], items[2]["id"]}
    words = command(site, "list", "--state", "dead").stdout
    assert "tried once: The mail server said 550 No such user." in words
    far = afar(admin)
    assert run("mail", "list", "--state", "dead", env=far).output == words
    assert command(site, "discard", items[1]["id"]).exit_code == 0
    assert command(site, "retry", items[1]["id"]).exit_code == 1
    assert command(site, "retry").exit_code == 2
    assert "Letters to be tried again: 1." in command(site, "retry", "--all").stdout
    post.wait(2, to="user")
    until(lambda: outbox(admin)["waiting"] == 0)
    assert admin.delete(f"/api/v1/admin/mail/{items[2]['id']}").status_code == 404
    assert "There are none." in command(site, "list", "--state", "dead").stdout
    assert admin.post("/api/v1/admin/mail/retry").json() == {"retried": 0}


def test_a_test_mail_over_tls(tmp_path: Path) -> None:
    """The settings for a server with TLS and a password are proven by one command, and by one request."""
    authority = Authority(tmp_path)
    post = MailServer(starttls=authority.server(), user=USER).start()
    secret = tmp_path / "secret"
    secret.write_text(f"{USER[1]}\n")
    good = settings(post.port, SECURITY="starttls", USERNAME=USER[0], CA_FILE=str(authority.ca_file))
    good["STREAMHOST_MAIL_PASSWORD_FILE"] = str(secret)
    site = RunningServer(tmp_path / "data", **good).start()
    try:
        site.add_user(ROOT, "admin")
        # In a process of its own: the mail server in this one warns of what its library will do otherwise some day.
        words = [sys.executable, "-m", "streamhost", "mail", "test", "alice@example.org", "--data", str(site.data)]
        done = subprocess.run(words, env=clean_environment(**good), capture_output=True, text=True, timeout=150)
        assert (done.returncode, done.stderr) == (0, "")
        wrong = command(site, "test", "alice@example.org", **{**good, "STREAMHOST_MAIL_USERNAME": "other"})
        assert wrong.exit_code == 1
        assert "535" in wrong.stderr and "mail.password" in wrong.stderr
        assert USER[1] not in wrong.stderr + wrong.stdout
        admin = site.client(ROOT)
        assert run("mail", "test", "alice@example.org", env=afar(admin)).exit_code == 0
        refused = admin.post("/api/v1/admin/mail/test", json={"to": "not an address"}).json()
        assert (refused["sent"], refused["error"]["code"]) == (False, "mail_refused")
        told = run("mail", "test", "not an address", env=afar(admin))
        assert (told.exit_code, "mail_refused" in told.output) == (1, True)
        assert [mail["Subject"] for mail in post.wait(2)] == ["A test mail from Film club"] * 2
        assert post.mailbox.encrypted == post.mailbox.signed_in == [True, True]
        shown = run("config", "show", "--data", str(site.data), env=good)
        assert shown.exit_code == 0
        assert USER[1] not in shown.stdout + site.output
    finally:
        site.stop()
        post.stop()


def test_without_a_mail_server(tmp_path: Path) -> None:
    """Without settings mail is printed where the server runs, admins are told so, and a test says it is not sent."""
    site = RunningServer(tmp_path / "data", STREAMHOST_ACCOUNTS_REGISTRATION="open").start()
    try:
        site.add_user(ROOT, "admin")
        register(site, "alice@example.org")
        token = until(lambda: re.search(rf"{re.escape(site.url)}/verify\?token=(\S+)\s", site.output))[1]
        assert "To: alice@example.org" in site.output
        assert site.client().post("/api/v1/auth/verify", json={"token": token}).status_code == 204
        admin = site.client(ROOT)
        assert not outbox(admin)["configured"]
        answer = admin.post("/api/v1/admin/mail/test", json={"to": ROOT}).json()
        assert (answer["sent"], answer["error"]["hint"]) == (False, "Set mail.host.")
        done = command(site, "test", ROOT)
        assert done.exit_code == 1
        assert "only printed" in done.stderr
    finally:
        site.stop()


@pytest.mark.parametrize("wrong", ["ca_file", "sender"])
def test_wrong_settings_stop_the_start(tmp_path: Path, wrong: str) -> None:
    """An authority that cannot be read, and mail from nobody, are named at the start, with the exit code for that."""
    changed = {"ca_file": {"CA_FILE": str(tmp_path / "missing.pem")}, "sender": {"SENDER": ""}}[wrong]
    done = subprocess.run(
        [sys.executable, "-m", "streamhost", "serve", "--port", "0", "--data", str(tmp_path / "data")],
        env=clean_environment(**settings(25, **{"SECURITY": "tls", **changed})),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 3
    assert f"mail.{wrong}" in done.stderr
