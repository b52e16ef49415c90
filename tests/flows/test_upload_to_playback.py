"""The main thread through all floors: a file goes in, a stream comes out, on a real server."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import psutil
import pytest

from tests.support.clips import copied_clip, encoded_clip
from tests.support.holding import held_back
from tests.support.server import Api, RunningServer, until
from tests.support.tree import at_rest, named, rows, stored

PATIENCE = 240.0


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def bob(site: RunningServer) -> Api:
    return site.client("bob@example.org")


@pytest.fixture(scope="module")
def video(alice: Api) -> dict[str, Any]:
    """A public video, ready."""
    video_id = alice.upload(
        copied_clip(), title="Bars and tones", description="A test of everything", visibility="public"
    )
    return alice.wait_until(video_id, "ready")


def every_address(api: Api, playlist: str) -> Iterator[str]:
    """Every address that an HLS player would fetch, from the multivariant playlist down."""
    text = api.get(playlist).raise_for_status().text
    for name in [*re.findall(r"^[^#\s].*$", text, re.MULTILINE), *re.findall(r'URI="([^"]+)"', text)]:
        address = urljoin(playlist, name)
        yield address
        if name.endswith(".m3u8"):
            yield from every_address(api, address)


def test_a_copied_video_is_playable_before_its_smaller_renditions_are_made(
    site: RunningServer, alice: Api, video: dict[str, Any]
) -> None:
    """Playable comes before ready, of itself and however long the smaller ones take; then every rendition is there,
    none larger than the source."""
    times = "SELECT json_extract(payload, '$.part') AS part, started_at, finished_at FROM jobs WHERE subject = ?"
    made = {row["part"]: row for row in rows(site.data, times, f"video:{video['id']}") if row["part"]}
    smaller = [row["started_at"] for part, row in made.items() if part.startswith("chunk-")]
    assert made["copy"]["finished_at"] <= made["publish-playable"]["finished_at"] <= min(smaller)
    with held_back(site.data, "chunk-"):
        video_id = alice.upload(copied_clip(), title="Early")
        early = alice.wait_until(video_id, "playable")
    assert [r["name"] for r in early["renditions"] if r["ready"]] == ["v480"]
    assert early["state"] == "processing"
    ready = alice.wait_until(video_id, "ready")
    assert [(r["name"], r["ready"]) for r in ready["renditions"]] == [("v480", True), ("v240", True)]
    assert ready["progress"] == 1.0
    assert ready["error"] is None


def test_an_encoded_video_says_why_it_was_not_copied(alice: Api) -> None:
    """VP9 is encoded, and the video's notes give the reason."""
    ready = alice.wait_until(alice.upload(encoded_clip(), title="Foreign"), "ready")
    assert any("vp9" in note for note in ready["notes"])
    assert [r["height"] for r in ready["renditions"]] == [360, 240]
    assert ready["duration"] == pytest.approx(24.0, abs=0.1)


def test_everything_that_the_manifests_name_can_be_fetched(
    site: RunningServer, alice: Api, video: dict[str, Any]
) -> None:
    """Each address under the grant answers with bytes, to a client without any other credential."""
    stream = alice.stream(video["id"])
    with Api(site.url) as stranger:
        addresses = list(every_address(stranger, stream["hls"]))
        assert len(addresses) > 15
        for address in addresses:
            answer = stranger.get(address)
            assert (answer.status_code, bool(answer.content)) == (200, True), address
        assert stranger.get(stream["dash"]).headers["content-type"] == "application/dash+xml"
        assert stranger.get(stream["poster"]).content[:2] == b"\xff\xd8"


def test_visibility_decides_who_plays(site: RunningServer, alice: Api, bob: Api, video: dict[str, Any]) -> None:
    """Private: 404 for everybody else, as if it did not exist. Unlisted: plays, but stands in no list. Public: both."""
    video_id = video["id"]
    with Api(site.url) as stranger:
        for visibility, status, listed in (("private", 404, False), ("unlisted", 200, False), ("public", 200, True)):
            assert alice.patch(f"/api/v1/videos/{video_id}", json={"visibility": visibility}).status_code == 200
            for who in (stranger, bob):
                assert who.get(f"/api/v1/stream/{video_id}").status_code == status
                assert who.get(f"/api/v1/videos/{video_id}").status_code == status
                assert who.get(f"/api/v1/videos/{video_id}/events").status_code == status
                for path in ("/api/v1/videos", "/api/v1/search?q=tones"):
                    assert (video_id in who.get(path).text) is listed
            assert alice.get(f"/api/v1/stream/{video_id}").status_code == 200
        assert stranger.get("/api/v1/videos/nothere").status_code == 404


def test_a_video_turned_private_stops_playing_for_those_who_watch(site: RunningServer, alice: Api) -> None:
    """Grants and poster links given before are refused at once; the owner gets new ones that work."""
    video_id = alice.upload(copied_clip(), title="Withdrawn", visibility="public")
    alice.wait_until(video_id, "ready")
    with Api(site.url) as stranger:
        stream, poster = stranger.stream(video_id), stranger.video(video_id)["poster"]
        assert stranger.get(stream["hls"]).status_code == 200
        assert alice.patch(f"/api/v1/videos/{video_id}", json={"visibility": "private"}).status_code == 200
        for address in (stream["hls"], stream["dash"], poster):
            assert stranger.get(address).status_code == 403
    assert alice.get(alice.stream(video_id)["hls"]).status_code == 200
    assert alice.get(alice.video(video_id)["poster"]).status_code == 200


def test_only_the_owner_and_admins_edit_and_delete(
    site: RunningServer, alice: Api, bob: Api, video: dict[str, Any]
) -> None:
    """Others get 403 on a public video; wrong fields are named."""
    path = f"/api/v1/videos/{video['id']}"
    assert bob.patch(path, json={"title": "Mine"}).status_code == 403
    assert bob.delete(path).status_code == 403
    assert site.client("root@example.org").patch(path, json={"tags": ["test"]}).json()["tags"] == ["test"]
    refused = alice.patch(path, json={"title": "", "nonsense": 1})
    assert refused.status_code == 422
    assert set(refused.json()["errors"]) == {"title", "nonsense"}


def test_search_finds_by_the_beginnings_of_words_with_marked_snippets(bob: Api, video: dict[str, Any]) -> None:
    """Words of title and description are found from their beginnings, marked in safe HTML."""
    [hit] = bob.get("/api/v1/search", params={"q": "ton bar"}).json()["items"]
    assert hit["video"]["id"] == video["id"]
    assert hit["snippet"]["title"] == "<mark>Bars</mark> and <mark>tones</mark>"
    assert bob.get("/api/v1/search", params={"q": '" OR *'}).json()["items"] == []


def test_events_tell_of_the_way_of_a_video(site: RunningServer, alice: Api) -> None:
    """Server-sent events: states in order, progress that never falls, renditions as they come, an end."""
    seen: list[tuple[str, Any]] = []
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(held_back(site.data, "chunk-"))
        video_id = alice.upload(copied_clip(), title="Watched")
        answer = stack.enter_context(alice.stream_events(video_id))
        name = ""
        for line in answer.iter_lines():
            held.close()  # whoever listens from now on hears of all that is made
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                seen.append((name, json.loads(line.removeprefix("data:"))))
    progress = [data["progress"] for kind, data in seen if kind == "progress"]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert [data["state"] for kind, data in seen if kind == "state"][-1] == "ready"
    assert "v240" in [data["name"] for kind, data in seen if kind == "rendition"]


def test_what_is_no_media_fails_with_a_clear_error(site: RunningServer, alice: Api, tmp_path: Path) -> None:
    """Text named .mp4: the video fails with `not_media` at once, without retries, and the server goes on."""
    path = tmp_path / "holiday.mp4"
    path.write_text("This is no film.\n" * 1000)
    video_id = alice.upload(path, title="Not a film")
    document = alice.wait_until(video_id, "failed")
    assert document["error"]["code"] == "not_media"
    assert document["error"]["hint"]
    assert alice.get(f"/api/v1/stream/{video_id}").status_code == 409
    [job] = rows(site.data, "SELECT attempts, state FROM jobs WHERE subject = ?", f"video:{video_id}")
    assert (job["attempts"], job["state"]) == (1, "failed")


@pytest.mark.slow
def test_processes_that_segfault_cost_one_video(site: RunningServer, alice: Api) -> None:
    """Whatever works at a video dies of SIGSEGV each time it begins: that video fails and says why; the same server
    makes the next one."""
    server = psutil.Process(site.process.pid)
    began = server.create_time()
    video_id = alice.upload(encoded_clip(), title="Breaks the decoder")
    deadline = time.monotonic() + PATIENCE
    while alice.video(video_id)["state"] != "failed":
        assert time.monotonic() < deadline, site.output
        for child in site.media_children():
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGSEGV)
    error = alice.video(video_id)["error"]
    assert (error["code"], bool(error["hint"])) == ("child_crashed", True)
    failed = "SELECT attempts, error_detail FROM jobs WHERE subject = ? AND state = 'failed'"
    jobs = rows(site.data, failed, f"video:{video_id}")
    assert {job["attempts"] for job in jobs} == {2}
    assert all("SIGSEGV" in job["error_detail"] for job in jobs)
    alice.wait_until(alice.upload(copied_clip(), title="The next one"), "ready")
    assert (server.is_running(), server.create_time()) == (True, began)


def test_a_deleted_video_leaves_nothing(server: RunningServer) -> None:
    """Deleted when ready, and deleted in the middle of processing: no row, no file, no job that goes on."""
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    ready = alice.upload(copied_clip(), title="Done")
    alice.wait_until(ready, "ready")
    at_rest(server.data)
    assert stored(server.data) == named(server.data, ready)
    stream = alice.stream(ready)
    underway = alice.upload(encoded_clip(), title="Underway")
    until(lambda: rows(server.data, "SELECT 1 FROM jobs WHERE kind = 'make_part' AND state = 'running' LIMIT 1"))
    for video_id in (ready, underway):
        assert alice.delete(f"/api/v1/videos/{video_id}").status_code == 204
        assert alice.get(f"/api/v1/videos/{video_id}").status_code == 404
    until(lambda: not stored(server.data))
    at_rest(server.data)
    gone = alice.get(stream["hls"])
    assert (gone.status_code, gone.json()["code"]) == (403, "grant_revoked")
    assert rows(server.data, "SELECT 1 FROM packages") == []
    assert not list((server.data / "work").iterdir())


def test_a_video_that_waits_says_why(tmp_path: Path) -> None:
    """Without a place for media work nothing is "pending for ever": the video names the cause."""
    server = RunningServer(tmp_path / "data", STREAMHOST_JOBS_MEDIA_WORKERS="1").start()
    try:
        server.add_user("alice@example.org")
        alice = server.client("alice@example.org")
        first, second = (alice.upload(encoded_clip(), title=title) for title in ("First", "Second"))
        causes = set()
        while alice.video(first)["state"] != "ready":
            causes.add(alice.video(second)["waiting"])
            time.sleep(0.05)
        assert "Every place for media work is taken (1)." in causes
        assert alice.wait_until(second, "ready")["waiting"] is None
    finally:
        server.stop()


def test_a_child_that_dies_costs_one_job_and_not_the_server(server: RunningServer) -> None:
    """The media process is killed by signal: the job says so, is tried once more, and the video becomes ready."""
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video_id = alice.upload(encoded_clip(), title="Hit")
    deadline = time.monotonic() + 150
    while not (children := server.media_children("chunk")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    children[0].kill()
    assert alice.wait_until(video_id, "ready")["error"] is None
    [worst] = rows(server.data, "SELECT MAX(attempts) AS attempts FROM jobs WHERE kind = 'make_part'")
    assert worst["attempts"] == 2
    assert httpx.get(f"{server.url}/livez").status_code == 200


def test_what_was_withdrawn_stays_so_over_a_restart(server: RunningServer) -> None:
    """A grant given before a video turned private is worth nothing after a restart either."""
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    video_id = alice.upload(copied_clip(), title="Withdrawn", visibility="public")
    alice.wait_until(video_id, "ready")
    with Api(server.url) as stranger:
        stream = stranger.stream(video_id)
        alice.patch(f"/api/v1/videos/{video_id}", json={"visibility": "private"}).raise_for_status()
        server.stop()
        server.restart()
        assert stranger.get(stream["hls"]).json()["code"] == "grant_revoked"
    fresh = server.client("alice@example.org")
    assert fresh.get(fresh.stream(video_id)["hls"]).status_code == 200
    assert fresh.get(f"/api/v1/videos/{video_id}").headers["cache-control"] == "private, no-store"
    assert (server.data / "catalog.sqlite3").stat().st_mode & 0o077 == 0
