"""Chunks: whatever their number, the same pictures come out, bit for bit, each encoded once; the sound never breaks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from streamhost.media import tasks
from streamhost.model.streaming import Plan, Rung
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.support import odd
from tests.unit.media import workshop

LOSSLESS = (Rung("v180", 320, 180, 0.0, 1_000_000_000, 1_000_000_000),)
"""Quality 0 without a bound on the rate is lossless in x264: what comes out is what went in, bit for bit."""
ONE = tasks.Encoding(preset="ultrafast", segment=1.0, chunk=1000.0, workers=1)
MANY = replace(ONE, chunk=2.0)
OPEN = (("preset", "veryfast"), ("x264-params", "open-gop=1:bframes=3:b-adapt=0"))
PYRAMID = (("preset", "medium"), ("x264-params", "bframes=5:b-pyramid=normal:b-adapt=0"))
TOP_FIRST = (("preset", "veryfast"), ("x264-params", "tff=1"))
OPEN_HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none:open-gop=1:bframes=3"))
NINE = Clip(seconds=9, gop=25)
MPEG2 = {"codec": "mpeg2video", "audio_codec": "mp2", "options": ()}
MPEG4 = {"codec": "mpeg4", "audio_codec": "libmp3lame", "options": ()}
SOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "closed groups": ("a.mp4", {}),
    "many reordered pictures": ("a.mp4", {"options": PYRAMID}),
    "open groups": ("a.mp4", {"options": OPEN}),
    "open groups in a transport stream": ("a.ts", {"options": OPEN}),
    "open groups of mpeg-2": ("a.ts", {"gop": 12, **MPEG2}),
    "mpeg-4 in avi": ("a.avi", MPEG4),
    "variable rate": ("a.mkv", {"seconds": 5, "gaps": (1, 1, 3, 2)}),
    "30000/1001": ("a.mkv", {"seconds": 9.009, "gop": 30, "fps": Fraction(30000, 1001)}),
    "late picture": ("a.mp4", {"first_picture": Fraction(1, 3)}),
    "interlaced": ("a.mp4", {"interlaced": True, "options": TOP_FIRST}),
    "hevc, open": ("a.mkv", {"seconds": 6, "codec": "libx265", "options": OPEN_HEVC}),
}
"""Files and what differs in them from nine seconds of H.264 and AAC with a keyframe each second."""


@dataclass(frozen=True, slots=True)
class Made:
    """What chunks made: time, counter and digest of every picture; how many were encoded and repeated; chunks."""

    pictures: list[tuple[float, int | None, str]]
    encoded: int
    repeated: int
    chunks: int


def make(source: Path, out: Path, encoding: tasks.Encoding) -> Made:
    """Encode a source losslessly in the chunks that the encoding asks for."""
    package = workshop.package(source, out, encode=True, encoding=encoding, rungs=LOSSLESS)
    assert isinstance(package.plan, Plan)
    found = []
    with av.open(str(workshop.whole(package, "v180"))) as container:
        stream = container.streams.video[0]
        encoded = sum(1 for packet in container.demux(stream) if packet.size)
    with av.open(str(out / "v180.mp4")) as container:
        for frame in container.decode(video=0):
            digest = hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()
            found.append((frame.time, clips.read_counter(frame), digest))
    return Made(found, encoded, package.repeated, len(package.plan.chunks))


@pytest.mark.parametrize("name", SOURCES)
def test_many_chunks_make_the_same_pictures_as_one(name: str, tmp_path: Path) -> None:
    """Same number, same counters, same times, same bits, across every border; none encoded twice, none left out."""
    file, changes = SOURCES[name]
    clip = replace(NINE, **changes)
    source = clips.make(tmp_path / file, clip)
    one, many = make(source, tmp_path / "one", ONE), make(source, tmp_path / "many", MANY)
    assert (one.chunks, many.chunks >= 3) == (1, True)
    assert [(time, number) for time, number, _ in many.pictures] == [(time, number) for time, number, _ in one.pictures]
    assert many.pictures == one.pictures
    assert many.encoded == one.encoded == len(one.pictures)
    assert many.repeated == one.repeated
    assert [number for _, number, _ in many.pictures][-clip.pictures :] == list(range(clip.pictures))


def test_chunks_of_a_joined_recording_make_the_same_pictures_as_one(tmp_path: Path) -> None:
    """Also where the clock jumps."""
    source = odd.joined(tmp_path, 5000, 3)
    one, many = make(source, tmp_path / "one-chunk", ONE), make(source, tmp_path / "many", MANY)
    assert many.chunks > one.chunks
    assert many.pictures == one.pictures


def sine(path: Path, seconds: float, rate: int, codec: str, layout: str = "stereo") -> Path:
    """A picture with a tone of 440 Hz that never stops."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        size = stream.codec_context.frame_size or 1024
        for start in range(0, int(seconds * rate), 1024):
            wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(start, start + 1024) / rate)
            block = np.tile(wave, (stream.codec_context.channels, 1)).astype(np.float32)
            frame = AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        assert size > 0
    return path


@pytest.mark.parametrize(
    ("file", "rate", "codec"),
    [
        ("a.m4a", 48_000, "aac"),
        ("a.mkv", 44_100, "flac"),
        ("a.ogg", 48_000, "libopus"),
        ("a.mp3", 44_100, "libmp3lame"),
    ],
)
def test_a_tone_never_breaks(file: str, rate: int, codec: str, tmp_path: Path) -> None:
    """Ten seconds in segments of one: at every sample the tone goes on where it was, over all borders."""
    source = sine(tmp_path / file, 10, rate, codec)
    package = workshop.package(source, tmp_path / "package")
    [sound] = package.presentation.audio
    assert len(sound.segments) >= 9
    with av.open(str(workshop.whole(package, sound.name))) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(samples) == sound.segments[-1].start + sound.segments[-1].duration
    steady = samples[4800 : 48_000 * 10 - 4800].astype(np.float64)
    turn = np.exp(-2j * np.pi * 440 * np.arange(len(steady)) / 48_000)
    window = 1200  # eleven whole waves
    phase = np.angle(np.convolve(steady * turn, np.ones(window) / window, mode="valid"))
    # One sample lost or doubled would turn the phase by 0.058 for good.
    assert np.abs(phase - np.median(phase)).max() < 0.03
    assert np.abs(np.diff(steady, 2)).max() < 2.5 * 0.5 * (2 * np.pi * 440 / 48_000) ** 2 + 0.01
