"""Clips made in code: colour bars with a frame counter that a program can read, and tone bursts that mark the seconds.

A decoded picture tells its own number (``read_counter``), and sound tells when each burst begins (``find_bursts``);
so a test knows exactly which pictures came out, when, and whether sound and picture agree. Needs PyAV and numpy only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

COUNTER_BITS = 16
"""Pictures up to 65,535 tell themselves apart."""
CELLS = COUNTER_BITS + 2
"""The counter's cells in a row: white, black, then the bits, highest first."""
BLACK, WHITE, GREY = 16, 235, 126
BAR_COLOURS = (
    (180, 128, 128),
    (168, 44, 136),
    (145, 147, 44),
    (133, 63, 52),
    (63, 193, 204),
    (51, 109, 212),
    (28, 212, 120),
)
"""75 % colour bars in BT.709 Y, Cb, Cr (after ITU-R BT.1729): grey, yellow, cyan, green, magenta, red, blue."""
BT709 = (1, 1, 1)
HDR10 = (9, 16, 9)
"""Primaries, transfer and matrix (ISO/IEC 23091-2): BT.709; BT.2020 with PQ."""
BURST_EVERY = Fraction(1)
BURST_LENGTH = Fraction(1, 10)
TONE_HERTZ = 1000
AMPLITUDE = 0.5
AUDIO_BLOCK = 1024

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """What a clip is to be. ``seconds`` times ``fps`` pictures; a burst of sound begins at every whole second.

    ``codec`` and ``pix_fmt`` are names FFmpeg knows; ``hdr`` marks the pictures as HDR10; ``options`` go to the video
    encoder. ``rotation`` is the clockwise turn in degrees a player must make. ``gaps`` makes the rate variable: after
    picture n of the cycle, so many pictures' time passes instead of one. ``languages`` gives an audio track each;
    empty means no sound. ``late_audio`` seconds pass before sound begins, the bursts staying on the seconds.
    """

    seconds: float = 4.0
    width: int = 320
    height: int = 180
    fps: Fraction = Fraction(25)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    gop: int = 50
    b_frames: int = 2
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"),)
    pixel_aspect: Fraction = Fraction(1)
    rotation: int = 0
    interlaced: bool = False
    full_range: bool = False
    hdr: bool = False
    video: bool = True
    first_picture: Fraction = Fraction(0)
    gaps: tuple[int, ...] = ()
    audio_codec: str = "aac"
    sample_rate: int = 48_000
    layout: str = "stereo"
    languages: tuple[str, ...] = ("und",)
    late_audio: Fraction = Fraction(0)
    container_options: tuple[tuple[str, str], ...] = ()

    @property
    def pictures(self) -> int:
        """How many pictures there are."""
        return round(self.seconds * self.fps)

    def picture_times(self) -> list[Fraction]:
        """When each picture is shown, in seconds."""
        steps = [1] if not self.gaps else list(self.gaps)
        at, times = Fraction(0), []
        for number in range(self.pictures):
            times.append(self.first_picture + at / self.fps)
            at += steps[number % len(steps)]
        return times

    @property
    def end(self) -> Fraction:
        """When the last picture's time is over, in seconds."""
        times = self.picture_times()
        return times[-1] + 1 / self.fps if times else Fraction(self.seconds)


def make(path: Path | str, clip: Clip | None = None) -> Path:
    """Write a clip; the container follows from the file's name. Returns the path."""
    clip = clip or Clip()
    path = Path(path)
    with av.open(str(path), "w", options=dict(clip.container_options)) as out:
        pictures = _video_stream(out, clip) if clip.video else None
        sounds = [_audio_stream(out, clip, language) for language in clip.languages]
        sources: list[tuple[VideoStream | AudioStream, Iterator[tuple[Fraction, Any]]]] = []
        if pictures is not None:
            sources.append((pictures, _pictures(clip, pictures)))
        sources += [(stream, _sounds(clip, stream)) for stream in sounds]
        _interleave(out, sources)
    return path


def picture(clip: Clip, number: int) -> VideoFrame:
    """Return picture ``number``: moving colour bars, with the counter in the lower quarter."""
    height, width = clip.height, clip.width
    luma = np.empty((height, width), np.uint8)
    chroma = np.empty((2, -(-height // 2), -(-width // 2)), np.uint8)
    edges = [(i * width // len(BAR_COLOURS)) for i in range(len(BAR_COLOURS) + 1)]
    for (left, right), (y, cb, cr) in zip(pairwise(edges), BAR_COLOURS, strict=True):
        luma[:, left:right] = y
        chroma[0][:, left // 2 : -(-right // 2)] = cb
        chroma[1][:, left // 2 : -(-right // 2)] = cr
    ball = (number * 3) % width
    luma[height // 8 : height // 4, ball : ball + width // 16] = WHITE
    top = _counter_top(height)
    luma[top:] = _counter_row(number, width)
    chroma[:, top // 2 :] = 128
    frame = VideoFrame(width, height, "yuv420p")
    for plane, values in zip(frame.planes, (luma, chroma[0], chroma[1]), strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : values.shape[1]] = values[: plane.height]
        plane.update(rows.tobytes())
    return frame


def read_counter(frame: VideoFrame) -> int | None:
    """Return the number that a picture carries, at whatever size it comes; ``None`` when it shows no counter."""
    luma = frame.reformat(format="gray").to_ndarray()
    height, width = luma.shape
    top = _counter_top(height)
    middle = luma[top + (height - top) // 4 : height - (height - top) // 4]
    edges = [cell * width / CELLS for cell in range(CELLS + 1)]
    cells = [
        float(middle[:, int(left + (right - left) / 4) : max(int(right - (right - left) / 4), int(left) + 1)].mean())
        for left, right in pairwise(edges)
    ]
    white, black = cells[0], cells[1]
    if white - black < (WHITE - BLACK) / 2:
        return None
    middle_grey = (white + black) / 2
    return int("".join("1" if cell > middle_grey else "0" for cell in cells[2:]), 2)


def find_bursts(samples: Samples, rate: int) -> list[float]:
    """Return when each tone burst begins, in seconds, to about a millisecond. ``samples`` is one channel, any scale."""
    loud = np.abs(samples.astype(np.float64))
    if not loud.size or loud.max() <= 0:
        return []
    window = max(1, rate // TONE_HERTZ)
    level = np.convolve(loud, np.ones(window) / window, mode="full")[: loud.size]
    # A window that is half full of tone has half the tone's level: its end is then half a window late.
    on = level > np.percentile(level, 99) / 2
    starts = np.flatnonzero(on & ~np.concatenate(([False], on[:-1])))
    quiet = rate // 20
    kept: list[int] = []
    for start in starts:
        if not on[max(0, start - quiet) : start].any():
            kept.append(int(start))
    return [max(0.0, (start - window / 2) / rate) for start in kept]


def _counter_top(height: int) -> int:
    return height - height // 4


def _counter_row(number: int, width: int) -> NDArray[np.uint8]:
    bits = [WHITE, BLACK, *(WHITE if number >> bit & 1 else BLACK for bit in reversed(range(COUNTER_BITS)))]
    cells = np.minimum(np.arange(width) * CELLS // width, CELLS - 1)
    return np.array(bits, np.uint8)[cells]


def _video_stream(out: OutputContainer, clip: Clip) -> VideoStream:
    stream = out.add_stream(clip.codec, rate=clip.fps)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = clip.width, clip.height, clip.pix_fmt
    context.gop_size = clip.gop
    context.max_b_frames = clip.b_frames
    context.time_base = 1 / clip.fps if not clip.first_picture else Fraction(1, 90000)
    context.sample_aspect_ratio = clip.pixel_aspect
    context.color_range = 2 if clip.full_range else 1
    context.color_primaries, context.color_trc, context.colorspace = HDR10 if clip.hdr else BT709
    context.thread_count = 1
    options = dict(clip.options)
    if clip.interlaced:
        options["flags"] = "+ildct+ilme"
    context.options = options
    if clip.rotation:
        stream.set_display_rotation(-clip.rotation)
    return stream


def _audio_stream(out: OutputContainer, clip: Clip, language: str) -> AudioStream:
    stream = out.add_stream(clip.audio_codec, rate=clip.sample_rate, layout=clip.layout)
    assert isinstance(stream, AudioStream)
    if language != "und":
        stream.metadata["language"] = language
    return stream


def _pictures(clip: Clip, stream: VideoStream) -> Iterator[tuple[Fraction, VideoFrame]]:
    base = stream.codec_context.time_base
    for number, time in enumerate(clip.picture_times()):
        frame = picture(clip, number).reformat(
            format=clip.pix_fmt, src_color_range=1, dst_color_range=2 if clip.full_range else 1
        )
        frame.pts, frame.time_base = round(time / base), base
        frame.pict_type = PictureType.NONE
        yield time, frame


def _sounds(clip: Clip, stream: AudioStream) -> Iterator[tuple[Fraction, AudioFrame]]:
    rate = clip.sample_rate
    end = int((clip.end if clip.video else Fraction(clip.seconds)) * rate)
    channels = stream.codec_context.channels
    for start in range(int(clip.late_audio * rate), end, AUDIO_BLOCK):
        count = min(AUDIO_BLOCK, end - start)
        tone = np.tile(bursts(start, count, rate), (channels, 1)).astype(np.float32)
        frame = AudioFrame.from_ndarray(tone, "fltp", clip.layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield Fraction(start, rate), frame


def bursts(start: int, count: int, rate: int) -> Samples:
    """Return ``count`` samples from ``start`` on of a tone that sounds for a tenth at the start of every second."""
    places = np.arange(start, start + count)
    inside = places % round(BURST_EVERY * rate) < round(BURST_LENGTH * rate)
    tone = AMPLITUDE * np.sin(2 * np.pi * TONE_HERTZ * (places % rate) / rate)
    return np.where(inside, tone, 0.0).astype(np.float32)


def _interleave(
    out: OutputContainer, sources: Iterable[tuple[VideoStream | AudioStream, Iterator[tuple[Fraction, Any]]]]
) -> None:
    """Encode whichever source is furthest behind, so that the file is as interleaved as a camera's."""
    waiting = [(stream, source, next(source, None)) for stream, source in sources]
    while any(head is not None for _, _, head in waiting):
        place = min(
            (place for place, (_, _, head) in enumerate(waiting) if head is not None),
            key=lambda place: waiting[place][2][0],  # type: ignore[index]  # filtered above
        )
        stream, source, head = waiting[place]
        assert head is not None, "only sources with a head were looked at"
        out.mux(stream.encode(head[1]))
        waiting[place] = (stream, source, next(source, None))
    for stream, _, _ in waiting:
        out.mux(stream.encode(None))
