"""`streamhost users`: the command, as scripts call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.command import document, run
from tests.support.server import RunningServer, clean_environment

PASSWORD = "correct horse battery"


def users(data: Path, *arguments: str, password: bytes = PASSWORD.encode()) -> Result:
    """Run `streamhost users …` on a data directory."""
    return run("users", *arguments, "--data", str(data), text=password)


def add(data: Path, email: str, *arguments: str, password: bytes = PASSWORD.encode()) -> Result:
    """Run `streamhost users add` with the password on standard input."""
    return users(data, "add", email, "--password-stdin", *arguments, password=password)


def listed(data: Path) -> list[dict[str, object]]:
    """Everybody, as a program reads it."""
    items: list[dict[str, object]] = document(users(data, "list", "--json"))["items"]
    return items


def test_users_can_be_added_before_the_first_start(tmp_path: Path) -> None:
    """The data directory is made if need be; the server starts with the user, and without a set-up link."""
    data = tmp_path / "new" / "data"
    command = [sys.executable, "-m", "streamhost", "users", "add", "root@example.org", "--name", "Root", "--json"]
    command += ["--role", "admin", "--verified", "--password-stdin", "--data", str(data)]
    done = subprocess.run(command, input=PASSWORD, capture_output=True, text=True, env=clean_environment(), check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert {key: made[key] for key in ("email", "name", "role", "email_verified", "disabled")} == {
        "email": "root@example.org",
        "name": "Root",
        "role": "admin",
        "email_verified": True,
        "disabled": False,
    }
    server = RunningServer(data).start()
    try:
        assert server.setup_url == ""
        assert server.client("root@example.org").get("/api/v1/me").json()["id"] == made["id"]
    finally:
        server.stop()


def test_a_quota_is_shown_and_set(tmp_path: Path) -> None:
    """Numbers, the site's default again, or none; one is left alone while the other is set."""
    add(tmp_path, "alice@example.org", "--verified")

    def quota(*arguments: str) -> object:
        return document(users(tmp_path, "quota", "ALICE@example.org", "--json", *arguments))

    assert quota() == {"bytes": {"used": 0, "limit": None}, "videos": {"used": 0, "limit": None}}
    quota("--bytes", "5000000")
    assert quota("--videos", "3") == {"bytes": {"used": 0, "limit": 5_000_000}, "videos": {"used": 0, "limit": 3}}
    shown = users(tmp_path, "quota", "alice@example.org", "--bytes", "none", "--videos", "default")
    assert shown.stdout == "0 of unlimited bytes, 0 of unlimited videos.\n"
    for wrong in ("-5", "lots", "9" * 30):
        assert users(tmp_path, "quota", "alice@example.org", "--bytes", wrong).exit_code == 2
    assert users(tmp_path, "quota", "nobody@example.org", "--videos", "1").exit_code == 1


def test_no_link_for_a_disabled_account(tmp_path: Path) -> None:
    """`reset-password` says why it prints none, and what to do; `remove-second-factor` where there is none too."""
    add(tmp_path, "alice@example.org", "--verified")
    users(tmp_path, "disable", "alice@example.org")
    done = users(tmp_path, "reset-password", "alice@example.org")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "This account is disabled." in done.stderr
    assert "Enable it first" in done.stderr
    none = users(tmp_path, "remove-second-factor", "alice@example.org")
    assert none.exit_code == 1
    assert "Nothing asks this account for codes" in none.stderr


def test_users_can_be_added_beside_a_running_server(site: RunningServer) -> None:
    """The new user signs in at once; an address that is taken, however it is spelt, is a clear error."""
    assert add(site.data, "zoe@example.org", "--name", "Zo\u00eb", password=b"long enough here\r\n").exit_code == 0
    assert add(site.data, "max@example.org", "--verified", password=b"long enough here\r\n").exit_code == 0
    site.client("max@example.org", "long enough here")
    again = add(site.data, "ZOE@example.org", "--role", "admin")
    assert again.exit_code == 1
    assert "already" in again.stderr
    assert again.stdout == ""
    (zoe,) = [user for user in listed(site.data) if user["email"] == "zoe@example.org"]
    assert (zoe["name"], zoe["role"], zoe["email_verified"]) == ("Zo\u00eb", "viewer", False)
    table = users(site.data, "list")
    assert table.exit_code == 0
    assert "Zo\u00eb" in table.stdout
    assert "not verified" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "password", "code", "words"),
    [
        (["nobody", "--name", "N"], PASSWORD.encode(), 1, "email"),
        (["a@example.org", "--name", " "], PASSWORD.encode(), 1, "name"),
        (["a@example.org"], b"short", 1, "password"),
        (["a@example.org"], b"", 1, "password"),
        (["a@example.org"], b"\xff" * 20, 2, "UTF-8"),
        (["a@example.org", "--role", "king"], PASSWORD.encode(), 2, "king"),
    ],
)
def test_what_cannot_be_added_is_named(
    tmp_path: Path, arguments: list[str], password: bytes, code: int, words: str
) -> None:
    """A wrong field ends with 1, a wrong call with 2; both say what is wrong, and nobody is added."""
    done = add(tmp_path, *arguments, password=password)
    assert done.exit_code == code
    assert words in done.stderr
    assert listed(tmp_path) == []
