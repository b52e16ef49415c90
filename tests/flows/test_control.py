"""Pausing, cancelling, retrying and ordering the making of videos, on a real server, through kills and restarts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.support.processes import alive
from tests.support.server import ROOT, Api, RunningServer
from tests.support.steered import alice, hold, long_clip, server, steer, until, until_encoding, until_quiet
from tests.support.tree import named, rows, stored

__all__ = ["alice", "server"]


def test_a_pause_stops_the_work_and_survives_a_kill(server: RunningServer, alice: Api) -> None:
    """The child goes, the video says that it is paused, also after kill -9; resumed, it becomes ready."""
    video_id = alice.upload(long_clip(8.0), title="Paused")
    hold(server, video_id)
    assert alice.video(video_id)["processing"]["paused"] is False
    paused = steer(alice, video_id, "pause")
    assert paused["processing"]["paused"] is True
    until_quiet(server)
    until(lambda: alice.video(video_id)["processing"]["waiting"] == "It is paused.", server)
    server.kill()
    server.restart()
    waiting = alice.video(video_id)
    assert waiting["state"] == "processing"
    assert waiting["processing"]["paused"] is True
    assert waiting["processing"]["eta"] is None
    assert not server.media_children()
    assert steer(alice, video_id, "resume")["processing"]["paused"] is False
    ready = alice.wait_until(video_id, "ready")
    assert ready["processing"] is None
    assert stored(server.data) == named(server.data, video_id)


def test_a_server_that_is_stopped_gives_back_what_it_encodes(server: RunningServer, alice: Api) -> None:
    """Told to stop in the middle of a film (SIGTERM), it ends well and before its patience does, with every process
    of its own; the work waits as if it had never begun, and the next start finishes the film."""
    video_id = alice.upload(long_clip(8.0), title="Stopped")
    jobs = "SELECT state, attempts FROM jobs WHERE subject = ?"
    hold(server, video_id)
    family, said = server.children(), len(server.output)
    assert server.stop() == 0
    ending = server.output[said:]
    assert "job_released" in ending
    assert "did not stop in time" not in ending
    assert alive(family) == []
    left = rows(server.data, jobs + " AND state != 'done'", f"video:{video_id}")
    assert {(row["state"], row["attempts"]) for row in left} == {("queued", 0)}
    server.restart()
    alice.wait_until(video_id, "ready")
    made = rows(server.data, jobs + " AND kind = 'make_part'", f"video:{video_id}")
    assert {(row["state"], row["attempts"]) for row in made} == {("done", 1)}
    assert stored(server.data) == named(server.data, video_id)


def test_speed_and_time_left_are_told_while_a_video_is_made(server: RunningServer, alice: Api) -> None:
    """Sooner or later both are numbers, in the video's document and in the list of jobs."""
    video_id = alice.upload(long_clip(), title="Measured")
    root = server.client(ROOT["email"])
    seen: list[dict[str, Any]] = []
    jobs: list[dict[str, Any]] = []
    while (document := alice.video(video_id))["state"] in ("received", "processing"):
        seen.append(document["processing"])
        jobs += root.get("/api/v1/admin/jobs", params={"state": "running", "kind": "make_part"}).json()["items"]
        time.sleep(0.1)
    assert document["state"] == "ready", document
    assert any(one["speed"] and one["speed"] > 0 for one in seen), seen
    assert any(one["eta"] is not None and 0 <= one["eta"] < 600 for one in seen), seen
    assert any(job["progress"] > 0 and job["eta"] is not None for job in jobs)
    assert {job["subject"] for job in jobs} == {f"video:{video_id}"}


def test_a_sign_in_gets_through_while_films_are_encoded(server: RunningServer, alice: Api) -> None:
    """Whoever signs in steps back behind whoever watches, but not behind the making of films: all of these are in long
    before a film is made."""
    video_id = alice.upload(long_clip(), title="Loud")
    until_encoding(server, alice, video_id)
    for _ in range(3):
        assert server.client("alice@example.org").get("/api/v1/me").status_code == 200
    assert alice.video(video_id)["state"] == "processing"
    steer(alice, video_id, "cancel")
    until_quiet(server)


def test_what_was_cancelled_goes_on_where_its_parts_stand(server: RunningServer, alice: Api) -> None:
    """A cancelled video has failed and says so; retried, it does not plan anew, and becomes ready."""
    video_id = alice.upload(long_clip(8.0), title="Cancelled")
    hold(server, video_id)
    cancelled = steer(alice, video_id, "cancel")
    assert cancelled["state"] == "failed"
    assert cancelled["error"]["code"] == "job_cancelled"
    until_quiet(server)
    assert steer(alice, video_id, "pause", 409)["code"] == "nothing_underway"
    again = steer(alice, video_id, "retry")
    assert again["state"] == "processing"
    assert again["error"] is None
    ready = alice.wait_until(video_id, "ready")
    assert all(rendition["ready"] for rendition in ready["renditions"])
    assert len(rows(server.data, "SELECT id FROM packages")) == 1
    planned = "SELECT id FROM jobs WHERE subject = ? AND json_extract(payload, '$.part') = 'plan' AND state = 'done'"
    assert len(rows(server.data, planned, f"video:{video_id}")) == 1
    assert stored(server.data) == named(server.data, video_id)
    assert steer(alice, video_id, "retry", 409)["code"] == "nothing_to_retry"


def test_a_failed_job_is_on_the_list_and_its_retry_takes_up_the_whole_video(
    server: RunningServer, alice: Api, tmp_path: Path
) -> None:
    """What is no media fails with its reason; an administrator sees that and may try again; others may not look."""
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    video_id = alice.upload(text, title="Letter")
    failed = alice.wait_until(video_id, "failed")
    root = server.client(ROOT["email"])
    [job] = root.get("/api/v1/admin/jobs", params={"state": "failed"}).json()["items"]
    assert job["subject"] == f"video:{video_id}"
    assert job["error"]["code"] == failed["error"]["code"]
    assert alice.get(f"/api/v1/admin/jobs/{job['id']}").status_code == 403
    assert root.post(f"/api/v1/admin/jobs/{job['id']}", json={"action": "pause"}).json()["code"] == "job_not_steerable"
    assert root.post(f"/api/v1/admin/jobs/{job['id']}", json={"action": "retry"}).status_code == 200
    until(lambda: len(root.get("/api/v1/admin/jobs", params={"state": "failed"}).json()["items"]) == 2, server)
    alice.wait_until(video_id, "failed")


def test_jobs_come_in_pages_and_have_an_order(server: RunningServer, alice: Api) -> None:
    """Every job is listed once by cursor; a video's priority moves all of its jobs, and only root may set it."""
    video_id = alice.upload(long_clip(8.0), title="First")
    hold(server, video_id)
    steer(alice, video_id, "priority", 403, priority=50)
    root = server.client(ROOT["email"])
    assert steer(root, video_id, "priority", priority=50)["processing"]["priority"] == 50
    steer(root, video_id, "priority", 422, priority=5000)
    running = root.get("/api/v1/admin/jobs", params={"state": "running", "kind": "make_part"}).json()["items"]
    assert {job["priority"] for job in running} == {60}
    ids: list[str] = []
    cursor = None
    while True:
        page = root.get("/api/v1/admin/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        ids += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(ids) == len(set(ids)) >= len(running) + 2
    assert root.get("/api/v1/admin/jobs", params={"cursor": "nowhere"}).json()["errors"].keys() == {"cursor"}
    assert root.get("/api/v1/admin/jobs", params={"state": "bogus"}).json()["errors"].keys() == {"state"}
    steer(alice, video_id, "cancel")
    until_quiet(server)
