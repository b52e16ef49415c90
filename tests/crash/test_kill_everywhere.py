"""kill -9 of the whole tree at every stage of the pipeline: the video becomes ready, once, and nothing is left over."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.support.clips import copied_clip, encoded_clip
from tests.support.server import Api, RunningServer
from tests.support.tree import named, rows, stored

pytestmark = pytest.mark.slow
PATIENCE = 240.0


def wait_for_running(server: RunningServer, kind: str, part: str) -> bool:
    """Wait until a job of this kind and part runs; False if it was over before it could be seen."""
    deadline = time.monotonic() + PATIENCE
    sql = "SELECT state FROM jobs WHERE kind = ? AND json_extract(payload, '$.part') IS ?"
    while time.monotonic() < deadline:
        states = {row["state"] for row in rows(server.data, sql, kind, part or None)}
        if "running" in states:
            return True
        if states == {"done"}:
            return False
        time.sleep(0.002)
    raise AssertionError(f"{kind} {part} never came:\n{server.output}")


def check_whole(server: RunningServer, api: Api, video_id: str, source: Path) -> None:
    """The video is ready, exists once, plays, and storage holds what it names and nothing else."""
    document = api.wait_until(video_id, "ready")
    assert document["error"] is None
    assert [row["id"] for row in rows(server.data, "SELECT id FROM videos")] == [video_id]
    assert len(rows(server.data, "SELECT id FROM packages")) == 1
    assert all(rendition["ready"] for rendition in document["renditions"])
    assert stored(server.data) == named(server.data, video_id)
    assert not list((server.data / "work").iterdir())
    [video] = rows(server.data, "SELECT source_key FROM videos")
    kept = (server.data / "media" / video["source_key"]).read_bytes()
    assert hashlib.sha256(kept).digest() == hashlib.sha256(source.read_bytes()).digest()
    stream = api.stream(video_id)
    assert api.get(stream["hls"]).status_code == 200
    assert api.get(stream["dash"]).status_code == 200
    parts = rows(server.data, "SELECT name, done_at FROM package_parts")
    assert all(part["done_at"] for part in parts)
    doubled = rows(
        server.data,
        "SELECT payload FROM jobs WHERE kind IN ('make_part', 'publish_package') AND state = 'done' "
        "GROUP BY payload HAVING COUNT(*) > 1",
    )
    assert doubled == []


COPIED = [
    ("probe_source", ""),
    ("make_part", "copy"),
    ("publish_package", "publish-playable"),
    ("make_part", "chunk-0"),
    ("make_part", "chunk-1"),
    ("publish_package", "publish-ready"),
]
ENCODED = [
    ("probe_source", ""),
    ("make_part", "plan"),
    ("make_part", "audio-0"),
    ("make_part", "chunk-0"),
    ("make_part", "chunk-1"),
    ("publish_package", "publish-playable"),
]


@pytest.mark.parametrize(
    ("clip", "points"), [(copied_clip, COPIED), (encoded_clip, ENCODED)], ids=["copied", "encoded"]
)
def test_the_tree_is_killed_at_every_stage(
    server: RunningServer, tmp_path: Path, clip: object, points: list[tuple[str, str]]
) -> None:
    """After a kill in each stage in turn, each followed by a restart, the result is as if nothing had happened."""
    assert callable(clip)
    source: Path = clip()
    server.add_user("alice@example.org")
    api = server.client("alice@example.org")
    video_id = api.upload(source, title="Survivor", visibility="public")
    seen = 0
    for kind, part in points:
        if wait_for_running(server, kind, part):
            seen += 1
            server.kill()
            server.restart()
    # The short stages may be over between two looks; the long ones are always caught.
    assert seen >= len(points) - 2
    check_whole(server, server.client("alice@example.org"), video_id, source)


def test_a_kill_right_after_the_last_byte_loses_nothing(server: RunningServer, tmp_path: Path) -> None:
    """Killed as soon as the upload was acknowledged, the video is there after the restart and becomes ready."""
    source = copied_clip()
    server.add_user("alice@example.org")
    video_id = server.client("alice@example.org").upload(source, title="Just in time")
    server.kill()
    server.restart()
    check_whole(server, server.client("alice@example.org"), video_id, source)


def test_killing_only_the_server_takes_its_media_processes_along(server: RunningServer) -> None:
    """A media process never outlives the server that started it."""
    server.add_user("alice@example.org")
    server.client("alice@example.org").upload(encoded_clip())
    assert wait_for_running(server, "make_part", "chunk-0")
    children = server.children()  # the media process, and the one that hashed a password
    server.process.kill()
    server.process.wait(timeout=150)
    deadline = time.monotonic() + 150
    while any(child.is_running() and child.status() != "zombie" for child in children):
        assert time.monotonic() < deadline, f"still running: {children}"
        time.sleep(0.05)
    server.restart()
