"""The ladder: which renditions a source becomes. Pure; safe in the server."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from streamhost.model.streaming import AudioTrack, MediaInfo, Rung


@dataclass(frozen=True, slots=True)
class Step:
    """One step that a ladder may have, for pictures of up to 30 per second; rates in bit/s.

    ``height`` is the short side of a picture, so that a portrait video gets the same steps as a landscape one.
    ``max_rate`` is for a 16:9 picture of that height; other shapes and frame rates scale it.
    """

    height: int
    max_rate: int


STEPS = (
    Step(2160, 16_000_000),
    Step(1440, 9_000_000),
    Step(1080, 5_000_000),
    Step(720, 2_800_000),
    Step(480, 1_400_000),
    Step(360, 800_000),
    Step(240, 400_000),
)
"""Rates near those of the HLS Authoring Specification's examples for H.264 (section 1, table of variants)."""

SKIP_RATIO = Fraction(9, 10)
"""A step more than this near to the source's own size adds nothing that a viewer sees."""
WIDE = Fraction(16, 9)
BASE_RATE = 30
"""Frames per second for which ``Step.max_rate`` is meant."""
MAX_FRAME_RATE = 60
"""Faster sources lose pictures: above it few screens show, and few decoders keep up."""
BUFFER_SECONDS = Fraction(3, 2)
"""Length of the VBV: short enough that no segment far exceeds its rung's rate."""
MIN_MAX_RATE = 150_000
"""Below this x264 cannot hold the cap on small pictures."""


@dataclass(frozen=True, slots=True)
class LadderSettings:
    """What the administrator may choose: the heights offered, the quality, the tallest rendition and the fastest.

    ``rates`` are the caps, in bit/s, by height; between two heights they are interpolated.
    """

    heights: tuple[int, ...] = (1080, 720, 480, 360, 240)
    crf: float = 23.0
    max_height: int = 2160
    max_frame_rate: int = MAX_FRAME_RATE
    rates: dict[int, int] = field(default_factory=lambda: {step.height: step.max_rate for step in STEPS})


def ladder(info: MediaInfo, settings: LadderSettings | None = None) -> tuple[Rung, ...]:
    """Return the rungs for a source, best first; empty when it has no video. Never larger than the source.

    The best rung has the source's own size (or ``max_height``); steps below follow unless nearly the same.
    """
    settings = settings or LadderSettings()
    if info.video is None:
        return ()
    width, height = info.video.display_size
    short = min(width, height)
    top = min(short, settings.max_height)
    heights = [top, *(h for h in sorted(settings.heights, reverse=True) if h < top * SKIP_RATIO)]
    rate = min(output_rate(info.video.frame_rate, settings.max_frame_rate), Fraction(settings.max_frame_rate))
    return tuple(_rung(Fraction(h, short), width, height, rate, settings) for h in heights)


def lower_rungs(info: MediaInfo, settings: LadderSettings | None = None) -> tuple[Rung, ...]:
    """Return the rungs to encode beside a copied video: the ladder without a rung of nearly the source's own size.

    The first rung of a source above ``max_height`` is kept: only the copy is larger.
    """
    own = min(info.video.display_size) if info.video else 0
    return tuple(rung for rung in ladder(info, settings) if min(rung.width, rung.height) < own * SKIP_RATIO)


def output_rate(rate: Fraction, most: int = MAX_FRAME_RATE) -> Fraction:
    """Return the encoded frame rate for a nominal source rate: itself, or its largest whole part up to ``most``."""
    if rate <= most:
        return rate
    return rate / -(-rate // most)


def even(value: Fraction | int) -> int:
    """Round to the nearest even number of pixels, at least 2 (4:2:0 needs pairs)."""
    return max(2, round(value / 2) * 2)


def rung_name(width: int, height: int) -> str:
    """Name of a video rendition: ``v`` and its short side."""
    return f"v{min(width, height)}"


def audio_names(tracks: Iterable[AudioTrack]) -> tuple[str, ...]:
    """Names of the audio renditions: ``a-`` and the language or ``main``, numbered when taken."""
    taken: list[str] = []
    for track in tracks:
        base = f"a-{track.language or 'main'}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.append(name)
    return tuple(taken)


def _rung(scale: Fraction, width: int, height: int, rate: Fraction, settings: LadderSettings) -> Rung:
    wide, tall = even(width * scale), even(height * scale)
    max_rate = _cap(wide, tall, rate, settings)
    return Rung(rung_name(wide, tall), wide, tall, settings.crf, max_rate, round(max_rate * BUFFER_SECONDS))


def _cap(width: int, height: int, rate: Fraction, settings: LadderSettings) -> int:
    """Interpolate the cap between steps by pixels, to the power of 3/4, and by the square root of the frame rate.

    Neighbouring pixels and pictures resemble each other more as there are more of them: rate grows slower than both.
    """
    pixels = width * height
    steps = [(float(h * h * WIDE), cap) for h, cap in settings.rates.items()]
    base_pixels, base_cap = min(steps, key=lambda step: abs(step[0] - pixels))
    grown = math.pow(pixels / base_pixels, 0.75) * math.sqrt(max(1.0, float(rate / BASE_RATE)))
    return max(MIN_MAX_RATE, round(base_cap * grown / 1000) * 1000)
