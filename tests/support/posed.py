"""Films of still pictures, as squares: crops and letterboxes see the same, so models score them as the pictures."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from tests.support.clips import CACHE
from tests.support.models import PICTURES

RATE = 5


def posed(picture: str, seconds: int = 8) -> Path:
    """A silent film that shows one of the fixtures' pictures, such as `gore`; `park`: nothing but a calm colour."""
    CACHE.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(f"posed {picture} {seconds} {RATE}".encode()).hexdigest()[:20]
    path = CACHE / f"{name}.mp4"
    if path.exists():
        return path
    shown = ["-loop", "1", "-i", str(PICTURES / f"{picture}.png")]
    if picture == "park":
        shown = ["-f", "lavfi", "-i", "gradients=size=320x320:c0=0x5a6e5a:c1=0x8fb3d9:speed=0.01:seed=7"]
    fresh = CACHE / f"{os.getpid()}-{path.name}"
    coding = ["-t", str(seconds), "-r", str(RATE), "-c:v", "libx264", "-crf", "18", "-g", "10", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *shown, *coding, str(fresh)], check=True, timeout=150)
    fresh.replace(path)
    return path
