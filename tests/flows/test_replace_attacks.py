"""Another file for a video while its first one is still being made, by several at once, by ways that must not be."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.flows.test_replace import digest, ready, replace, settle, until_taken
from tests.support.clips import copied_clip, encoded_clip
from tests.support.server import Api, RunningServer
from tests.support.steered import alice, long_clip, nothing_runs, server, until
from tests.support.tree import stored
from tests.support.tus import words

__all__ = ["alice", "server"]


def broken(folder: Path) -> Path:
    """A film whose second half is missing, with its index: the index is at the end."""
    file = folder / "broken.mp4"
    data = copied_clip().read_bytes()
    file.write_bytes(data[: len(data) // 2])
    return file


@pytest.mark.parametrize("when", ["first probe", "encoding"])
def test_a_good_file_while_the_first_is_still_being_made(server: RunningServer, alice: Api, when: str) -> None:
    """The newer one is what plays in the end, made once, and nothing of the first is left."""
    video_id = alice.upload(long_clip(), title="Film", visibility="public")
    if when == "encoding":
        until(lambda: alice.video(video_id)["state"] == "processing", server)
    replace(alice, video_id, copied_clip())
    until_taken(server, alice, video_id)
    until(lambda: alice.video(video_id)["state"] in ("ready", "failed") and nothing_runs(server), server)
    document = alice.video(video_id)
    assert (document["state"], document["height"], document["error"]) == ("ready", 480, None)
    assert digest(alice, video_id) == hashlib.sha256(copied_clip().read_bytes()).digest()
    settle(server, video_id)


def test_a_broken_file_while_the_first_is_still_being_made(server: RunningServer, alice: Api, tmp_path: Path) -> None:
    """The first one is made as if nothing had come; the video says why the other was not taken."""
    video_id = alice.upload(long_clip(8.0), title="Film", visibility="public")
    replace(alice, video_id, broken(tmp_path))
    until(lambda: alice.video(video_id)["state"] in ("ready", "failed") and nothing_runs(server), server)
    document = alice.video(video_id)
    assert (document["state"], document["height"], document["error"]) == ("ready", 720, None)
    assert document["replacing"]["error"]["code"] == "damaged_source"


def test_a_new_file_cancelled_while_the_first_is_still_being_made(server: RunningServer, alice: Api) -> None:
    """Cancelling takes back the new file alone, however far looking into it has come."""
    video_id = alice.upload(long_clip(8.0), title="Film", visibility="public")
    until(lambda: alice.video(video_id)["state"] == "processing", server)
    replace(alice, video_id, long_clip())
    assert alice.post(f"/api/v1/videos/{video_id}/processing", json={"action": "cancel"}).status_code == 200
    until(lambda: alice.video(video_id)["state"] in ("ready", "failed") and nothing_runs(server), server)
    document = alice.video(video_id)
    assert (document["state"], document["height"], document["error"]) == ("ready", 720, None)
    assert document["replacing"]["error"]["code"] == "job_cancelled"


def test_several_at_once_and_one_by_a_stranger(server: RunningServer, alice: Api) -> None:
    """One of them plays in the end, whole, and nothing of the others is left; a stranger's is refused by every way."""
    video_id = ready(alice, encoded_clip())["id"]
    bob = server.client("bob@example.org")
    replace(bob, video_id, copied_clip(), 404)
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", **words(filename="new.mp4", replaces=video_id)}
    assert bob.post("/api/v1/uploads", headers=tus).status_code == 404
    files = [copied_clip(), long_clip(8.0)] * 2
    clients = [server.client("alice@example.org") for _ in files]
    with ThreadPoolExecutor(len(files)) as pool:
        list(pool.map(lambda pair: replace(pair[0], video_id, pair[1]), zip(clients, files, strict=True)))
    until_taken(server, alice, video_id)
    until(lambda: nothing_runs(server), server)
    document = alice.video(video_id)
    assert (document["state"], document["error"]) == ("ready", None)
    wanted = {480: copied_clip(), 720: long_clip(8.0)}[document["height"]]
    assert digest(alice, video_id) == hashlib.sha256(wanted.read_bytes()).digest()
    settle(server, video_id)
    replace(alice, video_id, copied_clip())
    assert alice.delete(f"/api/v1/videos/{video_id}").status_code == 204
    until(lambda: not any(".m" in name for name in stored(server.data)), server)
