"""kill -9 of the whole tree at every stage of the pipeline: the video becomes ready, once, and nothing is left over."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from streamhost.host_basis import CATALOG_FILE
from tests.support.clips import copied_clip, encoded_clip
from tests.support.processes import alive
from tests.support.server import Api, RunningServer, until
from tests.support.tree import at_rest, named, reading, rows, stored

pytestmark = pytest.mark.slow
PATIENCE = 240.0
Stage = tuple[str, str]
"""A kind of job, and the part that it makes; empty for a job that makes none."""
AT_ONCE = ""
IN_WORK = "work/*-{part}/out/*/*.m4s"
STORED = "media/videos/*/*/*/*.m4s"
STILLS_STORED = "media/stills/*/*/posters-0.mjpeg"
LISTS_STORED = "media/videos/*/*/*/index.m3u8"
"""Moments of a stage, by what this run of the server has written: nothing need be there, segments lie in the part's own
folder, or something of it is stored. A chunk's stills are stored before its segments, renditions' lists before the list
of these."""
HOLD = """
CREATE TABLE held (kind TEXT, part TEXT);
CREATE VIEW numbers AS
    WITH RECURSIVE counted(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counted) SELECT n FROM counted;
CREATE TRIGGER hold BEFORE UPDATE OF state ON jobs WHEN NEW.state = 'done' AND EXISTS (
    SELECT 1 FROM held WHERE kind = NEW.kind AND part = coalesce(json_extract(NEW.payload, '$.part'), ''))
BEGIN SELECT count(*) FROM numbers; END;
"""
"""In the catalog: a job whose stage is held never comes to the end of the transaction that makes it done, for SQLite
counts all numbers first. Others see it running until its process is killed, however short the stage."""
STAGES = "SELECT kind, coalesce(json_extract(payload, '$.part'), '') AS part FROM jobs WHERE "
RUNNING = STAGES + "state = 'running' AND worker LIKE ?"


def change(server: RunningServer, sql: str, *values: Sequence[str]) -> None:
    """Change the catalog, beside the server or while there is none: a script, or a statement for each of `values`."""
    with contextlib.closing(sqlite3.connect(server.data / CATALOG_FILE, timeout=150)) as conn, conn:
        if values:
            conn.executemany(sql, values)
        else:
            conn.executescript(sql)


def has_come(server: RunningServer, moment: str, part: str, since: float) -> bool:
    """Whether a part has come to that moment, by what was written since then."""
    for name in glob.iglob(moment.format(part=part), root_dir=server.data):
        with contextlib.suppress(FileNotFoundError):  # it is being stored
            if (server.data / name).stat().st_mtime > since:
                return True
    return moment == AT_ONCE


def wait_for_stage(server: RunningServer, stages: Mapping[Stage, Sequence[str]], since: float = 0) -> Stage:
    """Wait until this run of the server, begun after `since`, is in one of these stages at one of its moments."""
    deadline = time.monotonic() + PATIENCE
    with reading(server.data) as catalog:
        while time.monotonic() < deadline:
            for row in catalog.execute(RUNNING, (f"{server.process.pid}-%",)).fetchall():
                stage = row["kind"], row["part"]
                if any(has_come(server, moment, row["part"], since) for moment in stages.get(stage, ())):
                    return stage
            assert server.process.poll() is None, server.output
            time.sleep(0.002)
    raise AssertionError(f"none of {stages} ever came:\n{server.output}")


def check_whole(server: RunningServer, api: Api, video_id: str, source: Path) -> None:
    """The video is ready, exists once, plays, and storage holds what it names and nothing else."""
    document = api.wait_until(video_id, "ready")
    at_rest(server.data)
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


COPIED = {
    ("probe_source", ""): [AT_ONCE],
    ("make_part", "copy"): [AT_ONCE, IN_WORK, STORED],
    ("publish_package", "publish-playable"): [AT_ONCE, LISTS_STORED],
    ("make_part", "chunk-0"): [AT_ONCE, IN_WORK, STILLS_STORED],
    ("make_part", "chunk-1"): [AT_ONCE],
    ("make_part", "storyboard"): [AT_ONCE],
    ("publish_package", "publish-ready"): [AT_ONCE, LISTS_STORED],
}
ENCODED = {
    ("probe_source", ""): [AT_ONCE],
    ("make_part", "plan"): [AT_ONCE],
    ("make_part", "audio-0"): [AT_ONCE],
    ("make_part", "chunk-0"): [AT_ONCE, IN_WORK, STILLS_STORED],
    ("make_part", "chunk-1"): [AT_ONCE],
    ("publish_package", "publish-playable"): [AT_ONCE, LISTS_STORED],
    ("make_part", "storyboard"): [AT_ONCE],
    ("publish_package", "publish-ready"): [AT_ONCE, LISTS_STORED],
}
"""Every stage of such a video, and the moments in which it is killed, in their order. What is held comes to the last of
these for certain; a kill that came too late for an earlier one is followed by another."""


@pytest.mark.parametrize(
    ("clip", "stages"), [(copied_clip, COPIED), (encoded_clip, ENCODED)], ids=["copied", "encoded"]
)
def test_the_tree_is_killed_at_every_stage(
    server: RunningServer, clip: Callable[[], Path], stages: dict[Stage, list[str]]
) -> None:
    """After kills in each of the stages, in those that write much also in the middle, each followed by a restart, the
    result is as if nothing had happened; and there was no other stage."""
    source = clip()
    server.add_user("alice@example.org")
    api = server.client("alice@example.org")
    change(server, HOLD)
    change(server, "INSERT INTO held VALUES (?, ?)", *stages)
    left, since = {stage: list(moments) for stage, moments in stages.items()}, time.time()
    video_id = api.upload(source, title="Survivor", visibility="public")
    while left:
        stage = wait_for_stage(server, left, since)
        server.kill()
        if has_come(server, left[stage][0], stage[1], since):
            left[stage].pop(0)
        if not left[stage]:
            del left[stage]
            change(server, "DELETE FROM held WHERE kind = ? AND part = ?", stage)
        # As if it were the first time: nothing waits for its next try, or has had its last.
        change(server, "UPDATE jobs SET attempts = 1 WHERE state = 'running'")
        if left:
            since = time.time()
            server.launch()  # not until it is ready: what is held may hold up the start too
    change(server, "DROP TRIGGER hold; DROP VIEW numbers; DROP TABLE held;")
    server.restart()
    check_whole(server, server.client("alice@example.org"), video_id, source)
    ran = rows(server.data, STAGES + "subject = ?", f"video:{video_id}")
    assert {(row["kind"], row["part"]) for row in ran} == set(stages)


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
    wait_for_stage(server, {("make_part", "chunk-0"): [AT_ONCE]})
    children = server.children()  # the media process, and the one that hashed a password
    server.process.kill()
    server.process.wait(timeout=150)
    until(lambda: not alive(children))
    server.restart()
