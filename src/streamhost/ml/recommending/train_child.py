"""The process that learns and measures: reads one `work.Request` as JSON, answers in lines of JSON."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from streamhost.ml.recommending import ease, measures, onnx_file, rivals
from streamhost.ml.recommending.onnx_model import OnnxModel
from streamhost.ml.recommending.splits import Split, Way, split
from streamhost.ml.recommending.table import Ints, Singles, Table, read_dataset, read_lines, read_videos
from streamhost.ml.recommending.work import Evaluate, Fitting, Request, Train, Trained, plain
from streamhost.model.errors import StreamhostError
from streamhost.model.recommendations import Figures, TooLittleWatched, fading

FEWEST_VIDEOS, FEWEST_VIEWERS, FEWEST_WATCHED = 5, 3, 20
"""Below that, a model would only repeat what single people did."""

RIDGES = (10.0, 30.0, 100.0, 200.0, 500.0)
USUAL_RIDGE = 500.0
"""For tables that are too large to try; as the paper has it for twenty thousand videos."""
MOST_TRIED, MOST_ASKED = 2_500, 1_000

Say = Callable[[float, str], None]


def main() -> int:
    """Do what is asked for; return the exit code."""
    answers = _claim_stdout()

    def send(message: object) -> None:
        answers.write(msgspec.json.encode(message) + b"\n")
        answers.flush()

    def say(share: float, step: str) -> None:
        send({"progress": share, "step": step})

    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        if request.train is not None:
            result = plain(train(request.train, say))
        else:
            assert request.evaluate is not None
            result = plain(evaluate(request.evaluate, say))
    except StreamhostError as error:
        send({"error": {"code": error.code, "detail": error.detail, "permanent": error.permanent}})
        return 1
    except MemoryError:
        send({"error": {"code": "child_out_of_memory"}})
        return 1
    send({"result": result})
    return 0


def train(work: Train, say: Say) -> Trained:
    """Learn, and write the model's file. Raises `TooLittleWatched`."""
    began = time.monotonic()
    say(0.0, "reading")
    ids, places = read_videos(Path(work.videos))
    data = read_lines(Path(work.watched), places)
    model = fitted(data, work.fitting, lambda share, step: say(0.1 + 0.85 * share, step))
    about = {
        "ids": [ids[number] for number in model.items],
        "trained_at": work.trained_at,
        "viewers": data.user_count,
        "watched": len(data),
    }
    content = onnx_file.written(model, about)
    OnnxModel(content)
    place = Path(work.model)
    with place.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Trained(len(model.items), data.user_count, len(data), time.monotonic() - began)


def fitted(data: Table, fitting: Fitting, say: Say) -> ease.Weights:
    """Learn from a table. Raises `TooLittleWatched`."""
    options = ease.Options(**plain(fitting))
    items = len(ease.learnable(data, options))
    viewers = len(np.unique(data.users))
    if items < FEWEST_VIDEOS or viewers < FEWEST_VIEWERS or len(data) < FEWEST_WATCHED:
        raise TooLittleWatched(f"{viewers} viewers watched {items} videos that others watched too.")
    if fitting.ridge <= 0:
        options = replace(options, ridge=chosen_ridge(data, options, items))
    return ease.fit(data, options, say)


def chosen_ridge(data: Table, options: ease.Options, items: int) -> float:
    """The one of some values of l that finds best what was left out of a table that is small enough to try them all."""
    if items > MOST_TRIED:
        return USUAL_RIDGE
    parts = split(data, Way.RANDOM)
    test = parts.test if len(parts.test) else parts.check
    asked = list(measures.cases(parts.train, test, None, MOST_ASKED))
    if len(asked) < FEWEST_VIEWERS:
        return USUAL_RIDGE
    found = {}
    for ridge in RIDGES:
        model = ease.fit(parts.train, replace(options, ridge=ridge, fewest=1), lambda _share, _step: None)
        way = proposer(onnx_file.written(model, {}), model.items, data.item_count)
        found[ridge] = measures.measure("", way, asked, parts.train).figures.ndcg
    return max(found, key=lambda ridge: (found[ridge], ridge))


def proposer(content: bytes, items: Ints, item_count: int) -> measures.Proposer:
    """The very file that a site would serve, as a way to propose."""
    model = OnnxModel(content)
    place = np.full(item_count, -1, np.int64)
    place[items] = np.arange(len(items))

    def propose(seen: Ints, strengths: Singles, count: int) -> Ints:
        rows = place[seen]
        there = rows >= 0
        if not there.any():
            return np.zeros(0, np.int64)
        answer = model.run(rows[there], strengths[there], count)
        return items[answer.found[answer.scores > 0]]

    return propose


def faded(count: int) -> Singles:
    """How much the videos of a past count, oldest first; see `model.recommendations.fading`."""
    return np.array([fading(place) for place in reversed(range(count))], np.float32)


def evaluate(work: Evaluate, say: Say) -> dict[str, Any]:
    """The figures of the model and of what it has to beat. Raises `UnreadableDataset`, `TooLittleWatched`."""
    say(0.0, "reading")
    if work.dataset:
        data = read_dataset(Path(work.dataset))
    else:
        data = read_lines(Path(work.watched), read_videos(Path(work.videos))[1])
    parts = split(data, Way(work.way), work.seed)
    if not len(parts.train) or not len(parts.test):
        raise TooLittleWatched("Nothing is left to ask about.")
    figures = figures_of(parts, work, say)
    return {
        "way": work.way,
        "viewers": data.user_count,
        "videos": data.item_count,
        "watched": len(data),
        "asked": len(np.unique(parts.test.users)),
        "figures": figures,
    }


def figures_of(parts: Split, work: Evaluate, say: Say) -> list[Figures]:
    """Each way to propose, measured on the same viewers."""
    model = fitted(parts.train, work.fitting, lambda share, step: say(0.05 + 0.5 * share, step))
    content = onnx_file.written(model, {})
    asked = list(measures.cases(parts.train, parts.test, parts.check, work.most, work.seed))
    ways: dict[str, Callable[[], measures.Proposer]] = {
        "model": lambda: proposer(content, model.items, parts.train.item_count),
        "item-kNN": lambda: rivals.item_neighbours(parts.train, work.fitting.most_items),
        "popularity": lambda: rivals.popularity(parts.train),
    }
    if parts.ordered:
        asked = [replace(case, strengths=case.strengths * faded(len(case.seen))) for case in asked]
    measured = []
    for number, (name, way) in enumerate(ways.items()):
        say(0.55 + 0.15 * number, f"measuring {name}")
        measured.append(measures.measure(name, way(), asked, parts.train))
    first, *others = measured
    return [first.figures, *(replace(one.figures, beaten_by=measures.ahead(first, one)) for one in others)]


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers alone: what libraries print goes to standard error."""
    sys.stdout.flush()
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept
