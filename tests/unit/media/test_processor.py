"""What FFmpeg is told of the processor: it scales without gathering where that is slow, to the same pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streamhost.media import processor

SCRIPT = """
import ctypes, hashlib, json, sys
from pathlib import Path

import av.logging
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from streamhost.media import jpeg, processor

def scaled(width, height):
    smaller = VideoReformatter().reformat(picture, width, height, interpolation=Interpolation.BICUBIC, threads=1)
    return hashlib.sha256(b"".join(jpeg.plane(plane).tobytes() for plane in smaller.planes)).hexdigest()

noise = np.random.default_rng(1).integers(0, 256, (1080, 1280), np.uint8)
picture = VideoFrame.from_ndarray(noise, "yuv420p")
sizes = (854, 480), (640, 360), (426, 240)
before = [scaled(*size) for size in sizes]
library = ctypes.CDLL(av.logging.__file__)
known = library.av_get_cpu_flags()
processor.CPUINFO = Path(sys.argv[1])
processor.tell_ffmpeg()
same = [scaled(*size) for size in sizes] == before
print(json.dumps([known, library.av_get_cpu_flags(), same]))
"""


@pytest.mark.parametrize(
    ("named", "told"),
    [("AuthenticAMD", processor.SLOW_GATHER), ("GenuineIntel", 0), (None, 0)],
)
def test_ffmpeg_gathers_not_on_amd(tmp_path: Path, named: str | None, told: int) -> None:
    """On AMD's processors it is told so; on others, and where none is named, it goes on as it decides itself."""
    cpuinfo = tmp_path / "cpuinfo"
    if named is not None:
        cpuinfo.write_text(f"processor\t: 0\nvendor_id\t: {named}\ncpu family\t: 26\n")
    script = [sys.executable, "-c", SCRIPT, str(cpuinfo)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    known, flags, same = json.loads(done.stdout)
    assert flags == known | told
    assert same
