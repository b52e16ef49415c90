"""Three rungs and the sound of Big Buck Bunny, 53 seconds at 720 lines, against one newest-FFmpeg command.

Same pictures, preset, quality, caps and keyframe distance on both sides, run one after the other. Ours runs as the
server does: a plan, then chunks and sound as child processes, as many at once as there are cores; beside what the
command makes (plain MP4 files) it writes segments, HLS and DASH, a storyboard, and finds scene cuts, poster candidates
and frames to screen. Then the same by the copy path: the best rendition copied, the others encoded. Last the memory of
the largest child while 1080 lines become three rungs. `python tests/benchmarks/bench_ladder.py [rounds]`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.media import ladder, tasks  # noqa: E402 -- after the path to the tests
from streamhost.model.streaming import MediaInfo, Rung  # noqa: E402 -- likewise
from streamhost.testing import clips  # noqa: E402 -- likewise
from tests.benchmarks import making  # noqa: E402 -- likewise
from tests.unit.media.content import big_buck_bunny, looped  # noqa: E402 -- likewise

SECONDS = 52.8
RUNGS = 3
MIB = 1024**2
LARGE = clips.Clip(seconds=12, width=1920, height=1080, fps=Fraction(30), gop=60, b_frames=3)


EVERY_FOUR = "expr:gte(t,n_forced*4)"


def command(source: Path, out: Path, rungs: tuple[Rung, ...], keys: str = EVERY_FOUR) -> list[str]:
    """The command that a careful person would type for the same; ``keys`` says where keyframes are."""
    names = [f"[v{number}]" for number in range(len(rungs))]
    split = f"[0:v]split={len(rungs)}{''.join(names)};"
    scaled = ";".join(
        f"{name}scale={rung.width}:{rung.height}{name.replace('v', 's')}"
        for name, rung in zip(names, rungs, strict=True)
    )
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(source), "-filter_complex", split + scaled]
    for number, rung in enumerate(rungs):
        line += ["-map", f"[s{number}]", "-c:v", "libx264", "-preset", "veryfast", "-crf", f"{rung.crf:g}"]
        line += ["-maxrate", str(rung.max_rate), "-bufsize", str(rung.buffer), "-sc_threshold", "0", "-g", "1000"]
        line += ["-force_key_frames", keys, str(out / f"{rung.name}.mp4")]
    return [*line, "-map", "0:a", "-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a", "128k", str(out / "a.m4a")]


def theirs(source: Path, out: Path, rungs: tuple[Rung, ...], keys: str = EVERY_FOUR) -> tuple[float, float]:
    """Run the command; return seconds, and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command(source, out, rungs, keys), check=True)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figure(name: str, ours: float, peer: float | None, unit: str, aim: str | None = None) -> None:
    """Print one figure."""
    ratio = None if peer is None else round(ours / peer, 3)
    shown = {"ours": round(ours, 2), "peer": None if peer is None else round(peer, 2), "ratio": ratio}
    print(json.dumps({"name": name, **shown, "unit": unit, **({"aim": aim} if aim else {})}), flush=True)


def main() -> None:
    """Print the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    encoded: list[making.Made] = []
    copied: list[making.Made] = []
    peers: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        source = looped(big_buck_bunny(), Path(folder) / "source.mp4", SECONDS)
        rungs = ladder.ladder(making.child(tasks.Probe(str(source)), MediaInfo))[:RUNGS]
        for number in range(rounds):
            places = [Path(folder) / f"{kind}{number}" for kind in ("ours", "copied", "theirs")]
            for place in places:
                place.mkdir()
            encoded.append(making.encode(source, places[0], RUNGS))
            peers.append(theirs(source, places[2], rungs))
            copied.append(making.copy(source, places[1], RUNGS - 1, with_stills=True))
            times = encoded[-1].seconds, copied[-1].seconds, peers[-1][0]
            print("round {}: ours {:.1f} s, by the copy path {:.1f} s, ffmpeg {:.1f} s".format(number + 1, *times))
            rates = {r.name: (r.bandwidth, places[2] / f"{r.name}.mp4") for r in encoded[-1].renditions if r.width}
            shown = [f"{n} {a / 1e3:.0f} {p.stat().st_size * 8 / SECONDS / 1e3:.0f}" for n, (a, p) in rates.items()]
            print(f"  kbit/s, ours and ffmpeg: {', '.join(shown)}")
        large = clips.make(Path(folder) / "large.mp4", LARGE)
        (Path(folder) / "large").mkdir()
        memory = making.encode(large, Path(folder) / "large", RUNGS).children.peak
    peer, work = min(seconds for seconds, _ in peers), min(processor for _, processor in peers)
    figure("53 s of 720p to 3 rungs, sound and stills", min(made.seconds for made in encoded), peer, "s", "<= 0.95x")
    figure("processor time for it", min(made.children.processor for made in encoded), work, "s")
    figure("the same, the best rung copied", min(made.seconds for made in copied), peer, "s", "<= 0.5x")
    figure("processor time for that", min(made.children.processor for made in copied), work, "s")
    figure("largest child, 1080p to 3 rungs", memory / MIB, None, "MiB", "<= 700")


if __name__ == "__main__":
    main()
