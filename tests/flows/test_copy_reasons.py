"""Why a video was not copied: the reason stands where its owner looks, whichever step found it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.support.server import Api, RunningServer

TINY = {"width": 160, "height": 90, "languages": ()}
HIGH_422 = (("preset", "ultrafast"), ("profile", "high422"))
SOURCES = {
    "copied": (Clip(seconds=2, **TINY), None),  # type: ignore[arg-type]  # as above
    "profile": (
        Clip(seconds=2, pix_fmt="yuv422p", options=HIGH_422, **TINY),  # type: ignore[arg-type]  # as above
        "The H.264 profile High 4:2:2 is not played by browsers.",
    ),
    "long groups": (
        Clip(seconds=12, gop=1000, **TINY),  # type: ignore[arg-type]  # as above
        "The distance between keyframes is over 10 seconds.",
    ),
    "sound": (
        Clip(seconds=2, width=160, height=90, audio_codec="libmp3lame"),
        "The sound is encoded, though the picture is copied. The audio is mp3, not AAC-LC.",
    ),
}


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def frugal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose administrator has every source encoded."""
    place = tmp_path_factory.mktemp("frugal") / "data"
    running = RunningServer(place, STREAMHOST_MEDIA_COPY_RATE="0").start()
    running.add_user("alice@example.org", "creator")
    yield running
    running.stop()


@pytest.mark.parametrize("name", SOURCES)
def test_the_owner_reads_why(name: str, alice: Api, tmp_path: Path) -> None:
    """The API lists the reason among the notes, the page of the video says it in words; a copy has nothing to say."""
    clip, reason = SOURCES[name]
    video_id = alice.upload(clips.make(tmp_path / "a.mp4", clip), title=name)
    ready = alice.wait_until(video_id, "ready")
    assert ready["notes"] == ([reason] if reason else [])
    page = unescape(alice.get(f"/studio/{video_id}").raise_for_status().text)
    assert ("How it was made" in page) is bool(reason)
    assert reason is None or reason in page


def test_an_administrator_may_have_every_source_encoded(frugal: RunningServer, tmp_path: Path) -> None:
    """With a rate of 0 nothing is copied, and the reason says whose doing that is."""
    clip, _ = SOURCES["copied"]
    with closing(frugal.client("alice@example.org")) as alice:
        ready = alice.wait_until(alice.upload(clips.make(tmp_path / "a.mp4", clip), title="a"), "ready")
    assert ready["notes"] == ["This server encodes every video."]
