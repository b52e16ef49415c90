"""How the benchmarks make packages: as the server does, each task in a confined child process, as many at once as
there are cores, and sound beside them. Only the nice value is the benchmark's own, so that peers have no advantage.
"""

from __future__ import annotations

import asyncio
import os
import resource
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from streamhost import sandbox
from streamhost.media import dash, hls, ladder, stills, tasks, timeline
from streamhost.media.run import MediaRunner
from streamhost.model.stills import Storyboard
from streamhost.model.streaming import MANIFEST, MediaInfo, Plan, Rendition, Rung

A = TypeVar("A", bound=tasks.Answer)
B = TypeVar("B")
Rungs = tuple[Rung, ...]
CORES = os.cpu_count() or 1
POSTER_AT = Fraction(8)


class Children:
    """Does tasks as the server does, in forked and confined children; says what they cost once it is closed.

    ``processor`` seconds, also those of what forks them, and ``peak``, the most memory (bytes) of any of them.
    """

    def __init__(self) -> None:
        self.processor = 0.0
        self.peak = 0
        self._runner = MediaRunner(sandbox.Limits(nice=0))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._before = _children_used()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._runner.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.peak = self._runner.nursery.usage.peak
        self.processor = _children_used() - self._before

    def run(self, task: tasks.Task, kind: type[A]) -> A:
        """Do a task."""
        out = None if isinstance(task, tasks.Probe | tasks.MakePlan | tasks.TryEncoders) else Path(task.out_dir)
        answer = self._do(self._runner(task, lambda _share, _step: None, out))
        assert isinstance(answer, kind)
        return answer

    def _do(self, work: Coroutine[Any, Any, B]) -> B:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _children_used() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def child(task: tasks.Task, kind: type[A]) -> A:
    """Do one task, whatever it costs."""
    with Children() as children:
        return children.run(task, kind)


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
    with Children() as children:
        began = time.monotonic()
        info = children.run(tasks.Probe(str(source)), MediaInfo)
        if isinstance(rungs, int):
            rungs = ladder.ladder(info)[:rungs]
        task = tasks.MakePlan(str(source), info, rungs, tasks.Encoding(preset=preset, workers=CORES))
        plan = children.run(task, Plan)
        made = _rest(children, source, out, info, plan, range(len(info.audio)), (), with_stills=with_stills)
        seconds = time.monotonic() - began
    return Made(seconds, made, children)


def copy(source: Path, out: Path, rungs: int = 0, *, with_stills: bool = False) -> Made:
    """Copy what a source has; ``rungs`` more are encoded below it. Write the manifests."""
    with Children() as children:
        began = time.monotonic()
        info = children.run(tasks.Probe(str(source)), MediaInfo)
        lower = ladder.lower_rungs(info)[:rungs]
        task = tasks.CopyTracks(str(source), str(out), info, lower, tasks.Encoding(workers=CORES))
        copied = children.run(task, tasks.Copied)
        assert copied.obstacle is None, copied.obstacle
        plan = copied.plan if lower else None
        made = _rest(children, source, out, info, plan, copied.encode_audio, copied.renditions, with_stills=with_stills)
        seconds = time.monotonic() - began
    return Made(seconds, made, children)


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
    pictures: list[tasks.Task] = []
    if plan is not None:
        place = str(folder) if with_stills else None
        poster_at = None if standing else POSTER_AT
        pictures += [
            tasks.EncodeChunk(str(source), str(out), info, plan, number, poster_at, stills_dir=place)
            for number in range(len(plan.chunks))
        ]
    sounds = [tasks.EncodeAudio(str(source), str(out), info, info.audio[n], names[n], length) for n in audio]
    with ThreadPoolExecutor(CORES) as beside, ThreadPoolExecutor(CORES) as pool:
        waiting = [
            where.submit(children.run, task, tasks.Encoded)
            for where, jobs in ((beside, sounds), (pool, pictures))
            for task in jobs
        ]
        answers = [one.result() for one in waiting]
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
