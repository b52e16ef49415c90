"""One hour of 720p30 H.264 and AAC repackaged into CMAF, with both manifests: from the file's last byte to playable.

The file is 64 generated seconds (a whole number of AAC frames), their packets repeated. Timed are the probe and the
copy in child processes, as the server runs them, and the manifests: the best of three rounds of each, in turns.
`python tests/benchmarks/bench_copy.py [minutes]`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.testing import clips  # noqa: E402 -- after the path to the tests
from tests.benchmarks import making  # noqa: E402 -- likewise
from tests.unit.media.content import looped  # noqa: E402 -- likewise

FULL = (("preset", "ultrafast"), ("b", "2500k"), ("maxrate", "2500k"), ("bufsize", "2500k"), ("nal-hrd", "cbr"))
"""Padded to its bit rate, so that the file is as large as one of real pictures."""
ROUNDS = 3
PIECE = clips.Clip(seconds=64, width=1280, height=720, fps=Fraction(30), gop=60, options=FULL)


def peer(source: Path, out: Path) -> float:
    """The newest FFmpeg writing HLS with fragmented MP4 from the same packets; return seconds."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(source), "-map", "0:v", "-map", "0:a"]
    command += ["-c", "copy", "-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "4", "-hls_playlist_type", "vod"]
    began = time.monotonic()
    subprocess.run([*command, str(out / "index.m3u8")], check=True)
    return time.monotonic() - began


def fresh(folder: str, name: str) -> Path:
    """A folder of that name."""
    made = Path(folder) / name
    made.mkdir()
    return made


def main() -> None:
    """Print the figure."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        piece = clips.make(Path(folder) / "piece.mp4", PIECE)
        source = looped(piece, Path(folder) / "hour.mp4", minutes * 60)
        print(f"{minutes} minutes, {source.stat().st_size / 1e6:.0f} MB")
        # What a round has written stays until the end: an ext4 without a journal looks for long at what was removed.
        rounds = [(fresh(folder, f"ours-{n}"), fresh(folder, f"peer-{n}")) for n in range(ROUNDS)]
        times = [(making.copy(source, ours).seconds, peer(source, theirs)) for ours, theirs in rounds]
        mine, theirs = (min(side) for side in zip(*times, strict=True))
    figure = {"name": f"{minutes} minutes of 720p copied, with manifests", "unit": "s", "aim": "<= 5"}
    print(json.dumps(figure | {"ours": round(mine, 2), "peer": round(theirs, 2), "ratio": round(mine / theirs, 3)}))


if __name__ == "__main__":
    main()
