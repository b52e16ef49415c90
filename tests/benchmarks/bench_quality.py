"""Quality at equal bit rate: our renditions of Big Buck Bunny against those of one newest-FFmpeg command.

Both encode 720, 480 and 360 lines, a ladder as the server makes it (each size is scaled from the one above), with the
same preset and the same keyframes, each at several qualities (CRF). SSIM and XPSNR are measured by FFmpeg's filters
against the source, scaled by lanczos to the rendition's size. Between the measured points quality is interpolated over
the logarithm of the rate, and compared where both have rates, as for the Bjontegaard delta (ITU-T VCEG-M33). SSIM is
shown in decibels, -10 log10(1 - SSIM), since it is so near to 1. The ratio has three digits: threads and the places of
chunks move the fourth.
`python tests/benchmarks/bench_quality.py [seconds]`.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.media import ladder, tasks  # noqa: E402 -- after the path to the tests
from streamhost.model.streaming import INIT_SEGMENT, MediaInfo, Rendition, segment_name  # noqa: E402 -- likewise
from tests.benchmarks import making  # noqa: E402 -- likewise
from tests.benchmarks.bench_ladder import theirs  # noqa: E402 -- likewise
from tests.unit.media.content import big_buck_bunny, looped  # noqa: E402 -- likewise

QUALITIES = (20, 24, 28, 32)
NO_CAP = 1_000_000_000
"""A cap would make the rates of the best qualities equal."""
HEIGHTS = (720, 480, 360)
COLOURS = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
STEPS = 50
"""Rates at which the curves are compared."""
Point = tuple[float, float, float]
"""Bit/s, SSIM in decibels, XPSNR in decibels (of luma)."""


def whole(folder: Path, rendition: Rendition) -> Path:
    """Join a rendition into one file."""
    parts = [INIT_SEGMENT, *(segment_name(segment.start) for segment in rendition.segments)]
    path = folder / f"{rendition.name}.whole.mp4"
    path.write_bytes(b"".join((folder / rendition.name / part).read_bytes() for part in parts))
    return path


def rate(path: Path) -> float:
    """The coded pictures' bits a second, without the container's."""
    with av.open(str(path)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
        return sum(sizes) * 8 * float(container.streams.video[0].average_rate or 25) / len(sizes)


def measured(path: Path, source: Path, width: int, height: int) -> Point:
    """One rendition's rate and quality."""
    # One side says its colours, the other does not: without a word FFmpeg would convert one of them.
    same = f"settb=1/1000,setpts=N,{COLOURS}"
    graph = (
        f"[1:v]{COLOURS},scale={width}:{height}:flags=lanczos+accurate_rnd,format=yuv420p,{same},split[r1][r2];"
        f"[0:v]{same},split[d1][d2];[d1][r1]ssim[s];[d2][r2]xpsnr[x]"
    )
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path), "-i", str(source), "-lavfi", graph]
    command += ["-map", "[s]", "-map", "[x]", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    ssim = re.search(r"SSIM Y:([\d.]+)", said)
    xpsnr = re.search(r"XPSNR\s+y:\s*([\d.]+)", said)
    assert ssim is not None, said
    assert xpsnr is not None, said
    return rate(path), -10 * math.log10(1 - float(ssim[1])), float(xpsnr[1])


def compared(ours: list[Point], peer: list[Point], which: int) -> tuple[float, float]:
    """The mean quality of both over the rates that both have."""
    logs = [np.log([point[0] for point in sorted(curve)]) for curve in (ours, peer)]
    rates = np.linspace(max(log[0] for log in logs), min(log[-1] for log in logs), STEPS)
    means = [
        float(np.interp(rates, log, [point[which] for point in sorted(curve)]).mean())
        for log, curve in zip(logs, (ours, peer), strict=True)
    ]
    return means[0], means[1]


def main() -> None:
    """Print the figures."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.5
    curves: dict[tuple[int, str], list[Point]] = {(height, who): [] for height in HEIGHTS for who in ("ours", "peer")}
    with tempfile.TemporaryDirectory() as folder:
        source = looped(big_buck_bunny(), Path(folder) / "source.mp4", seconds)
        info = making.child(tasks.Probe(str(source)), MediaInfo)
        kept = [rung for rung in ladder.ladder(info) if rung.height in HEIGHTS]
        for quality in QUALITIES:
            rungs = tuple(replace(rung, crf=quality, max_rate=NO_CAP, buffer=NO_CAP) for rung in kept)
            mine, peer = Path(folder) / f"ours{quality}", Path(folder) / f"peer{quality}"
            for place in (mine, peer):
                place.mkdir()
            made = {r.name: r for r in making.encode(source, mine, rungs, with_stills=False).renditions}
            first = made[rungs[0].name]
            theirs(source, peer, rungs, ",".join(f"{s.start / first.timescale:.6f}" for s in first.segments))
            for rung in rungs:
                files = {"ours": whole(mine, made[rung.name]), "peer": peer / f"{rung.name}.mp4"}
                for who, path in files.items():
                    point = measured(path, source, rung.width, rung.height)
                    curves[rung.height, who].append(point)
                    print(f"{rung.height} crf {quality} {who}: {point[0] / 1e3:.0f} kbit/s,"
                          f" SSIM {point[1]:.3f} dB, XPSNR {point[2]:.3f} dB", flush=True)  # fmt: skip
    for height in HEIGHTS:
        for which, name in ((1, "SSIM"), (2, "XPSNR")):
            ours, other = compared(curves[height, "ours"], curves[height, "peer"], which)
            shown = {"ours": round(ours, 3), "peer": round(other, 3), "ratio": round(ours / other, 3)}
            print(json.dumps({"name": f"{name} at equal bit rate, {height} lines", **shown, "unit": "dB",
                              "aim": ">= 1.0x"}))  # fmt: skip


if __name__ == "__main__":
    main()
