"""Measures the text model on texts that it has not seen, and draws docs/explanation/pictures/text-model.svg."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from streamhost.ml.manifest import read
from streamhost.ml.session import Session
from streamhost.ml.texts import TextScorer
from text_data import CHOSEN, Example, Sources, part

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "src" / "streamhost" / "ml" / "manifests" / "toxicity-en.toml"
PICTURE = ROOT / "docs" / "explanation" / "pictures" / "text-model.svg"
LINES = (0.5, 0.6, 0.7, 0.8, 0.9)
SIDE, EDGE, GAP = 260, 44, 70
COLOURS = ("#2563eb", "#b45309", "#6b7280")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Texts of one kind: which are toxic, and their scores."""

    name: str
    toxic: NDArray[np.bool_]
    scores: Floats

    def auc(self) -> float:
        """The chance that a toxic text scores above a harmless one (Mann-Whitney; ties count half)."""
        _, place, count = np.unique(self.scores, return_inverse=True, return_counts=True)
        ranks = (np.cumsum(count) - (count - 1) / 2)[place]
        bad, good = int(self.toxic.sum()), int((~self.toxic).sum())
        return float((ranks[self.toxic].sum() - bad * (bad + 1) / 2) / (bad * good))

    def at(self, line: float) -> tuple[float, float, float]:
        """Precision, recall, and the share of harmless texts at or over a line."""
        over = self.scores >= line
        hits = float((over & self.toxic).sum())
        precision = hits / max(1.0, float(over.sum()))
        return precision, hits / max(1.0, float(self.toxic.sum())), float(over[~self.toxic].mean())


def scorer(content: bytes) -> TextScorer:
    """The model as the program runs it."""
    manifest = read(MANIFEST)
    assert manifest.text is not None, "it is a model of words"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = Session(onnxruntime.InferenceSession(content, options), manifest)
    name = manifest.text.name
    return TextScorer(lambda rows: session.run({name: rows}), manifest.text.slots, 1, manifest.counts[0].medium)


def judged(name: str, content: bytes, examples: Sequence[Example]) -> Judged:
    """Let the model score texts; toxic are those that most people found so."""
    by = scorer(content)
    scores = np.array([by.score(one.text)[0][0] for one in examples])
    return Judged(name, np.array([one.score > 0.5 for one in examples]), scores)


def report(sources: Sources, content: bytes, stranger: bytes) -> str:
    """Measure, draw, and say it as Markdown. `stranger` has seen none of the prompts from the web."""
    prompts, reviews = sources.prompts(), sources.reviews()
    tweets = judged("tweets held out", content, part(sources.davidson(), CHOSEN, 100))
    web = judged("web and reviews, origin never seen", stranger, [*prompts, *reviews])
    half = judged("web (other half) and reviews", content, [*part(prompts, 50, 100), *reviews])
    implicit = judged("hate without insults", content, sources.implicit())
    calm = [replace(one, score=0.0) for one in part(sources.vader(), CHOSEN, 100)]
    harmless = judged("harmless sentences held out", content, calm)
    lines = ["| texts | toxic | harmless | AUC |", "|---|---|---|---|"]
    for one in (tweets, half, web, implicit):
        lines.append(f"| {one.name} | {one.toxic.sum()} | {(~one.toxic).sum()} | {one.auc():.3f} |")
    lines += ["", "| score from | " + " | ".join(f"{line:.1f}" for line in LINES) + " |", "|---" * 6 + "|"]
    for one in (tweets, half):
        lines.append(_row(f"precision, {one.name}", [one.at(line)[0] for line in LINES]))
        lines.append(_row(f"recall, {one.name}", [one.at(line)[1] for line in LINES]))
    for one in (harmless, half):
        lines.append(_row(f"share of {(~one.toxic).sum()} harmless ({one.name})", [one.at(line)[2] for line in LINES]))
    texts = [one.text for one in part(sources.davidson(), CHOSEN, 100)]
    lines += ["", f"{len(content)} bytes; {_milliseconds(content, texts):.3f} ms of processor time a text."]
    PICTURE.write_text(drawn([tweets, web, implicit]), "utf-8")
    return "\n".join(lines)


def _row(name: str, values: Sequence[float]) -> str:
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |"


def _milliseconds(content: bytes, texts: Sequence[str]) -> float:
    by = scorer(content)
    by.score(texts[0])
    begin = time.process_time()
    for text in texts:
        by.score(text)
    return (time.process_time() - begin) / len(texts) * 1000


def drawn(sets: Sequence[Judged]) -> str:
    """Both curves as SVG: false alarms and hits (ROC); recall and precision."""
    width, height = 2 * (EDGE + SIDE) + GAP, SIDE + 2 * EDGE + 20 * len(sets)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"',
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    lines += _frame(EDGE, "harmless texts over the line", "toxic texts over the line")
    lines += _frame(EDGE + SIDE + GAP, "toxic texts over the line (recall)", "toxic among those over it (precision)")
    for number, one in enumerate(sets):
        colour = COLOURS[number]
        steps = np.unique(np.quantile(one.scores, np.linspace(0, 1, 200)))[::-1]
        points = [one.at(float(step)) for step in steps]
        lines.append(_curve(EDGE, [(0.0, 0.0), *((alarm, recall) for _, recall, alarm in points)], colour))
        lines.append(_curve(EDGE + SIDE + GAP, [(recall, precision) for precision, recall, _ in points], colour))
        y = SIDE + 2 * EDGE + 20 * number
        lines.append(f'<rect x="{EDGE}" y="{y - 9}" width="18" height="4" fill="{colour}"/>')
        lines.append(f'<text x="{EDGE + 26}" y="{y - 3}">{one.name}: AUC {one.auc():.3f}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _frame(left: float, across: str, up: str) -> list[str]:
    middle, bottom = left + SIDE / 2, EDGE / 2 + SIDE
    return [
        f'<rect x="{left}" y="{EDGE / 2}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
        f'<text x="{middle}" y="{bottom + 30}" text-anchor="middle">{across}</text>',
        f'<text transform="translate({left - 24} {EDGE / 2 + SIDE / 2}) rotate(-90)" text-anchor="middle">{up}</text>',
        *(
            f'<text x="{left + SIDE * tick}" y="{bottom + 14}" text-anchor="middle" fill="#666">{tick:g}</text>'
            for tick in (0, 0.5, 1)
        ),
    ]


def _curve(left: float, points: Sequence[tuple[float, float]], colour: str) -> str:
    places = " ".join(f"{left + x * SIDE:.1f},{EDGE / 2 + (1 - y) * SIDE:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
