"""Another file for a video, under the same address: what plays goes on playing until the new file stands."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import copied_clip, encoded_clip
from tests.support.holding import held_back
from tests.support.server import ROOT, Api, RunningServer
from tests.support.steered import alice, hold, long_clip, server, until
from tests.support.tree import named, rows, stored
from tests.support.tus import words

__all__ = ["alice", "server"]


def replace(api: Api, video_id: str, file: Path, status: int = 202) -> dict[str, Any]:
    """Send another file for a video by one request."""
    with file.open("rb") as content:
        answer = api.post(f"/api/v1/videos/{video_id}/source", files={"file": (file.name, content)})
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ready(api: Api, file: Path) -> dict[str, Any]:
    """A video of a file, ready."""
    return api.wait_until(api.upload(file, title="Film", visibility="public"), "ready")


def until_taken(server: RunningServer, api: Api, video_id: str) -> None:
    """Wait until a new file has taken the old one's place; one that does not fit says so at once."""
    until(lambda: (new := api.video(video_id)["replacing"]) is None or new["error"], server)
    document = api.video(video_id)
    assert document["replacing"] is None, (document, server.output[-3000:])


def digest(api: Api, video_id: str) -> bytes:
    """The SHA-256 of the file that a video is made from now."""
    return hashlib.sha256(api.get(f"/api/v1/videos/{video_id}/source").raise_for_status().content).digest()


def settle(server: RunningServer, video_id: str) -> None:
    """Bring the end of all grants forward, and wait until storage holds what the video names, and nothing else."""
    root = server.client(ROOT["email"])
    for job in root.get("/api/v1/admin/jobs", params={"state": "queued", "kind": "retire_package"}).json()["items"]:
        assert root.post(f"/api/v1/admin/jobs/{job['id']}", json={"action": "retry"}).status_code == 200
    until(lambda: stored(server.data) == named(server.data, video_id), server)
    assert len(rows(server.data, "SELECT id FROM packages")) == 1
    assert rows(server.data, "SELECT video_id FROM replacements") == []


def test_the_old_file_plays_until_the_new_one_stands(server: RunningServer, alice: Api) -> None:
    """Ready all the time, at the same address; the grant of somebody who watches holds beyond the change; afterwards
    picture, length and file are the new ones. So it is after a second change, and of the old ones nothing is left once
    no grant can name them."""
    before = ready(alice, copied_clip())
    video_id = before["id"]
    stream = alice.stream(video_id)
    assert (before["height"], before["replacing"]) == (480, None)
    seen = replace(alice, video_id, long_clip())["video"]
    assert seen["id"] == video_id
    shares = []
    while (document := alice.video(video_id))["replacing"]:
        assert (document["state"], document["playable"], document["height"]) == ("ready", True, 480)
        assert alice.get(stream["hls"]).status_code == 200
        shares.append(document["replacing"]["progress"])
        time.sleep(0.05)
    assert shares == sorted(shares)
    assert max(shares) > 0
    assert (document["state"], document["height"]) == ("ready", 720)
    assert document["duration"] == pytest.approx(20.0, abs=0.2)
    assert document["published_at"] == before["published_at"]
    assert digest(alice, video_id) == hashlib.sha256(long_clip().read_bytes()).digest()
    assert alice.get(stream["hls"]).status_code == 200
    now = alice.stream(video_id)
    assert now["package"] != stream["package"]
    assert alice.get(now["dash"]).status_code == 200
    replace(alice, video_id, encoded_clip())
    until_taken(server, alice, video_id)
    assert [alice.get(seen["hls"]).status_code for seen in (stream, now)] == [200, 200]
    settle(server, video_id)
    assert [alice.get(seen["hls"]).status_code for seen in (stream, now)] == [404, 404]


def test_a_file_that_is_no_video_leaves_everything_as_it_was(server: RunningServer, alice: Api, tmp_path: Path) -> None:
    """The video says why; its stream and file are untouched, and the wrong file is gone. Nobody else may replace it."""
    video_id = ready(alice, copied_clip())["id"]
    stream = alice.stream(video_id)
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    replace(alice, video_id, text)
    until(lambda: (alice.video(video_id)["replacing"] or {}).get("error"), server)
    document = alice.video(video_id)
    assert document["replacing"]["error"]["code"] == "not_media"
    assert (document["state"], document["error"]) == ("ready", None)
    assert alice.stream(video_id)["package"] == stream["package"]
    assert digest(alice, video_id) == hashlib.sha256(copied_clip().read_bytes()).digest()
    until(lambda: stored(server.data) == named(server.data, video_id), server)
    bob = server.client("bob@example.org")
    assert replace(bob, video_id, copied_clip(), 404)["code"] == "not_found"
    assert bob.video(video_id)["replacing"] is None


def test_killed_in_the_middle_the_change_is_taken_up_again(server: RunningServer, alice: Api) -> None:
    """kill -9 amid the making of the new file: after a restart the old one plays, then the new one, once."""
    video_id = ready(alice, copied_clip())["id"]
    upload = alice.post(
        "/api/v1/uploads",
        headers={
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(long_clip(8.0).stat().st_size),
            **words(filename="new.mp4", replaces=video_id),
            "Content-Type": "application/offset+octet-stream",
        },
        content=long_clip(8.0).read_bytes(),
    )
    assert upload.status_code == 201, upload.text
    assert upload.headers["streamhost-video"] == video_id
    hold(server, video_id)
    with held_back(server.data, "chunk-"):  # beyond the kill: it lies in the catalog
        server.kill()
        server.restart()
        assert alice.get(alice.stream(video_id)["hls"]).status_code == 200
        assert alice.video(video_id)["height"] == 480
    until_taken(server, alice, video_id)
    assert alice.video(video_id)["height"] == 720
    assert digest(alice, video_id) == hashlib.sha256(long_clip(8.0).read_bytes()).digest()
    settle(server, video_id)


def test_a_newer_file_comes_before_one_that_is_on_its_way_and_a_cancelled_one_goes(
    server: RunningServer, alice: Api
) -> None:
    """The file sent last wins; one that is cancelled leaves the video as it is."""
    video_id = ready(alice, copied_clip())["id"]
    replace(alice, video_id, long_clip())
    hold(server, video_id)
    replace(alice, video_id, encoded_clip())
    until_taken(server, alice, video_id)
    assert alice.video(video_id)["height"] == 360
    replace(alice, video_id, long_clip())
    hold(server, video_id)
    assert alice.post(f"/api/v1/videos/{video_id}/processing", json={"action": "cancel"}).status_code == 200
    document = alice.video(video_id)
    assert document["replacing"]["error"]["code"] == "job_cancelled"
    assert (document["state"], document["height"]) == ("ready", 360)
    replace(alice, video_id, copied_clip())
    until_taken(server, alice, video_id)
    settle(server, video_id)


def test_a_video_that_failed_is_saved_by_a_better_file(server: RunningServer, alice: Api, tmp_path: Path) -> None:
    """Nothing played before, so the first rendition of the new file is shown as soon as it stands."""
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    video_id = alice.upload(text, title="Film")
    alice.wait_until(video_id, "failed")
    replace(alice, video_id, copied_clip())
    until(lambda: alice.video(video_id)["state"] == "ready", server)
    document = alice.video(video_id)
    assert (document["playable"], document["error"], document["replacing"]) == (True, None, None)
    settle(server, video_id)
