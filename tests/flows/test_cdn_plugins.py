"""The plugins that bring a CDN, as they are installed: their settings, what they bring, and half of a set-up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cloudfront_rig import PAIR, make_pair
from tests.support.installed import plugin_path
from tests.support.server import clean_environment

EDGE = {
    "STREAMHOST_PLUGINS_NGINX_EDGE_BASE_URL": "https://cdn.example.org",
    "STREAMHOST_PLUGINS_NGINX_EDGE_SECRET": "s" * 32,
}
PULL = {"STREAMHOST_CDN_PULL_SECRET": "p" * 32}


def cloudfront(key: str) -> dict[str, str]:
    """CloudFront's settings with a key in a file."""
    return {
        "STREAMHOST_PLUGINS_CLOUDFRONT_BASE_URL": "https://d111111abcdef8.cloudfront.net",
        "STREAMHOST_PLUGINS_CLOUDFRONT_KEY_PAIR_ID": PAIR,
        "STREAMHOST_PLUGINS_CLOUDFRONT_PRIVATE_KEY_FILE": key,
    }


def run(tmp: Path, settings: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command of streamhost with both plugins there."""
    path = plugin_path(tmp / "plugins", "streamhost-nginx-edge", "streamhost-cloudfront")
    command = [sys.executable, "-m", "streamhost", *words, "--data", str(tmp / "data")]
    environment = clean_environment(PYTHONPATH=path, **settings)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)


def test_both_at_once_are_fine_and_show_no_secret(tmp_path: Path) -> None:
    """`config check` takes them, `config show` names their settings, and secrets stand nowhere."""
    pair = make_pair(tmp_path)
    settings = EDGE | PULL | cloudfront(str(pair.private)) | {"STREAMHOST_CDN_KIND": "nginx-edge"}
    assert run(tmp_path, settings, "config", "check").returncode == 0
    shown = run(tmp_path, settings, "config", "show", "--json")
    values = json.loads(shown.stdout)
    assert values["plugins.nginx-edge.base_url"]["value"] == "https://cdn.example.org"
    assert values["plugins.nginx-edge.secret"]["value"] == "[redacted]"
    assert values["plugins.cloudfront.private_key"]["value"] == "[redacted]"
    assert not any(secret in shown.stdout for secret in ("s" * 32, "p" * 32, "BEGIN"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STREAMHOST_PLUGINS_NGINX_EDGE_BASE_URL": "https://cdn.example.org"}, "plugins.nginx-edge"),
        (EDGE | {"STREAMHOST_PLUGINS_NGINX_EDGE_SECRET": "short"}, "plugins.nginx-edge.secret"),
        ({"STREAMHOST_PLUGINS_CLOUDFRONT_KEY_PAIR_ID": PAIR}, "plugins.cloudfront"),
        (cloudfront(__file__), "plugins.cloudfront"),
    ],
    ids=["half an edge", "a short secret", "half a distribution", "no key"],
)
def test_half_a_set_up_is_refused(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    """Before anything starts, with the plugin's name."""
    told = run(tmp_path, settings, "config", "check")
    assert told.returncode == 3
    assert named in told.stderr


def test_an_edge_needs_the_pull_secret(tmp_path: Path) -> None:
    """Without it the edge could ask nothing: the start says so. A kind whose plugin is not set up is not there."""
    told = run(tmp_path, EDGE | {"STREAMHOST_CDN_KIND": "nginx-edge"}, "serve", "--port", "0")
    assert told.returncode == 3
    assert "cdn.pull_secret" in told.stderr
    told = run(tmp_path, PULL | {"STREAMHOST_CDN_KIND": "cloudfront"}, "serve", "--port", "0")
    assert told.returncode == 3
    assert "cloudfront" in told.stderr
