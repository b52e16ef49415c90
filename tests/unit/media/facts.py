"""Facts for tests that need no file: tracks, infos, renditions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from streamhost.model.streaming import AudioTrack, Kind, MediaInfo, Rendition, Segment, Transfer, VideoTrack


def video_track(**changes: Any) -> VideoTrack:
    """A 1080p25 H.264 track, with changes."""
    usual: dict[str, Any] = {
        "index": 0, "codec": "h264", "profile": "High", "level": 40, "width": 1920, "height": 1080,
        "pixel_format": "yuv420p", "bit_depth": 8, "pixel_aspect": Fraction(1), "rotation": 0, "flipped": False,
        "frame_rate": Fraction(25), "time_base": Fraction(1, 12800), "start": Fraction(0), "bit_rate": 4_000_000,
        "interlaced": False, "full_range": False, "transfer": Transfer.SDR, "color_matrix": "bt709",
        "picture_reorder": 2,
    }  # fmt: skip
    return VideoTrack(**usual | changes)


def audio_track(**changes: Any) -> AudioTrack:
    """A stereo AAC-LC track, with changes."""
    usual: dict[str, Any] = {
        "index": 1, "codec": "aac", "profile": "LC", "sample_rate": 48000, "channels": 2, "language": None,
        "title": None, "default": True, "time_base": Fraction(1, 48000), "start": Fraction(0), "bit_rate": 128_000,
    }  # fmt: skip
    return AudioTrack(**usual | changes)


def info(video: VideoTrack | None = None, *audio: AudioTrack, **changes: Any) -> MediaInfo:
    """What probing an MP4 of ten seconds says, with changes."""
    usual: dict[str, Any] = {
        "container": "mov", "size": 5_000_000, "duration": Fraction(10), "origin": Fraction(0), "video": video,
        "audio": audio,
    }  # fmt: skip
    return MediaInfo(**usual | changes)


def video_rendition(
    name: str = "v720", durations: tuple[int, ...] = (51200, 51200, 25600), **changes: Any
) -> Rendition:
    """A video rendition whose segments last ``durations`` ticks of 1/12800 second."""
    usual: dict[str, Any] = {
        "name": name, "kind": Kind.VIDEO, "codecs": "avc1.64001F", "timescale": 12800,
        "segments": segments(durations, key=5),
        "width": 1280, "height": 720, "frame_rate": Fraction(25),
    }  # fmt: skip
    return Rendition(**usual | changes)


def audio_rendition(
    name: str = "a-main", durations: tuple[int, ...] = (192512, 192512, 95232), **changes: Any
) -> Rendition:
    """An audio rendition whose segments last ``durations`` ticks of 1/48000 second."""
    usual: dict[str, Any] = {
        "name": name, "kind": Kind.AUDIO, "codecs": "mp4a.40.2", "timescale": 48000,
        "segments": segments(durations, 16), "sample_rate": 48000, "channels": 2, "default": True,
    }  # fmt: skip
    return Rendition(**usual | changes)


def segments(durations: tuple[int, ...], per_tick: int = 10, start: int = 0, key: int = 0) -> tuple[Segment, ...]:
    """Segments one after the other, ``per_tick`` bytes a tick; one ``key``-th of it is the first picture's."""
    made = []
    for duration in durations:
        size = duration * per_tick
        made.append(Segment(start, duration, size, size // key if key else 0))
        start += duration
    return tuple(made)
