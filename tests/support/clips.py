"""Clips that several tests upload: generated once for all runs, kept outside version control."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path

from streamhost.testing.clips import Clip, make

CACHE = Path(__file__).parents[2] / ".cache" / "clips"


def cached(clip: Clip, suffix: str) -> Path:
    """The clip as a file; made if no earlier run has made it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"{hashlib.sha256(repr(clip).encode()).hexdigest()[:20]}{suffix}"
    if not path.exists():
        fresh = path.with_name(f"{os.getpid()}-{path.name}")
        make(fresh, clip)
        fresh.replace(path)
    return path


def copied_clip() -> Path:
    """H.264 and AAC that players take: copied, and two smaller renditions made from it. 24 seconds."""
    return cached(Clip(seconds=24.0, width=854, height=480, fps=Fraction(25), gop=50), ".mp4")


def small_clip() -> Path:
    """H.264 and AAC that players take, too small for another rendition: ready at once. 12 seconds in 3 segments."""
    return cached(Clip(seconds=12.0, width=320, height=180, fps=Fraction(25), gop=50), ".mp4")


def encoded_clip() -> Path:
    """VP9 and Opus: everything is encoded. 24 seconds."""
    clip = Clip(seconds=24.0, width=640, height=360, codec="libvpx-vp9", audio_codec="libopus", gop=50)
    return cached(clip, ".webm")
