"""Previews for the seek bar: made with the renditions, named by both manifests and the API, open only under a grant."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame

from streamhost.testing import clips
from tests.support.clips import cached, copied_clip, encoded_clip
from tests.support.server import Api, RunningServer, until
from tests.support.tree import stored

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
SMALL = clips.Clip(seconds=6.0, width=192, height=108, fps=Fraction(25), gop=25)
"""Copied, and too small for any lower rendition."""


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def counter(sheet: bytes, place: str) -> int | None:
    """The picture number that a tile shows, cut out by the place that the track names."""
    with av.open(BytesIO(sheet), format="jpeg_pipe") as container:
        assert isinstance(container, InputContainer)
        [frame] = container.decode(video=0)
    left, top, width, height = map(int, place.split(","))
    luma = frame.to_ndarray(format="gray")[top : top + height, left : left + width]
    return clips.read_counter(VideoFrame.from_ndarray(np.ascontiguousarray(luma, np.uint8), "gray"))


def cues(track: str) -> list[tuple[float, str, str]]:
    """Start in seconds, sheet and place of each cue."""
    found = re.findall(r"(\d+):(\d+):(\d+\.\d+) --> \S+\n(\S+)#xywh=(\S+)", track)
    return [(int(h) * 3600 + int(m) * 60 + float(s), sheet, place) for h, m, s, sheet, place in found]


@pytest.mark.parametrize("kind", ["copied", "encoded", "small"])
def test_every_preview_shows_its_time(site: RunningServer, alice: Api, kind: str) -> None:
    """Whatever way a video went, each cue points at a picture of its own time, which a player gets under the grant."""
    seconds = SMALL.seconds if kind == "small" else 24
    path = {"copied": copied_clip, "encoded": encoded_clip, "small": lambda: cached(SMALL, ".mp4")}[kind]()
    video = alice.wait_until(alice.upload(path, title=kind), "ready")
    stream = alice.stream(video["id"])
    with Api(site.url) as player:
        track = player.get(stream["storyboard"]).raise_for_status()
        assert track.headers["content-type"].startswith("text/vtt")
        sheets: dict[str, bytes] = {}
        seen = cues(track.text)
        assert len(seen) == math.ceil(video["duration"])
        for start, sheet, place in seen:
            if sheet not in sheets:
                answer = player.get(urljoin(stream["storyboard"], sheet)).raise_for_status()
                assert answer.headers["content-type"] == "image/jpeg"
                sheets[sheet] = answer.content
            # Where sound goes on after the pictures, the last tile stays.
            assert counter(sheets[sheet], place) == round(min(start, seconds - 1) * 25)
        [images] = [
            element
            for element in ElementTree.fromstring(player.get(stream["dash"]).text).iter(f"{MPD}AdaptationSet")
            if element.get("contentType") == "image"
        ]
        assert images.get("mimeType") == "image/jpeg"


def test_a_video_without_pictures_has_no_storyboard(alice: Api, tmp_path: Path) -> None:
    """Sound alone: the field is null, and nothing is missing."""
    sound = clips.make(tmp_path / "sound.m4a", clips.Clip(seconds=3, video=False))
    video = alice.wait_until(alice.upload(sound, title="Sound"), "ready")
    assert alice.stream(video["id"])["storyboard"] is None


def test_frames_to_screen_and_candidates_are_kept_aside(site: RunningServer, alice: Api) -> None:
    """They lie where no grant leads, the tiles are gone once pasted, and deleting the video removes them all."""
    video = alice.wait_until(alice.upload(cached(SMALL, ".mp4"), title="Aside"), "ready")
    aside = f"stills/{video['id']}/"
    until(lambda: not [key for key in stored(site.data) if key.startswith(aside) and "/tiles/" in key])
    kept = [key for key in stored(site.data) if key.startswith(aside)]
    assert {key.rpartition("/")[2].partition("-")[0] for key in kept} == {"posters", "screening"}
    root = alice.stream(video["id"])["hls"].removesuffix("master.m3u8")
    for key in kept:
        for path in (f"../../{key}", f"../{key}", key, key.rpartition("/")[2]):
            assert alice.get(root + path).status_code in (403, 404), path
    alice.delete(f"/api/v1/videos/{video['id']}").raise_for_status()
    until(lambda: not [key for key in stored(site.data) if video["id"] in key])
