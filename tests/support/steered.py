"""A server for several tests that steer or replace what is being made, one video at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.server import ROOT, Api, RunningServer
from tests.support.tree import rows, stored

PATIENCE = 540.0
"""Whoever makes media steps back behind all others, and may have little of a busy machine. Less than what pytest grants
a test: otherwise nobody would hear what was waited for."""
AT_WORK = 0.3
"""Seconds of the processor after which a process has begun to write: 0.2 at most; all of `long_clip(8.0)` takes 2.8."""


def long_clip(seconds: float = 20.0) -> Path:
    """MPEG-4 part 2 in 1280x720 at 50 pictures a second: encoding it takes a while on any machine."""
    return cached(Clip(seconds=seconds, width=1280, height=720, fps=Fraction(50), codec="mpeg4", gop=50), ".mp4")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Root administers it, alice and bob upload."""
    # More patience at its end than by default: a disk may stall, and what never ends is told all the same.
    data = tmp_path_factory.mktemp("steered") / "data"
    running = RunningServer(data, STREAMHOST_SERVER_SHUTDOWN_SECONDS="40").start()
    running.add_user(ROOT["email"], "admin")
    running.add_user("alice@example.org")
    running.add_user("bob@example.org")
    yield running
    running.stop()


@pytest.fixture
def alice(server: RunningServer) -> Iterator[Api]:
    """Somebody who uploads; afterwards nothing of it is left."""
    if server.process.poll() is not None:
        server.restart()  # a test that failed has left it killed
    api = server.client("alice@example.org")
    yield api
    for video in api.get("/api/v1/videos", params={"owner": "me"}).raise_for_status().json()["items"]:
        api.delete(f"/api/v1/videos/{video['id']}").raise_for_status()
    until(lambda: nothing_runs(server) and not stored(server.data), server)
    assert rows(server.data, "SELECT id FROM packages") == []


def until(condition: Callable[[], Any], server: RunningServer) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{unfinished(server)}\n{server.output[-3000:]}"
        time.sleep(0.05)


def unfinished(server: RunningServer) -> str:
    """The jobs that wait or run, for whoever wonders why nothing moves."""
    sql = (
        "SELECT kind, payload, state, attempts, run_at, lock, error_code FROM jobs WHERE state IN ('queued', 'running')"
    )
    return "\n".join(str(dict(row)) for row in rows(server.data, sql))


def nothing_runs(server: RunningServer) -> bool:
    """Whether no job about a video is left, but for the end of old packages."""
    sql = "SELECT id FROM jobs WHERE state IN ('queued', 'running') AND subject LIKE 'video:%'"
    return not rows(server.data, sql + " AND kind != 'retire_package'")


def encoding(server: RunningServer, video_id: str) -> bool:
    """Whether a chunk of a video is being encoded, by the catalog: how far it is the video tells only now and then."""
    return any(part.startswith("chunk-") for part in _made_now(server, video_id))


def hold(server: RunningServer, video_id: str) -> None:
    """Wait until pictures of a video are being encoded, and have the processes that make it stand still: it is not
    done before somebody ends it, however late that is on a busy machine."""

    def stands() -> bool:
        if not encoding(server, video_id) or not any(map(_works, server.media_children("chunk-"))):
            return False
        children = server.media_children()
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.suspend()
        # Every part has its process, and none that had come to its end meanwhile was counted.
        return len(_made_now(server, video_id)) == len(children) == len(server.media_children())

    until(stands, server)


def _works(child: psutil.Process) -> bool:
    """Whether a process is in the middle of what it does; it may end at any moment."""
    with contextlib.suppress(psutil.Error):
        return sum(child.cpu_times()[:2]) > AT_WORK
    return False


def _made_now(server: RunningServer, video_id: str) -> list[str]:
    """The parts of a video that are being made."""
    sql = "SELECT json_extract(payload, '$.part') AS part FROM jobs WHERE kind = 'make_part' AND state = 'running'"
    return [row["part"] for row in rows(server.data, f"{sql} AND subject = ?", f"video:{video_id}")]


def steer(api: Api, video_id: str, action: str, status: int = 200, **more: Any) -> dict[str, Any]:
    """Pull a lever; the answer's document."""
    answer = api.post(f"/api/v1/videos/{video_id}/processing", json={"action": action, **more})
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until_encoding(server: RunningServer, api: Api, video_id: str) -> dict[str, Any]:
    """The video once a chunk of it is being encoded."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        document = api.video(video_id)
        if document["step"] == "encode" and document["progress"] > 0:
            return document
        assert document["state"] in ("received", "processing"), document
        time.sleep(0.05)
    raise AssertionError(server.output)


def until_quiet(server: RunningServer) -> None:
    """Wait until no media is being worked on."""
    until(lambda: not server.media_children(), server)
