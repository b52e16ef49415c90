"""`streamhost webhooks` on a data directory: what it prints, what it refuses, and that secrets are shown once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.catalogs import blank
from tests.support.server import clean_environment


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command; this machine is allowed as a target."""
    return subprocess.run(
        [sys.executable, "-m", "streamhost", "webhooks", *arguments, "--data", str(data)],
        env=clean_environment(STREAMHOST_WEBHOOKS_ALLOW='["127.0.0.0/8"]'),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a catalog."""
    return blank(tmp_path).parent


def test_a_life_of_a_webhook(data: Path) -> None:
    """Added with its secret shown once, tried in vain with an exit code that says so, rotated, removed."""
    added = run(data, "add", "http://127.0.0.1:9/hook", "--kind", "disk_low", "--json")
    made = json.loads(added.stdout)
    assert made["secret"].startswith("whsec_")
    listed = run(data, "list", "--json").stdout
    assert json.loads(listed)["items"][0]["kinds"] == ["disk_low"]
    assert "whsec_" not in listed
    tried = run(data, "test", made["id"])
    assert (tried.returncode, "The connection was refused." in tried.stderr) == (1, True)
    fresh = run(data, "rotate", made["id"], "--hours", "1").stdout.split()[-1]
    assert fresh.startswith("whsec_") and fresh != made["secret"]
    assert run(data, "replay", made["id"], "--since", "2d").stdout == "Deliveries on their way again: 0.\n"
    assert run(data, "remove", made["id"]).returncode == 0
    assert run(data, "list").stdout == "There are none.\n"


def test_wrong_calls(data: Path, tmp_path: Path) -> None:
    """2 for a wrong combination or moment, 1 for what is not there or not allowed, in words."""
    inside = run(data, "add", "https://10.0.0.1/hook")
    assert (inside.returncode, "private network" in inside.stderr) == (1, True)
    assert run(data, "replay", "nothing").returncode == 2
    assert run(data, "replay", "nothing", "--since", "yesterday").returncode == 2
    assert run(data, "test", "nothing").returncode == 1
    assert run(tmp_path / "nowhere", "list").returncode == 1
