"""`streamhost webhooks` on a data directory: what it prints, what it refuses, and that secrets are shown once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.catalogs import blank
from tests.support.command import run


def webhooks(data: Path, *arguments: str) -> Result:
    """The command; this machine is allowed as a target."""
    allowed = {"STREAMHOST_WEBHOOKS_ALLOW": '["127.0.0.0/8"]'}
    return run("webhooks", *arguments, "--data", str(data), env=allowed)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a catalog."""
    return blank(tmp_path).parent


def test_a_life_of_a_webhook(data: Path) -> None:
    """Added with its secret shown once, tried in vain with an exit code that says so, rotated, removed."""
    added = webhooks(data, "add", "http://127.0.0.1:9/hook", "--kind", "disk_low", "--json")
    made = json.loads(added.stdout)
    assert made["secret"].startswith("whsec_")
    listed = webhooks(data, "list", "--json").stdout
    assert json.loads(listed)["items"][0]["kinds"] == ["disk_low"]
    assert "whsec_" not in listed
    tried = webhooks(data, "test", made["id"])
    assert (tried.exit_code, "The connection was refused." in tried.stderr) == (1, True)
    fresh = webhooks(data, "rotate", made["id"], "--hours", "1").stdout.split()[-1]
    assert fresh.startswith("whsec_") and fresh != made["secret"]
    assert webhooks(data, "replay", made["id"], "--since", "2d").stdout == "Deliveries on their way again: 0.\n"
    assert webhooks(data, "remove", made["id"]).exit_code == 0
    assert webhooks(data, "list").stdout == "There are none.\n"


def test_wrong_calls(data: Path, tmp_path: Path) -> None:
    """2 for a wrong combination or moment, 1 for what is not there or not allowed, in words."""
    inside = webhooks(data, "add", "https://10.0.0.1/hook")
    assert (inside.exit_code, "private network" in inside.stderr) == (1, True)
    assert webhooks(data, "replay", "nothing").exit_code == 2
    assert webhooks(data, "replay", "nothing", "--since", "yesterday").exit_code == 2
    assert webhooks(data, "test", "nothing").exit_code == 1
    assert webhooks(tmp_path / "nowhere", "list").exit_code == 1
