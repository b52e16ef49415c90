"""The clips' own marks: what is written into them is what is read out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from streamhost.testing import clips
from tests.unit.media import workshop


@pytest.mark.parametrize("size", [(320, 180), (1920, 1080), (96, 54), (180, 320)])
@pytest.mark.parametrize("number", [0, 1, 2, 0x5555, 0xAAAA, 0xFFFF])
def test_the_counter_reads_at_any_size(size: tuple[int, int], number: int) -> None:
    """The number comes back at the drawn size and at half of it."""
    drawn = clips.picture(clips.Clip(width=size[0], height=size[1]), number)
    assert clips.read_counter(drawn) == number
    assert clips.read_counter(drawn.reformat(size[0] // 2, size[1] // 2)) == number


def test_a_picture_without_a_counter_has_no_number() -> None:
    """Grey is no number."""
    frame = VideoFrame(320, 180, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    assert clips.read_counter(frame) is None


@pytest.mark.parametrize("rate", [44100, 48000])
def test_bursts_are_found_to_the_millisecond(rate: int) -> None:
    """A burst begins on every second, however the sound is cut into blocks."""
    blocks = [clips.bursts(start, 1000, rate) for start in range(0, 5 * rate, 1000)]
    assert np.allclose(clips.find_bursts(np.concatenate(blocks)[: 5 * rate], rate), range(5), atol=0.001)
    assert clips.find_bursts(np.zeros(rate, np.float32), rate) == []


def test_a_clip_is_what_was_asked_for(tmp_path: Path) -> None:
    """Size, rate, rotation, pixel shape, languages and length are found again by probing."""
    clip = clips.Clip(
        seconds=2, width=640, height=360, fps=Fraction(30000, 1001), rotation=90, pixel_aspect=Fraction(4, 3),
        languages=("eng", "deu"),
    )  # fmt: skip
    info = workshop.probe(clips.make(tmp_path / "a.mp4", clip))
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.rotation) == (640, 360, 90)
    assert (info.video.frame_rate, info.video.pixel_aspect) == (Fraction(30000, 1001), Fraction(4, 3))
    assert [track.language for track in info.audio] == ["en", "de"]
    assert abs(info.duration - 2) < Fraction(1, 20)
