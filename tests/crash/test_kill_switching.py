"""kill -9 of the whole tree while a video's protection is changed: it plays all the time, and is changed in the end."""

from __future__ import annotations

import time

import pytest

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.server import Api, RunningServer
from tests.support.tree import at_rest, rows

pytestmark = pytest.mark.slow
CLIP = Clip(seconds=12, width=320, height=180, gop=50)
PATIENCE = 240.0
WAITS = (0.0, 0.15, 0.4)
"""Seconds between the first sight of the running job and the kill."""


def wait_for_switch(server: RunningServer) -> bool:
    """Wait until the job runs; False if it was over before it could be seen."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        states = {row["state"] for row in rows(server.data, "SELECT state FROM jobs WHERE kind = 'repackage_video'")}
        if "running" in states:
            return True
        if states == {"done"}:
            return False
        time.sleep(0.002)
    raise AssertionError(f"it never ran:\n{server.output}")


def plays(api: Api, video: str) -> str:
    """The package that plays now; its manifest and its first segment are there."""
    stream = api.stream(video)
    master = api.get(stream["hls"])
    assert master.status_code == 200
    folder = next(line for line in master.text.splitlines() if line.endswith("/index.m3u8")).partition("/")[0]
    assert api.get(stream["hls"].replace("master.m3u8", f"{folder}/0.m4s")).status_code == 200
    return str(stream["package"])


def test_the_tree_is_killed_while_it_packages_anew(server: RunningServer) -> None:
    """Several times, at several moments: the old package plays after each, then the new one, and one of each is
    left."""
    server.add_user("alice@example.org")
    api = server.client("alice@example.org")
    video = api.upload(cached(CLIP, ".mp4"), visibility="private")
    api.wait_until(video, "ready")
    old = plays(api, video)
    assert api.patch(f"/api/v1/videos/{video}", json={"protection": "cenc"}).status_code == 200
    for wait in WAITS:
        if wait_for_switch(server):
            time.sleep(wait)
        server.kill()
        server.restart()
        plays(api, video)
    deadline = time.monotonic() + PATIENCE
    while api.video(video)["protection_in_use"] != "cenc":
        assert time.monotonic() < deadline, server.output
        time.sleep(0.1)
    at_rest(server.data)
    assert plays(api, video) != old
    assert api.stream(video)["license"] is not None
    found = rows(server.data, "SELECT protection, finished_at FROM packages ORDER BY created_at")
    assert [(row["protection"], row["finished_at"] is not None) for row in found] == [("none", True), ("cenc", True)]
    assert len(rows(server.data, "SELECT kid FROM content_keys")) == 2
    assert not list((server.data / "work").iterdir())
