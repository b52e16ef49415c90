"""Which tracks players take as they are. Pure; safe in the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.media.ladder import MAX_FRAME_RATE
from streamhost.model import languages
from streamhost.model.streaming import AudioTrack, MediaInfo, Transfer, VideoTrack

H264_PROFILES = frozenset({"Baseline", "Constrained Baseline", "Main", "High"})
"""The 8-bit 4:2:0 profiles of H.264 that browsers decode (MSE, H.264 byte stream and ISO BMFF)."""
MAX_H264_LEVEL = 52
"""Level 5.2: 4K at 60 pictures a second; browsers refuse more."""
PIXEL_FORMAT = "yuv420p"
MAX_GOP = 10.0
"""Seconds between places to cut. Longer segments make seeking and switching slow."""
AAC_PROFILE = "LC"
AAC_RATES = frozenset({22050, 24000, 32000, 44100, 48000})
MAX_COPIED_CHANNELS = 2


class NotCopyable(Exception):
    """Not an error: the finding that a track must be encoded. Carries the sentence that says why."""


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """Up to which bit rate a source is served as it is; per pixel rate so that 4K may have more than 360p. Bit/s."""

    floor: int = 3_000_000
    per_megapixel: int = 8_000_000
    max_frame_rate: int = MAX_FRAME_RATE

    def allowed(self, video: VideoTrack) -> int:
        """Return the highest average rate, in bit/s, that a copy of this track may have."""
        return max(self.floor, round(self.per_megapixel * video.width * video.height / 1e6))


def video_obstacle(info: MediaInfo, limits: CopyLimits | None = None) -> str | None:
    """Return why the video track must be encoded, as a sentence for its owner, or ``None`` if it may be copied.

    What shows only while reading (distance and kind of keyframes, changing parameters) is checked by the copy itself.
    """
    if info.video is None:
        return "The file has no video track."
    limits = limits or CopyLimits()
    obstacle = source_obstacle(info, info.video, limits.max_frame_rate)
    return obstacle or rate_obstacle(info, info.video, limits)


def source_obstacle(info: MediaInfo, video: VideoTrack, max_frame_rate: int = MAX_FRAME_RATE) -> str | None:
    """Return why players would not take the track as this container holds it, or ``None``."""
    if info.container == "avi" and video.picture_reorder > 0:
        return "An AVI file does not say when reordered pictures are shown."
    return track_obstacle(video, max_frame_rate)


def track_obstacle(video: VideoTrack, max_frame_rate: int = MAX_FRAME_RATE) -> str | None:
    """Return why players would not take the track as it is, or ``None``."""
    checks = (
        (video.codec != "h264", f"The video is {video.codec}, not H.264."),
        (video.profile not in H264_PROFILES, f"The H.264 profile {video.profile} is not played by browsers."),
        (video.pixel_format != PIXEL_FORMAT, f"The pictures are {video.pixel_format}, not 8-bit 4:2:0."),
        ((video.level or 0) > MAX_H264_LEVEL, f"The H.264 level {(video.level or 0) / 10} is over 5.2."),
        (video.interlaced, "The video is interlaced."),
        (video.transfer is not Transfer.SDR, "The video is high dynamic range."),
        (video.rotation != 0 or video.flipped, "The picture is stored turned or mirrored."),
        (video.pixel_aspect != 1, "The pixels are not square."),
        (video.width % 2 == 1 or video.height % 2 == 1, "The picture's size is odd."),
        (video.frame_rate > max_frame_rate, f"There are more than {max_frame_rate} pictures a second."),
    )
    return next((sentence for stands, sentence in checks if stands), None)


def rate_obstacle(info: MediaInfo, video: VideoTrack, limits: CopyLimits) -> str | None:
    """Return why the bit rate is too high to be served as it is, or ``None``."""
    allowed = limits.allowed(video)
    rate = video.bit_rate or (info.size * 8 / info.duration if info.duration else 0)
    if allowed == 0:
        return "This server encodes every video."
    if rate > allowed:
        return f"The bit rate of {rate / 1e6:.1f} Mbit/s is over the {allowed / 1e6:.1f} Mbit/s for this size."
    return None


def audio_obstacle(track: AudioTrack) -> str | None:
    """Return why an audio track must be encoded, as a sentence, or ``None`` if it may be copied."""
    if track.codec != "aac" or track.profile != AAC_PROFILE:
        return f"The audio is {track.codec} {track.profile or ''}".strip() + ", not AAC-LC."
    if track.channels > MAX_COPIED_CHANNELS:
        return f"The audio has {track.channels} channels."
    if track.sample_rate not in AAC_RATES:
        return f"The sample rate of {track.sample_rate} Hz is unusual."
    return None


def encoded_beside(place: int, tracks: Sequence[AudioTrack], reason: str) -> str:
    """Say to the owner why the audio track at ``place`` is encoded though the picture is copied."""
    track = tracks[place]
    called = track.title or (languages.name(track.language) if track.language else None)
    named = f"Audio track {place + 1}" + (f" ({called})" if called else "")
    which = "The sound" if len(tracks) == 1 else named
    return f"{which} is encoded, though the picture is copied. {reason}"
