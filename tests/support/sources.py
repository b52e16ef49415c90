"""One source of every class that people upload, and what a player must show of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamhost.model.streaming import Transfer
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.support import hdr, odd
from tests.support.whole_way import go

QUICK_HEVC = (("preset", "ultrafast"), ("x265-params", "log-level=none"))
CHAPTERS = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1\nSTART=2\nEND=3\n"
WORDS = "1\n00:00:00,500 --> 00:00:02,000\nhello\n"


@dataclass(frozen=True, slots=True)
class Source:
    """How a source is made. ``last`` is the counter of its last picture (``None``: it shows none that can be read).

    ``seconds`` is how long it plays, ``pictures`` whether it has any.
    """

    make: Callable[[Path], Path]
    seconds: float
    last: int | None = None
    pictures: bool = True


def usual(name: str, **changes: Any) -> Source:
    """A clip of three seconds at 25 pictures a second, with changes."""
    clip = replace(Clip(seconds=3, gop=25), **changes)
    length = float(clip.end if clip.video else clip.seconds)
    turned = clip.rotation or not clip.video
    return Source(
        lambda folder: clips.make(folder / name, clip), length, None if turned else clip.pictures - 1, clip.video
    )


def ffmpeg(*arguments: str | Path) -> None:
    """Run Debian's ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=150)


def film(folder: Path) -> Path:
    """Two languages, subtitles, chapters and a cover."""
    source = clips.make(folder / "plain.mkv", Clip(seconds=3, gop=25, languages=("eng", "deu")))
    (folder / "words.srt").write_text(WORDS)
    (folder / "chapters.txt").write_text(CHAPTERS)
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", folder / "cover.png")
    ffmpeg(
        "-i", source, "-i", folder / "words.srt", "-i", folder / "chapters.txt", "-map", "0", "-map", "1",
        "-map_chapters", "2", "-c", "copy", "-attach", folder / "cover.png", "-metadata:s:t", "mimetype=image/png",
        folder / "film.mkv",
    )  # fmt: skip
    return folder / "film.mkv"


def killed_recording(folder: Path) -> Path:
    """A Matroska file as a recorder leaves it that was killed: no duration, no index, the end missing."""
    source = clips.make(folder / "a.mp4", Clip(seconds=4, gop=25))
    ffmpeg("-i", source, "-c", "copy", "-f", "matroska", "-live", "1", folder / "live.mkv")
    content = (folder / "live.mkv").read_bytes()
    return odd.written(folder / "killed.mkv", content[: len(content) * 3 // 4])


def unequal(folder: Path, picture: float, sound: float) -> Path:
    """A file whose picture and sound last so many seconds."""
    video = clips.make(folder / "video.mp4", Clip(seconds=picture, gop=25, languages=()))
    audio = clips.make(folder / "audio.m4a", Clip(seconds=sound, video=False))
    return odd.merged(video, audio, folder / "unequal.mp4")


def hlg(folder: Path) -> Path:
    """Two pictures in HLG."""
    return hdr.write(folder / "hlg.mp4", hdr.signal_of(hdr.scene(), Transfer.HLG), Transfer.HLG)


def without_keyframe(folder: Path) -> Path:
    """A recording that begins between keyframes."""
    whole = clips.make(folder / "whole.mkv", Clip(seconds=5, gop=50))
    return odd.without_packets(whole, folder / "a.mkv", "video", lambda number: number < 20)


SOURCES: dict[str, Source] = {
    "copied": usual("a.mp4"),
    "copied from a transport stream": usual("a.ts"),
    "fragmented": usual("a.mp4", container_options=(("movflags", "frag_keyframe+empty_moov"),)),
    "turned": usual("a.mp4", rotation=90),
    "variable rate": usual("a.mkv", gaps=(1, 1, 3, 2), seconds=1.6),
    "variable rate, encoded": usual("a.mkv", gaps=(1, 1, 3, 2), seconds=1.6, codec="libx265", options=QUICK_HEVC),
    "slides": usual("a.mkv", fps=Fraction(1, 4), seconds=12, gop=1),
    "interlaced": usual("a.mp4", interlaced=True, options=(("preset", "veryfast"), ("x264-params", "tff=1"))),
    "odd size": usual("a.mkv", width=321, height=181, pix_fmt="yuv444p"),
    "anamorphic": usual("a.mp4", pixel_aspect=Fraction(4, 3)),
    "10 bit": usual("a.mkv", pix_fmt="yuv420p10le", codec="libx265", options=QUICK_HEVC),
    "full range": usual("a.mp4", full_range=True),
    "hdr10": usual("a.mp4", pix_fmt="yuv420p10le", codec="libx265", options=QUICK_HEVC, hdr=True),
    "hlg": Source(hlg, 0.08),
    "vp9 and opus": usual(
        "a.webm", codec="libvpx-vp9", audio_codec="libopus", options=(("cpu-used", "8"),), b_frames=0
    ),
    "mpeg-2 and mp2": usual("a.mpg", codec="mpeg2video", audio_codec="mp2", options=(("b", "2000k"),)),
    "avi with reordered pictures": usual("a.avi", codec="mpeg4", audio_codec="libmp3lame", options=()),
    "flash": usual("a.flv", codec="flv1", audio_codec="libmp3lame", sample_rate=44_100, options=(), b_frames=0),
    "120 a second": usual("a.mp4", fps=Fraction(120), seconds=2),
    "30000/1001 a second": usual("a.mp4", fps=Fraction(30000, 1001), seconds=3.003),
    "open groups": usual("a.mp4", options=(("preset", "veryfast"), ("x264-params", "open-gop=1:bframes=3"))),
    "two languages, subtitles, chapters, cover": Source(film, 3.0, 74),
    "5.1": usual("a.mp4", layout="5.1"),
    "mono at 44.1 kHz": usual("a.mp4", layout="mono", sample_rate=44_100, audio_codec="libmp3lame"),
    "no sound": usual("a.mp4", languages=()),
    "sound alone": usual("a.m4a", video=False),
    "a song": usual("a.flac", video=False, audio_codec="flac"),
    "late sound": usual("a.mkv", late_audio=Fraction(1)),
    "late picture": usual("a.mp4", first_picture=Fraction(1, 3)),
    "short sound": Source(lambda folder: unequal(folder, 5, 1), 5.0, 124),
    "a still with sound": Source(lambda folder: unequal(folder, 0.04, 4), 4.0, 0),
    "one picture": usual("a.mp4", seconds=0.04, languages=()),
    "missing duration": Source(killed_recording, 3.0),
    "cut off": Source(lambda folder: odd.cut_off(folder, ".mp4"), 3.6),
    "a hole": Source(lambda folder: odd.with_hole(folder, ".mp4"), 6.0, 149),
    "a hole in a transport stream": Source(lambda folder: odd.with_hole(folder, ".ts"), 6.0, 149),
    "no keyframe at first": Source(without_keyframe, 5.0, 124),
    "joined recordings": Source(lambda folder: odd.joined(folder, 5000, 0), 12.1, 149),
}
"""Every class, by name."""


def packaged(name: str, folder: Path) -> Path:
    """Make a source and its package, by the pipeline's own steps; returns the package."""
    folder.mkdir()
    source = SOURCES[name].make(folder)
    out = folder / "package"
    out.mkdir()
    result = go(str(source), str(out), lambda _share, _step: None)
    assert result["renditions"]
    assert not result["gaps"]
    return out
