"""The media child as a process: JSON in, lines of JSON out, an exit code that tells; and in the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamhost import sandbox
from streamhost.media import ladder, tasks
from streamhost.media.run import run_task
from streamhost.model.streaming import MediaInfo, Plan, Rung
from streamhost.testing import clips
from tests.unit.media import workshop
from tests.unit.media.facts import audio_track, info, video_track

LIMITS = sandbox.Limits(silence_seconds=300, nice=0)


def run_child(request: bytes) -> tuple[int, list[dict[str, Any]]]:
    """Run the child on raw input; return its exit code and what it said."""
    command = [sys.executable, "-m", "streamhost.media.child"]
    done = subprocess.run(command, input=request, capture_output=True, check=False, timeout=150)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "task",
    [
        tasks.Probe("a"),
        tasks.CopyTracks("a", "b", info(video_track(), audio_track()), (Rung("v90", 160, 90, 23.5, 1, 2),)),
        tasks.MakePlan("a", info(video_track(frame_rate=Fraction(30000, 1001))), ()),
        tasks.EncodeAudio("a", "b", info(None, audio_track()), audio_track(), "a-main", Fraction(1, 3)),
        tasks.MakePoster("a", "b", info(video_track()), Fraction(3)),
    ],
    ids=lambda task: type(task).__name__,
)
def test_tasks_survive_json(task: tasks.Task) -> None:
    """Every task is the same after the way through the pipe."""
    assert tasks.from_json(tasks.to_json(task)) == task


@pytest.mark.parametrize("request_", [b"", b"{}", b'{"task": "Explode", "with": {}}', b'{"task": "Probe", "with": {}}'])
def test_a_broken_request_is_answered(request_: bytes) -> None:
    """Whatever comes in, the last line is an error and the exit code is not 0."""
    code, lines = run_child(request_)
    assert code != 0
    assert lines[-1]["error"]["code"] == "media_task_failed"


def test_a_probe_is_answered(marked: Path) -> None:
    """The last line holds the result, the exit code is 0, progress came before."""
    code, lines = run_child(tasks.to_json(tasks.Probe(str(marked))))
    assert code == 0
    assert all(0 <= line["progress"] <= 1 for line in lines[:-1])
    assert tasks.answer_from(tasks.Probe(""), lines[-1]["result"]) == workshop.probe(marked)


def test_a_media_error_is_told_with_its_hint(tmp_path: Path) -> None:
    """What is wrong with the file reaches the parent as code, detail and hint."""
    (tmp_path / "a.mp4").write_bytes(b"no video")
    code, lines = run_child(tasks.to_json(tasks.Probe(str(tmp_path / "a.mp4"))))
    assert code == 1
    error = lines[-1]["error"]
    assert (error["code"], error["permanent"]) == ("not_media", True)
    assert str(tmp_path) not in error["detail"]
    assert error["hint"]


async def test_the_whole_way_in_the_sandbox(marked: Path, tmp_path: Path) -> None:
    """With no network, few rights and one writable folder: probe, plan, encode and copy all work, telling progress."""
    heard: list[tuple[float, str]] = []

    async def do(task: tasks.Task) -> tasks.Answer:
        return await run_task(task, lambda share, step: heard.append((share, step)), tmp_path, LIMITS)

    source, out = str(marked), str(tmp_path)
    found = await do(tasks.Probe(source))
    assert isinstance(found, MediaInfo)
    plan = await do(tasks.MakePlan(source, found, ladder.ladder(found), workshop.QUICK))
    assert isinstance(plan, Plan)
    part = await do(tasks.EncodeChunk(source, out, found, plan, 1))
    sound = await do(tasks.EncodeAudio(source, out, found, found.audio[0], "a-main"))
    copied = await do(tasks.CopyTracks(source, out, found))
    assert isinstance(part, tasks.Encoded)
    assert isinstance(sound, tasks.Encoded)
    assert isinstance(copied, tasks.Copied)
    assert copied.obstacle is None
    assert (tmp_path / "poster.jpg").stat().st_size > 500
    assert {step for _, step in heard} >= {"start", "encode", "audio", "copy", "scan"}


async def test_a_child_without_memory_says_so(tmp_path: Path) -> None:
    """A task that needs more than it may have ends as just that, not as a damaged file."""
    source = clips.make(tmp_path / "big.mp4", clips.Clip(seconds=0.2, width=3840, height=2160, languages=()))
    found = workshop.probe(source)
    limits = replace(LIMITS, memory=420 * sandbox.MIB)
    plan = tasks.MakePlan(str(source), found, ladder.ladder(found))
    made = await run_task(plan, lambda _share, _step: None, tmp_path, LIMITS)
    assert isinstance(made, Plan)
    with pytest.raises(sandbox.ChildOutOfMemory):
        await run_task(
            tasks.EncodeChunk(str(source), str(tmp_path), found, made, 0), lambda _share, _step: None, tmp_path, limits
        )


def test_the_server_does_not_pay_for_ffmpeg() -> None:
    """What the server imports of the workshop loads neither PyAV nor numpy."""
    modules = ["tasks", "wire", "errors", "ladder", "compat", "timeline", "hls", "dash", "run"]
    program = (
        f"import sys; from streamhost.media import {', '.join(modules)}; print({{'av', 'numpy'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(("held", "expected"), [(350, "MemoryError"), (10, "ExternalError")])
def test_an_encoder_that_ran_out_of_memory_says_so(held: int, expected: str) -> None:
    """An encoder's failure is one of memory if memory was short before it, though all is given back; else it is not."""
    program = f"""
import mmap, resource
import av
from streamhost.media.opening import encoder
taken = resource.getrlimit(resource.RLIMIT_AS)[1]
size = int(open("/proc/self/statm").read().split()[0]) * mmap.PAGESIZE
resource.setrlimit(resource.RLIMIT_AS, (size + {400 * sandbox.MIB}, taken))
try:
    with encoder():
        mmap.mmap(-1, {held * sandbox.MIB}).close()
        raise av.error.ExternalError(542398533, "Generic error in an external library")
except BaseException as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=150)
    assert done.stdout.strip() == expected
