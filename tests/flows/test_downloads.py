"""Whole files to take along: the upload for its owner while it is kept, renditions as one MP4 for viewers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.server import Api, RunningServer
from tests.support.tree import named, rows, stored

PATIENCE = 240.0
FILM = Clip(seconds=8.0, width=854, height=480, fps=Fraction(25), gop=50)
"""Copied as it is, in two segments, with smaller renditions made from it."""


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def bob(site: RunningServer) -> Api:
    return site.client("bob@example.org")


@pytest.fixture(scope="module")
def video_id(alice: Api) -> str:
    """A public video, ready."""
    made = alice.upload(film(), title="Bars — und Töne", visibility="public")
    alice.wait_until(made, "ready")
    return made


def film() -> Path:
    """The file of all videos here."""
    return cached(FILM, ".mp4")


def download(api: Api, video_id: str, **query: str) -> httpx.Response:
    """The file, asked for again and again while it is being made."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = api.get(f"/api/v1/videos/{video_id}/download", params=query)
        if answer.status_code != 202:
            return answer
        assert int(answer.headers["retry-after"]) > 0
        assert 0 <= answer.json()["progress"] <= 1
        assert time.monotonic() < deadline
        time.sleep(0.1)


def probed(path: Path) -> dict[str, Any]:
    """What Debian's ffprobe says of a file; it may complain about nothing."""
    show = ["-show_entries", "stream=codec_type,width,height,duration,start_time,nb_read_frames", "-of", "json"]
    command = ["ffprobe", "-v", "warning", "-count_frames", *show, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found: dict[str, Any] = {stream["codec_type"]: stream for stream in json.loads(done.stdout)["streams"]}
    return found


def top_boxes(data: bytes) -> list[str]:
    """The names of the boxes at the top of a file (ISO/IEC 14496-12, 4.2)."""
    names, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
    return names


def test_the_owner_gets_back_what_was_uploaded(alice: Api, bob: Api, video_id: str) -> None:
    """Byte for byte, by ranges too, with its name; nobody else does."""
    whole = alice.get(f"/api/v1/videos/{video_id}/source")
    assert whole.status_code == 200
    assert hashlib.sha256(whole.content).digest() == hashlib.sha256(film().read_bytes()).digest()
    assert whole.headers["content-disposition"].startswith(f'attachment; filename="{film().name}"')
    part = alice.get(f"/api/v1/videos/{video_id}/source", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    known = alice.get(f"/api/v1/videos/{video_id}/source", headers={"If-None-Match": whole.headers["etag"]})
    assert known.status_code == 304
    beyond = alice.get(f"/api/v1/videos/{video_id}/source", headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    assert bob.get(f"/api/v1/videos/{video_id}/source").status_code == 403


def test_viewers_take_a_video_along_when_its_owner_allows(
    site: RunningServer, alice: Api, bob: Api, video_id: str, tmp_path: Path
) -> None:
    """Refused until allowed; then one progressive MP4 with every picture and the sound, the index in front; kept with
    the package, and gone when it is allowed no longer."""
    assert bob.get(f"/api/v1/videos/{video_id}/download").json()["code"] == "download_not_allowed"
    assert alice.patch(f"/api/v1/videos/{video_id}", json={"allow_download": True}).json()["allow_download"] is True
    first = bob.get(f"/api/v1/videos/{video_id}/download")
    assert first.status_code == 202
    best = download(bob, video_id)
    assert best.status_code == 200, best.text
    assert best.headers["content-type"] == "video/mp4"
    assert "filename*=UTF-8''Bars%20%E2%80%94%20und%20T%C3%B6ne.mp4" in best.headers["content-disposition"]
    boxes = top_boxes(best.content)
    assert boxes[0] == "ftyp"
    assert "moof" not in boxes
    assert boxes.index("moov") < boxes.index("mdat")
    file = tmp_path / "best.mp4"
    file.write_bytes(best.content)
    facts = probed(file)
    assert (facts["video"]["width"], facts["video"]["height"]) == (854, 480)
    assert int(facts["video"]["nb_read_frames"]) == 200
    assert float(facts["video"]["duration"]) == pytest.approx(8.0, abs=0.05)
    assert float(facts["audio"]["duration"]) == pytest.approx(8.0, abs=0.1)
    assert float(facts["video"]["start_time"]) == pytest.approx(0.0, abs=0.001)
    small = download(bob, video_id, rendition="v240")
    file.write_bytes(small.content)
    assert probed(file)["video"]["height"] == 240
    tail = bob.get(f"/api/v1/videos/{video_id}/download", headers={"Range": "bytes=-10"})
    assert (tail.status_code, tail.content) == (206, best.content[-10:])
    assert download(bob, video_id, rendition="v9000").status_code == 404
    assert any("/download/" in name for name in stored(site.data))
    alice.patch(f"/api/v1/videos/{video_id}", json={"allow_download": False})
    deadline = time.monotonic() + PATIENCE
    while any("/download/" in name for name in stored(site.data)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bob.get(f"/api/v1/videos/{video_id}/download").status_code == 403
    assert download(alice, video_id).status_code == 200
    # The file that its owner had made lies beside the segments: the permission to play is none to take it along.
    name = next(name for name in stored(site.data) if "/download/" in name).partition("/download/")[2]
    hls = bob.get(f"/api/v1/stream/{video_id}").json()["hls"]
    assert bob.get(hls).status_code == 200
    assert bob.get(hls.replace("master.m3u8", f"download/{name}")).status_code == 404


def test_asking_for_the_head_of_a_file(alice: Api, bob: Api, video_id: str) -> None:
    """HEAD says what GET would say and sends nothing; it also begins the making of a download, and refuses alike."""
    for path, api in ((f"/api/v1/videos/{video_id}/source", alice), (f"/api/v1/videos/{video_id}/download", alice)):
        whole = download(api, video_id) if path.endswith("download") else api.get(path)
        for headers in (
            {},
            {"Range": "bytes=100-199"},
            {"If-None-Match": whole.headers["etag"]},
            {"Range": "bytes=-0"},
        ):
            there, head = api.get(path, headers=headers), api.head(path, headers=headers)
            assert head.status_code == there.status_code, (path, headers)
            assert head.content == b""
            told = ("content-length", "content-range", "content-type", "etag", "accept-ranges", "content-disposition")
            assert [head.headers.get(name) for name in told] == [there.headers.get(name) for name in told]
        assert int(api.head(path).headers["content-length"]) == len(whole.content)
        assert bob.head(path).status_code == bob.get(path).status_code == 403
        assert httpx.head(f"{api.base_url}{path}").content == b""


def test_what_is_not_an_answer_to_keep_or_allow_is_refused(alice: Api, video_id: str) -> None:
    """Each wrong field is named."""
    wrong = alice.patch(f"/api/v1/videos/{video_id}", json={"allow_download": "yes", "keep_source": "days:0"})
    assert wrong.status_code == 422
    assert set(wrong.json()["errors"]) == {"allow_download", "keep_source"}


def test_a_file_goes_when_its_video_is_ready_if_that_is_the_rule(tmp_path: Path) -> None:
    """The site keeps nothing: the upload goes, and what needs it says so."""
    server = RunningServer(tmp_path / "data", STREAMHOST_MEDIA_KEEP_SOURCE="until-ready").start()
    try:
        server.add_user("alice@example.org", "creator")
        alice = server.client("alice@example.org")
        gone = alice.upload(film(), title="Gone")
        alice.wait_until(gone, "ready")
        deadline = time.monotonic() + PATIENCE
        while stored(server.data) != named(server.data, gone):
            assert time.monotonic() < deadline, stored(server.data) ^ named(server.data, gone)
            time.sleep(0.05)
        assert alice.video(gone)["source_kept"] is False
        assert alice.get(f"/api/v1/videos/{gone}/source").json()["code"] == "source_gone"
        assert rows(server.data, "SELECT source_key FROM videos")[0]["source_key"] is None
        assert alice.get(alice.stream(gone)["hls"]).status_code == 200
    finally:
        server.stop()
