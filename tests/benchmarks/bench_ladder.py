"""Three rungs and the sound of Big Buck Bunny, 53 seconds at 720 lines, against one newest-FFmpeg command.

Same pictures, preset, quality, caps and keyframe distance on both sides, run one after the other. Ours runs as the
server does: a plan, then chunks and sound as child processes, as many at once as there are cores; it also writes the
segments and the facts of HLS and DASH, the command plain MP4 files. `python tests/benchmarks/bench_ladder.py
[rounds]`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.media import ladder, tasks, timeline  # noqa: E402 -- after the path to the tests
from streamhost.model.streaming import MediaInfo, Plan, Rendition, Rung  # noqa: E402 -- likewise
from tests.unit.media.content import big_buck_bunny, looped  # noqa: E402 -- likewise

SECONDS = 52.8
RUNGS = 3
A = TypeVar("A", bound=tasks.Answer)


def child(task: tasks.Task, kind: type[A]) -> A:
    """Do a task in a process of its own, as the server's workers do."""
    done = subprocess.run(
        [sys.executable, "-m", "streamhost.media.child"], input=tasks.to_json(task), capture_output=True, check=True
    )
    answer = tasks.answer_from(task, json.loads(done.stdout.splitlines()[-1])["result"])
    assert isinstance(answer, kind)
    return answer


def ours(source: Path, out: Path) -> tuple[float, tuple[Rendition, ...]]:
    """Encode everything; return seconds and facts."""
    cores = os.cpu_count() or 1
    began = time.monotonic()
    info = child(tasks.Probe(str(source)), MediaInfo)
    rungs = ladder.ladder(info)[:RUNGS]
    plan = child(tasks.MakePlan(str(source), info, rungs, tasks.Encoding(workers=cores)), Plan)
    jobs: list[tasks.Task] = [
        tasks.EncodeChunk(str(source), str(out), info, plan, number, Fraction(8)) for number in range(len(plan.chunks))
    ]
    jobs.append(tasks.EncodeAudio(str(source), str(out), info, info.audio[0], "a-main", plan.duration))
    with ThreadPoolExecutor(cores) as pool:
        parts = [r for answer in pool.map(lambda task: child(task, tasks.Encoded), jobs) for r in answer.renditions]
    made = timeline.presentation(timeline.merge(parts)).renditions
    return time.monotonic() - began, made


def command(source: Path, out: Path, rungs: tuple[Rung, ...]) -> list[str]:
    """The command that a careful person would type for the same."""
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
        line += ["-force_key_frames", "expr:gte(t,n_forced*4)", str(out / f"{rung.name}.mp4")]
    return [*line, "-map", "0:a", "-c:a", "aac", "-ac", "2", "-ar", "48000", "-b:a", "128k", str(out / "a.m4a")]


def worked() -> float:
    """Return the processor seconds that ended children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        source = looped(big_buck_bunny(), Path(folder) / "source.mp4", SECONDS)
        mine, theirs, work, peak = [], [], [], 0.0
        for number in range(rounds):
            out = Path(folder) / str(number)
            out.mkdir()
            before = worked()
            seconds, made = ours(source, out)
            mine.append(seconds)
            between = worked()
            if number == 0:
                peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            rungs = ladder.ladder(child(tasks.Probe(str(source)), MediaInfo))[:RUNGS]
            began = time.monotonic()
            subprocess.run(command(source, out, rungs), check=True)
            theirs.append(time.monotonic() - began)
            work.append((between - before, worked() - between))
            video = [r for r in made if r.width]
            rates = {r.name: (r.bandwidth, (out / f"{r.name}.mp4").stat().st_size * 8 / SECONDS) for r in video}
            print(f"round {number + 1}: ours {mine[-1]:.1f} s, ffmpeg {theirs[-1]:.1f} s")
            print(
                "  kbit/s, ours and ffmpeg: "
                + ", ".join(f"{n} {a / 1e3:.0f} {b / 1e3:.0f}" for n, (a, b) in rates.items())
            )
    best, peer = min(mine), min(theirs)
    print(json.dumps({"name": "53 s of 720p to 3 rungs and sound", "ours": round(best, 2), "peer": round(peer, 2),
                      "ratio": round(best / peer, 3), "unit": "s", "aim": "<= 1.0x"}))  # fmt: skip
    processor, peer_processor = min(work)
    print(json.dumps({"name": "processor time for it", "ours": round(processor, 1), "peer": round(peer_processor, 1),
                      "ratio": round(processor / peer_processor, 3), "unit": "s"}))  # fmt: skip
    print(json.dumps({"name": "largest child while encoding", "ours": round(peak), "peer": None, "ratio": None,
                      "unit": "MiB", "aim": "<= 700"}))  # fmt: skip


if __name__ == "__main__":
    main()
