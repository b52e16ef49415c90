"""Posters: the owner picks a picture of the video or sends one; only who may edit sees the candidates."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from streamhost.testing import clips
from tests.support.clips import cached
from tests.support.server import Api, RunningServer, until
from tests.support.tree import rows, stored

SMALL = clips.Clip(seconds=6.0, width=192, height=108, fps=Fraction(25), gop=25)
SECRET = b"48.8584 N 2.2945 E"


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def bob(site: RunningServer) -> Api:
    return site.client("bob@example.org")


def ready(alice: Api) -> dict[str, Any]:
    """A public video, ready."""
    return alice.wait_until(alice.upload(cached(SMALL, ".mp4"), title="Bars", visibility="public"), "ready")


@pytest.fixture
def video(alice: Api) -> dict[str, Any]:
    """A public video, ready."""
    return ready(alice)


@pytest.fixture(scope="module")
def refused(alice: Api) -> dict[str, Any]:
    """One more, of which nothing changes."""
    return ready(alice)


def picture(jpeg: bytes) -> VideoFrame:
    """The one picture of a JPEG."""
    with av.open(BytesIO(jpeg), format="jpeg_pipe") as container:
        assert isinstance(container, InputContainer)
        [frame] = container.decode(video=0)
    return frame


def red(secret: bytes = b"") -> bytes:
    """A red JPEG of 400 by 300, with words in its metadata."""
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, VideoCodecContext)
    frame = VideoFrame.from_ndarray(np.full((300, 400, 3), (200, 0, 0), np.uint8), "rgb24").reformat(format="yuvj420p")
    context.width, context.height, context.pix_fmt = 400, 300, "yuvj420p"
    context.time_base, context.color_range = Fraction(1, 25), 2
    frame.pts, frame.time_base = 0, context.time_base
    data = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(secret) + 2) + secret + data[2:]


def shown(site: RunningServer, document: dict[str, Any]) -> bytes:
    """The poster that a list shows, fetched with nothing but its address."""
    with Api(site.url) as stranger:
        return stranger.get(document["poster"]).raise_for_status().content


def choices(api: Api, video_id: str) -> dict[str, Any]:
    """What there is to choose from."""
    document: dict[str, Any] = api.get(f"/api/v1/videos/{video_id}/posters").raise_for_status().json()
    return document


def test_the_best_candidate_is_shown_until_one_is_chosen(
    site: RunningServer, alice: Api, video: dict[str, Any]
) -> None:
    """Six candidates over the video, each a picture of its time; the poster is the automatic one, then the chosen."""
    found = choices(alice, video["id"])
    assert [int(item["at"]) for item in found["items"]] == list(range(6))
    assert (found["chosen"], found["sent"]) == (None, False)
    pictures = [alice.get(item["url"]).raise_for_status().content for item in found["items"]]
    for item, data in zip(found["items"], pictures, strict=True):
        assert clips.read_counter(picture(data)) == round(item["at"] * 25)
    assert shown(site, video) == pictures[found["automatic"]]
    other = (found["automatic"] + 3) % 6
    chosen = alice.put(f"/api/v1/videos/{video['id']}/poster", json={"candidate": other}).raise_for_status().json()
    assert chosen["poster"] != video["poster"]
    assert shown(site, chosen) == pictures[other]
    assert shown(site, alice.video(video["id"])) == shown(site, alice.stream(video["id"])) == pictures[other]
    assert choices(alice, video["id"])["chosen"] == other
    back = alice.put(f"/api/v1/videos/{video['id']}/poster", json={"candidate": None}).raise_for_status().json()
    assert shown(site, back) == pictures[found["automatic"]]


def test_a_sent_picture_is_written_anew(site: RunningServer, alice: Api, video: dict[str, Any]) -> None:
    """What is shown looks like what was sent; the file itself, and what it says of its maker, is nowhere."""
    sent = red(SECRET)
    assert SECRET in sent
    answer = alice.post(f"/api/v1/videos/{video['id']}/poster", files={"file": ("me.jpg", sent, "image/jpeg")})
    document = answer.raise_for_status().json()
    made = picture(shown(site, document))
    assert (made.width, made.height) == (400, 300)
    assert np.abs(made.to_ndarray(format="rgb24")[150, 200].astype(int) - (200, 0, 0)).max() < 16
    assert choices(alice, video["id"])["sent"] is True
    for name in stored(site.data, f"videos/{video['id']}", f"stills/{video['id']}"):
        assert not name.endswith(".jpg") or SECRET not in (site.data / "media" / name).read_bytes()
    assert not (site.data / "work" / "posters").exists()


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff" + bytes(5000)])
def test_what_is_no_picture_changes_nothing(
    site: RunningServer, alice: Api, refused: dict[str, Any], data: bytes
) -> None:
    """A file that cannot be read is refused with its code, and the poster stays."""
    answer = alice.post(f"/api/v1/videos/{refused['id']}/poster", files={"file": ("p.jpg", data, "image/jpeg")})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_picture")
    assert shown(site, alice.video(refused["id"])) == shown(site, refused)


def test_candidates_are_for_those_who_may_edit(site: RunningServer, bob: Api, refused: dict[str, Any]) -> None:
    """Bob may watch the public video, but neither sees its candidates nor chooses; a number that is none is refused."""
    base = f"/api/v1/videos/{refused['id']}"
    for answer in (
        bob.get(f"{base}/posters"),
        bob.get(f"{base}/posters/0"),
        bob.put(f"{base}/poster", json={"candidate": 0}),
        bob.post(f"{base}/poster", files={"file": ("p.jpg", red(), "image/jpeg")}),
    ):
        assert answer.status_code == 403
    with Api(site.url) as stranger:
        assert stranger.get(f"{base}/posters/0").status_code == 401
    alice = site.client("alice@example.org")
    for number in ("6", "-1", "x", "99999999999"):
        assert alice.get(f"{base}/posters/{number}").status_code == 404
    assert alice.put(f"{base}/poster", json={"candidate": 6}).status_code == 422


def test_a_choice_outlives_a_new_package(site: RunningServer, alice: Api, video: dict[str, Any]) -> None:
    """When the video is packaged anew, the chosen poster stays, and its picture is still there."""
    chosen = alice.put(f"/api/v1/videos/{video['id']}/poster", json={"candidate": 1}).raise_for_status().json()
    before = shown(site, chosen)
    with closing(sqlite3.connect(site.data / "catalog.sqlite3", timeout=150)) as conn, conn:
        [(package,)] = conn.execute("SELECT package_id FROM videos WHERE id = ?", [video["id"]]).fetchall()
        # The publishing of the finished package comes again, as it does when a package is made anew.
        conn.execute("UPDATE packages SET finished_at = NULL, stage = 'ready' WHERE id = ?", [package])
        conn.execute(
            "UPDATE package_parts SET done_at = NULL WHERE package_id = ? AND name = 'publish-ready'", [package]
        )
        conn.execute("UPDATE videos SET state = 'processing', poster_key = NULL WHERE id = ?", [video["id"]])
        job = "subject = ? AND kind = 'publish_package' AND json_extract(payload, '$.part') = 'publish-ready'"
        conn.execute(
            f"UPDATE jobs SET state = 'queued', finished_at = NULL, run_at = 0 WHERE {job}", [f"video:{video['id']}"]
        )
    until(lambda: rows(site.data, "SELECT finished_at FROM packages WHERE id = ?", package)[0]["finished_at"])
    again = alice.wait_until(video["id"], "ready")
    assert shown(site, again) == before
    assert len([key for key in stored(site.data) if key.startswith(f"videos/{video['id']}/") and "poster" in key]) == 2
