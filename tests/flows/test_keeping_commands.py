"""What keeps a site going, by commands at a running server: accounts, keys, models, plugins, storage, recommendations.
The same commands on a data directory have tests of their own; here both must say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.clips import small_clip
from tests.support.command import document, run
from tests.support.server import RunningServer

ADMIN = ("users list", "keys list", "models list", "plugins list", "storage usage", "recommend status")


@pytest.fixture(scope="module")
def remote(site: RunningServer) -> dict[str, str]:
    """The environment of an administrator far away."""
    token = site.client("root@example.org").headers["Authorization"].removeprefix("Bearer ")
    return {"STREAMHOST_URL": site.url, "STREAMHOST_TOKEN": token}


@pytest.fixture(scope="module")
def video(site: RunningServer) -> Iterator[str]:
    """One public video."""
    alice = site.client("alice@example.org")
    made = alice.upload(small_clip(), title="A walk", visibility="public")
    alice.wait_until(made, "ready")
    yield made


def far(remote: dict[str, str], words: str, stdin: str = "") -> Result:
    """Run a command at the server."""
    return run(*words.split(), env=remote, text=stdin or None)


@pytest.mark.parametrize("words", ADMIN)
def test_both_places_say_the_same(site: RunningServer, remote: dict[str, str], video: str, words: str) -> None:
    """The JSON at the server is that of the data directory; whoever may not, and whoever has no token, is refused."""
    there = document(far(remote, f"{words} --json"))
    here = document(run(*words.split(), "--json", "--data", str(site.data)))
    assert there == here
    token = site.client("bob@example.org").headers["Authorization"].removeprefix("Bearer ")
    refused = far({**remote, "STREAMHOST_TOKEN": token}, words)
    assert refused.exit_code == 1 and "403" in refused.output
    assert run(*words.split(), "--url", site.url).exit_code == 2


def test_accounts(site: RunningServer, remote: dict[str, str]) -> None:
    """From adding somebody to deleting them, with everything between; unknown addresses are told in words."""
    added = far(remote, "users add Zoe@Example.org --role viewer --verified --password-stdin --json", "a long password")
    assert document(added)["email"] == "Zoe@example.org"
    zoe = site.client("zoe@example.org", "a long password")
    assert document(far(remote, "users role zoe@example.org creator --json"))["role"] == "creator"
    assert len(document(far(remote, "users sessions zoe@example.org --json"))["items"]) == 1
    assert document(far(remote, "users sessions zoe@example.org --end --json")) == {"ended": 1}
    assert zoe.get("/api/v1/me").status_code == 401
    quota = document(far(remote, "users quota zoe@example.org --bytes 5000 --videos none --json"))
    assert quota == {"bytes": {"used": 0, "limit": 5000}, "videos": {"used": 0, "limit": None}}
    assert document(far(remote, "users quota zoe@example.org --json")) == quota
    assert document(far(remote, "users disable zoe@example.org --json"))["disabled"] is True
    assert document(far(remote, "users enable zoe@example.org --json"))["disabled"] is False
    assert document(far(remote, "users verify zoe@example.org --json"))["email_verified"] is True
    assert "on its way" in far(remote, "users reset-password zoe@example.org").output
    no_factor = far(remote, "users remove-second-factor zoe@example.org")
    assert no_factor.exit_code == 1 and "409" in no_factor.output
    assert document(far(remote, "users delete zoe@example.org --yes --json"))["deleted"] is True
    gone = far(remote, "users role zoe@example.org viewer")
    assert gone.exit_code == 1 and "Nobody has the address" in gone.output
    closed = far(remote, "users invite")
    assert closed.exit_code == 1 and "403" in closed.output, "nobody can register here"


def test_keys_are_replaced(remote: dict[str, str]) -> None:
    """The server signs with new keys from then on."""
    before = document(far(remote, "keys list --json"))["grants"][-1]["id"]
    done = document(far(remote, "keys rotate --at-once --json"))
    after = document(far(remote, "keys list --json"))["grants"]
    assert (after[-1]["id"], after[-1]["signs"]) == (done["grants"], True) and done["grants"] != before
    assert not any(key["counts"] for key in after[:-1])


def test_models_plugins_and_storage(remote: dict[str, str], video: str) -> None:
    """A model that ships is tried, one that nobody knows is not found; storage does what it must; usage adds up."""
    [tried] = document(far(remote, "models verify toxicity-en --json"))["models"]
    assert tried["works"] and tried["milliseconds"] > 0
    assert far(remote, "models verify no-such-model").exit_code == 1
    assert "licence" in far(remote, "models list").output
    assert far(remote, "plugins info no-such-plugin").exit_code == 1
    steps = document(far(remote, "storage check --json"))["steps"]
    assert {one["name"] for one in steps} >= {"write", "read", "delete"} and all(one["ok"] for one in steps)
    assert "works" in far(remote, "storage check").output
    owners: list[dict[str, Any]] = json.loads(far(remote, "storage usage --by owner --json").output)
    assert owners[0]["owner"] == "alice@example.org" and owners[0]["bytes"] > 0
    assert video in far(remote, "storage usage").output


def test_settings(remote: dict[str, str], tmp_path: Path) -> None:
    """One is set and taken out again, at the server and in a folder; what is the machine's is changed there alone, a
    secret is not shown, and the folder goes before an address from the environment."""
    there = document(far(remote, "config set uploads.quota_videos 9 --json"))["uploads.quota_videos"]
    assert (there["value"], there["locked"]) == (9, False)
    back = document(far(remote, "config unset uploads.quota_videos --json"))["uploads.quota_videos"]
    assert (back["value"], back["origin"]) == (0, "default")
    assert "decides about the machine itself" in far(remote, "config set server.port 1").output
    folder = ("--data", str(tmp_path))
    assert run("config", "set", "server.port", "9000", *folder, env=remote).exit_code == 0
    secret = run("config", "set", "mail.password", "--stdin", "--json", *folder, text="hunter2\n")
    assert document(secret)["mail.password"]["value"] == "[redacted]"
    assert (tmp_path / "streamhost.toml").read_text().count("9000") == 1
    assert run("config", "unset", "server.port", *folder).exit_code == 0
    assert "9000" not in (tmp_path / "streamhost.toml").read_text()
    for wrong in (("config", "set", "server.port"), ("config", "unset", "server.port", "--url", "http://x", *folder)):
        assert run(*wrong).exit_code == 2


def test_recommendations(site: RunningServer, remote: dict[str, str], video: str) -> None:
    """Too little to learn from is said; one's own proposals are shown, nobody else's; resetting works."""
    little = far(remote, "recommend train")
    assert little.exit_code == 1 and "too little" in little.output.lower()
    assert document(far(remote, "recommend show --json"))["items"][0]["id"] == video
    assert far(remote, "recommend show bob@example.org").exit_code == 2
    assert run("recommend", "show", "--data", str(site.data)).exit_code == 2
    assert document(far(remote, "recommend reset --json")) == {"reset": False}
    assert document(far(remote, "recommend reset --user bob@example.org --json")) == {"reset": True}
