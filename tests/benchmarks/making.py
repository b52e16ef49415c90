"""How the benchmarks make packages: as the server does, each task in a child process, as many at once as cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from streamhost.media import dash, hls, ladder, stills, tasks, timeline
from streamhost.model.stills import Storyboard
from streamhost.model.streaming import MANIFEST, MediaInfo, Plan, Rendition, Rung

A = TypeVar("A", bound=tasks.Answer)
Rungs = tuple[Rung, ...]
CORES = os.cpu_count() or 1
POSTER_AT = Fraction(8)


@dataclass(slots=True)
class Children:
    """Starts children and adds up what they cost: processor seconds, and the most memory (bytes) of any of them."""

    processor: float = 0.0
    peak: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, task: tasks.Task, kind: type[A]) -> A:
        """Do a task in a process of its own."""
        child = subprocess.Popen(
            [sys.executable, "-m", "streamhost.media.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin as given:
            given.write(tasks.to_json(task))
        with child.stdout as said:
            lines = said.read().splitlines()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        with self._lock:
            self.processor += usage.ru_utime + usage.ru_stime
            self.peak = max(self.peak, usage.ru_maxrss * 1024)
        last = json.loads(lines[-1])
        assert "result" in last, last
        answer = tasks.answer_from(task, last["result"])
        assert isinstance(answer, kind)
        return answer


def child(task: tasks.Task, kind: type[A]) -> A:
    """Do a task in a process of its own, whatever it costs."""
    return Children().run(task, kind)


@dataclass(frozen=True, slots=True)
class Made:
    """Seconds from the file to the manifests, the renditions, and what the children cost."""

    seconds: float
    renditions: tuple[Rendition, ...]
    children: Children


def encode(source: Path, out: Path, rungs: Rungs | int, *, with_stills: bool = True, preset: str = "veryfast") -> Made:
    """Encode a source (``rungs``: which, or how many of its ladder) and its sound; with stills also storyboard, scene
    cuts, poster candidates and frames to screen. Write the manifests.
    """
    children = Children()
    began = time.monotonic()
    info = children.run(tasks.Probe(str(source)), MediaInfo)
    if isinstance(rungs, int):
        rungs = ladder.ladder(info)[:rungs]
    plan = children.run(tasks.MakePlan(str(source), info, rungs, tasks.Encoding(preset=preset, workers=CORES)), Plan)
    made = _rest(children, source, out, info, plan, range(len(info.audio)), (), with_stills=with_stills)
    return Made(time.monotonic() - began, made, children)


def copy(source: Path, out: Path, rungs: int = 0, *, with_stills: bool = False) -> Made:
    """Copy what a source has; ``rungs`` more are encoded below it. Write the manifests."""
    children = Children()
    began = time.monotonic()
    info = children.run(tasks.Probe(str(source)), MediaInfo)
    lower = ladder.lower_rungs(info)[:rungs]
    task = tasks.CopyTracks(str(source), str(out), info, lower, tasks.Encoding(workers=CORES))
    copied = children.run(task, tasks.Copied)
    assert copied.obstacle is None, copied.obstacle
    plan = copied.plan if lower else None
    made = _rest(children, source, out, info, plan, copied.encode_audio, copied.renditions, with_stills=with_stills)
    return Made(time.monotonic() - began, made, children)


def _rest(
    children: Children,
    source: Path,
    out: Path,
    info: MediaInfo,
    plan: Plan | None,
    audio: range | tuple[int, ...],
    standing: tuple[Rendition, ...],
    *,
    with_stills: bool,
) -> tuple[Rendition, ...]:
    """Encode chunks and sound at the same time, then paste the storyboard and write the manifests."""
    folder = out / "stills"
    folder.mkdir(exist_ok=True)
    length = plan.duration if plan else None
    names = ladder.audio_names(info.audio)
    jobs: list[tasks.Task] = []
    if plan is not None:
        place = str(folder) if with_stills else None
        jobs += [
            tasks.EncodeChunk(str(source), str(out), info, plan, number, POSTER_AT, stills_dir=place)
            for number in range(len(plan.chunks))
        ]
    jobs += [tasks.EncodeAudio(str(source), str(out), info, info.audio[n], names[n], length) for n in audio]
    with ThreadPoolExecutor(CORES) as pool:
        answers = list(pool.map(lambda task: children.run(task, tasks.Encoded), jobs))
    parts = [part for answer in answers for part in answer.renditions]
    presentation = timeline.presentation((*standing, *timeline.merge(parts)))
    for name, text in hls.playlists(presentation).items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(text)
    (out / MANIFEST).write_text(dash.manifest(presentation))
    found = [answer.stills for answer in answers if answer.stills is not None]
    if found:
        assert stills.merge(found).posters
        tiles = tuple(
            tasks.Tiles(str(folder / part.tiles), part.first_tile, part.tile_count) for part in found if part.tiles
        )
        board = stills.layout(presentation.duration, found[0].tile_size)
        children.run(tasks.MakeStoryboard(tiles, str(out), board, presentation.duration), Storyboard)
    return presentation.renditions
