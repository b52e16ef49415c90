"""What the guide and the example show, tried as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx

from edge_rig import PULL_SECRET, SECRET, Edge
from streamhost_nginx_edge.edge import configuration
from tests.support.nginx import nginx
from tests.support.ports import free_port
from tests.support.server import Api, clean_environment

ROOT = Path(__file__).parents[3]


def test_the_example_runs() -> None:
    """It tells how little is left for the site, and how soon a closed video is refused."""
    command = [sys.executable, str(ROOT / "examples" / "own-edge" / "try.py")]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    rate = re.search(r"asked the edge (\d+) times; ([\d.]+) % were served", done.stdout)
    work = re.search(r"The site sent (\d+) files and was asked (\d+) times", done.stdout)
    delay = re.search(r"refused within ([\d.]+) seconds", done.stdout)
    assert rate is not None and work is not None and delay is not None, done.stdout
    assert float(rate[2]) > 90
    assert int(work[1]) < int(rate[1]) / 10


def test_the_whole_site_by_the_edge(edge: Edge, tmp_path: Path) -> None:
    """With the block of the guide, visitors are told apart, uploads pass, and the permission still counts."""
    page = (ROOT / "docs" / "how-to" / "own-edge.md").read_text("utf-8")
    (block,) = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    port = free_port()
    config = configuration(
        edge.server.url,
        "127.0.0.1",
        SECRET,
        PULL_SECRET,
        listen=f"127.0.0.1:{port}",
        cache=str(tmp_path / "cache"),
        log=str(tmp_path / "edge.log"),
    )
    (tmp_path / "cache").mkdir()
    whole, found = re.subn(r"    location / \{\s+return 404;\s+\}\n", lambda _: block, config)
    assert found == 1
    with nginx(tmp_path, whole, port):
        alice = Api(f"http://127.0.0.1:{port}")
        alice.headers["X-Forwarded-For"] = "203.0.113.7"
        alice.sign_in("alice@example.org", "correct horse battery")
        addresses = {session["address"] for session in alice.get("/api/v1/auth/sessions").json()["items"]}
        assert "203.0.113.7" in addresses
        assert alice.post("/api/v1/upload", files={"file": ("a.mp4", b"x" * 3_000_000)}).status_code == 202
        assert httpx.get(f"http://127.0.0.1:{port}/s/x/y/z.m4s").status_code == 403
