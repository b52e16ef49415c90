"""A source's whole way in one media child: probe, then every part of its recipe, in order. What the soak runs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import av.logging

from streamhost.features.transcoding import pipeline, recipe, stages
from streamhost.media import child, compat, ladder, tasks, wire
from streamhost.media.errors import MediaError, TaskFailed
from streamhost.media.execute import execute
from streamhost.media.progress import Report
from streamhost.model.streaming import MediaInfo
from streamhost.sandbox_child import OUT_OF_MEMORY

SMALL = ladder.LadderSettings(heights=(90,))
QUICK = tasks.Encoding(preset="ultrafast", segment=1.0, chunk=2.0)
LIMITS = tasks.Limits(max_pixels=4096 * 4096, max_duration=600)


def go(source: str, out: str, report: Report) -> dict[str, Any]:
    """Make a whole package; return what came out. Raises ``MediaError``."""
    info = execute(tasks.Probe(source, LIMITS), report)
    assert isinstance(info, MediaInfo)
    made = recipe.choose(info, SMALL, QUICK, compat.CopyLimits())
    done: list[tuple[str, str | None]] = []
    warnings = [*info.warnings]
    for stage in stages.INGEST:
        left = [part for part in stage.opens(made) if part.what not in (stages.PUBLISH, stages.STORYBOARD)]
        while left:
            part = left.pop(0)
            task: Any = replace(cast("Any", pipeline.media_task(made, part.name, source, out)), limits=LIMITS)
            answer = execute(task, report)
            made = pipeline.learn(made, answer, SMALL)
            left += stages.follow_up(made, part.what)
            facts = pipeline.facts(answer)
            warnings += facts.warnings
            done.append((part.name, wire.dumps(facts).decode()))
    standing, _ = pipeline.standing(done)
    texts = pipeline.manifests(standing)
    for name, text in (texts.playlists | texts.entries).items():
        (Path(out) / name).write_text(text, "utf-8")
    return {
        "renditions": len(standing),
        "seconds": max((float(r.end) for r in standing), default=0.0),
        "warnings": warnings,
        "copied": any(r.copied for r in standing),
        "gaps": [r.name for r in standing if timeline_gap(r.segments)],
    }


def timeline_gap(segments: tuple[Any, ...]) -> bool:
    """Whether segments do not follow each other exactly."""
    return any(a.start + a.duration != b.start for a, b in pairwise(segments))


def main() -> int:
    """Carry out the request on standard input, as ``streamhost.media.child`` does its own."""
    answers = child._claim_stdout()
    av.logging.set_level(av.logging.PANIC)

    def say(message: object) -> None:
        answers.write(wire.dumps(message) + b"\n")
        answers.flush()

    def report(share: float, step: str) -> None:
        say({"progress": round(float(share), 4), "step": step})

    request = json.loads(sys.stdin.buffer.read())
    report(0.0, "start")
    try:
        say({"result": go(request["source"], request["out"], report)})
    except MediaError as error:
        say({"error": child.describe(error)})
        return 1
    except MemoryError:
        answers.write(OUT_OF_MEMORY)
        answers.flush()
        return 1
    except Exception as error:  # the parent must hear of every failure, whatever it is
        say({"error": child.describe(TaskFailed(f"{type(error).__name__}: {error}"))})
        return 1
    return 0
