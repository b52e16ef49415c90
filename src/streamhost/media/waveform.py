"""The picture of a sound that has none: its cover, or its loudness drawn as a row of bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from streamhost.media.errors import MediaError
from streamhost.media.ladder import even
from streamhost.media.opening import check_size, opened
from streamhost.media.poster import write_poster
from streamhost.media.reading import Damage, decode, only, packets
from streamhost.media.tasks import Limits

WIDTH, HEIGHT = 1280, 720
BARS = 80
BAR = 10
"""Pixels of a bar's width, out of the 16 that each has."""
TALLEST = 420
SHORTEST = 8
TOP = np.array((0x12, 0x33, 0x2B), np.float64)
BOTTOM = np.array((0x0C, 0x13, 0x12), np.float64)
LIGHT = np.array((0x86, 0xE6, 0xCC), np.float64)
DARK = np.array((0x2F, 0xA7, 0x8A), np.float64)
"""Colours of the design's dark theme (``web/styles/tokens.css``): accent wash to the player's ground, accent."""
COARSE = 4096
"""Values kept while listening; then neighbours become one, however long the sound is."""
FULL_RANGE = ("yuvj", "rgb", "bgr", "gbr", "pal")
"""How the names of pixel formats begin that are full range by themselves."""
QUIETEST = 1e-4
"""Full scale is 1; what is below -80 dB counts as silence."""


@dataclass(slots=True)
class Loudness:
    """Listens along and keeps how loud it was, in at most twice ``COARSE`` values."""

    levels: list[float] = field(default_factory=list)
    per_value: int = 1
    _sum: float = 0.0
    _count: int = 0

    def hear(self, frame: AudioFrame) -> None:
        """Take a frame of conformed sound (planar float)."""
        self._sum += float(np.sqrt(np.mean(np.square(frame.to_ndarray(), dtype=np.float64))))
        self._count += 1
        if self._count == self.per_value:
            self.levels.append(self._sum / self._count)
            self._sum, self._count = 0.0, 0
        if len(self.levels) >= 2 * COARSE:
            self.levels = [(a + b) / 2 for a, b in zip(self.levels[::2], self.levels[1::2], strict=True)]
            self.per_value *= 2

    def bars(self) -> NDArray[np.float64]:
        """Return ``BARS`` heights from 0 to 1; the loudest is 1, all are 0 when nothing was heard."""
        levels = np.array(self.levels or [0.0])
        places = np.linspace(0, len(levels), BARS + 1)
        means = np.array([levels[int(a) : max(int(a) + 1, int(b))].mean() for a, b in pairwise(places)])
        top = means.max()
        # The square root makes quiet passages visible beside loud ones.
        return np.sqrt(means / top) if top > QUIETEST else np.zeros(BARS)


def write_waveform(out_dir: Path, loudness: Loudness) -> str:
    """Draw a sound into ``poster.jpg`` and return that name."""
    picture = VideoFrame.from_ndarray(draw(loudness.bars()), format="rgb24")
    return write_poster(out_dir, _in_our_colours(picture))


def draw(bars: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture: bars with round ends about the middle, light above, dark below, on a dark ground."""
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    canvas = np.broadcast_to(TOP * (1 - rows) + BOTTOM * rows, (HEIGHT, WIDTH, 3)).copy()
    step = WIDTH // BARS
    y = np.arange(HEIGHT) - (HEIGHT - 1) / 2
    x = np.arange(step) - (step - 1) / 2
    ink = LIGHT * (1 - rows) + DARK * rows
    for number, bar in enumerate(bars):
        half = max(SHORTEST, bar * TALLEST) / 2
        radius = BAR / 2
        # Distance to the line that the bar's round end moves along.
        beyond = np.maximum(np.abs(y) - max(0.0, half - radius), 0.0)
        distance = np.hypot(x[None, :], beyond[:, None])
        cover = np.clip(radius + 0.5 - distance, 0.0, 1.0)[:, :, None]
        here = canvas[:, number * step : (number + 1) * step]
        here += (ink - here) * cover
    return np.asarray(np.round(canvas), np.uint8)


def write_cover(source: str, index: int, out_dir: Path, limits: Limits) -> str | None:
    """Write a file's attached picture as ``poster.jpg`` and return that name; ``None`` if it cannot be decoded."""
    try:
        with opened(source, limits) as container:
            [stream] = only(container, av.VideoStream, index)
            for packet in packets(container, stream):
                for frame in decode(packet, VideoFrame, Damage()):
                    check_size(frame.width, frame.height, limits)
                    return write_poster(out_dir, _in_our_colours(frame))
    except MediaError:
        return None
    return None


def _in_our_colours(picture: VideoFrame) -> VideoFrame:
    """Return a picture as renditions are: 4:2:0, BT.709, limited range. Still pictures are BT.601 (JFIF)."""
    full = picture.color_range == ColorRange.JPEG or picture.format.name.startswith(FULL_RANGE)
    return picture.reformat(
        even(picture.width),
        even(picture.height),
        "yuv420p",
        src_colorspace=Colorspace.ITU601,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
