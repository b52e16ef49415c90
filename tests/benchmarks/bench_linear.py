"""What a minute of video costs in short and in long ones: time by the copy path and by the encoding path, and memory.

The copy path repackages 720 lines; the encoding path makes three small rungs, so that an hour of it is bearable. Both
run as the server runs them (see `making`), stills and manifests included. What every file costs once, such as starting
processes, counts for the shorter ones. `python tests/benchmarks/bench_linear.py [longest minutes]`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.testing import clips  # noqa: E402 -- after the path to the tests
from tests.benchmarks import making  # noqa: E402 -- likewise
from tests.benchmarks.bench_copy import PIECE  # noqa: E402 -- likewise
from tests.unit.media.content import looped  # noqa: E402 -- likewise

MINUTES = (1, 10, 60)
SMALL = clips.Clip(seconds=64, width=256, height=144, fps=Fraction(10), gop=40, codec="mpeg4", options=(("b", "300k"),))
"""MPEG-4 part 2 is never copied; 64 s are a whole number of sound frames."""
MIB = 1024**2


def figure(name: str, ours: float, unit: str, aim: str | None = None) -> None:
    """Print one figure."""
    shown = {"ours": round(ours, 3), "peer": None, "ratio": None, "unit": unit}
    print(json.dumps({"name": name, **shown, **({"aim": aim} if aim else {})}), flush=True)


def main() -> None:
    """Print the figures."""
    longest = int(sys.argv[1]) if len(sys.argv) > 1 else MINUTES[-1]
    lengths = [minutes for minutes in MINUTES if minutes < longest] + [longest]
    with tempfile.TemporaryDirectory() as folder:
        for way, clip in (("copied", PIECE), ("encoded", SMALL)):
            piece = clips.make(Path(folder) / f"{way}.mp4", clip)
            seconds: dict[int, float] = {}
            memory: dict[int, int] = {}
            for minutes in lengths:
                source = looped(piece, Path(folder) / f"{way}{minutes}.mp4", minutes * 60)
                out = Path(folder) / f"{way}{minutes}"
                out.mkdir()
                made = making.copy(source, out) if way == "copied" else making.encode(source, out, 3)
                seconds[minutes], memory[minutes] = made.seconds, made.children.peak
                source.unlink()
                figure(f"{way}: {minutes} min, for each minute", made.seconds / minutes, "s")
            short, long = lengths[-2:]
            grows = (seconds[long] / long) / (seconds[short] / short)
            figure(f"{way}: a minute in {long} min, times one in {short} min", grows, "times", "<= 1.1")
            figure(f"{way}: largest child, {long} min", memory[long] / MIB, "MiB", "<= 700")


if __name__ == "__main__":
    main()
