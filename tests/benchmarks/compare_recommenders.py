"""Which kind of model proposes best: EASE^R, SLIM, iALS, an autoencoder, item-kNN and popularity on MovieLens 100K.

    .venv/bin/python tests/benchmarks/compare_recommenders.py [random last time]

Every kind has a few settings to choose from, which is done on what a second split of the training part leaves out; the
tests are looked at once. The tables of `docs/explanation/recommendations.md` and their picture are written anew.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from streamhost.ml.recommending import ease, onnx_file, rivals, train_child
from streamhost.ml.recommending.measures import Case, Measured, Proposer, ahead, cases, measure
from streamhost.ml.recommending.splits import Way, split
from streamhost.ml.recommending.table import Table, read_dataset
from tests.benchmarks import rival_models
from tests.benchmarks.datasets import ROOT, ml_100k

PAGE = ROOT / "docs" / "explanation" / "recommendations.md"
PICTURE = ROOT / "docs" / "explanation" / "pictures" / "recommenders.svg"
BEGIN, END = "<!-- figures: written by compare_recommenders.py -->", "<!-- end of figures -->"
SHIPPED = "EASE^R"
WAYS = {
    Way.RANDOM: "random 80/10/10",
    Way.LAST: "the last video of everybody",
    Way.TIME: "what came after one moment for all",
}
Fade = tuple[float, float]
"""After how many videos a past counts half, and no less than what; see `model.recommendations.fading`."""
EVEN: Fade = (np.inf, 0.0)
FADES: tuple[Fade, ...] = (EVEN, (2, 0.0), (2, 0.1), (2, 0.3), (5, 0.0), (5, 0.1), (5, 0.3), (10, 0.1), (20, 0.1))
Fit = Callable[[Table], Proposer]


def shipped(data: Table, ridge: float, dropout: float = 0.0) -> Proposer:
    """The model of the product, through the file that it serves."""
    options = ease.Options(ridge=ridge, dropout=dropout, fewest=1)
    model = ease.fit(data, options, lambda _share, _step: None)
    return train_child.proposer(onnx_file.written(model, {}), model.items, data.item_count)


def kinds() -> Mapping[str, Mapping[str, Fit]]:
    """Each kind of model, with the settings that are tried."""
    ridges = (30.0, 100.0, 200.0, 300.0, 500.0, 1000.0)
    neighbours = [(k, shrink) for k in (20, 50, 100, 400) for shrink in (0.0, 10.0, 50.0)]
    nets = [(l1, l2) for l1 in (1.0, 3.0, 6.0) for l2 in (30.0, 100.0, 300.0)]
    factors = [(f, a, r) for f in (32, 64) for a in (0.1, 0.3, 1.0) for r in (0.003, 0.01, 0.03)]
    return {
        SHIPPED: {f"ridge {one:g}": partial(shipped, ridge=one) for one in ridges},
        "EASE^R, dropout 0.3": {f"ridge {one:g}": partial(shipped, ridge=one, dropout=0.3) for one in ridges},
        "SLIM": {f"l1 {a:g}, l2 {b:g}": partial(rival_models.slim, l1=a, l2=b) for a, b in nets},
        "iALS": {
            f"{f} factors, unobserved {a:g}, ridge {r:g}": partial(rival_models.ials, factors=f, unobserved=a, ridge=r)
            for f, a, r in factors
        },
        "autoencoder (Mult-DAE)": {
            f"{epochs} epochs": partial(rival_models.autoencoder, hidden=200, dropout=0.5, epochs=epochs)
            for epochs in (25, 50, 100, 200)
        },
        "item-kNN": {
            f"{k} neighbours, shrinkage {s:g}": partial(rivals.item_neighbours, neighbours=k, shrinkage=s)
            for k, s in neighbours
        },
        "popularity": {"": rivals.popularity},
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one kind: with which settings it was best, how it did in the test, and seconds for one training."""

    name: str
    chosen: str
    measured: Measured
    seconds: float


def faded(asked: Sequence[Case], fade: Fade) -> list[Case]:
    """The cases with pasts that count less the older they are."""
    half, least = fade
    found = []
    for case in asked:
        places = np.arange(len(case.seen))[::-1]
        counts = least + (1 - least) * 0.5 ** (places / half)
        found.append(replace(case, strengths=(case.strengths * counts).astype(np.float32)))
    return found


def compare(data: Table, way: Way) -> list[Outcome]:
    """Every kind on one split: settings are chosen on one part, told of another."""
    fades: Sequence[Fade] = (EVEN,) if way is Way.RANDOM else FADES
    outer = split(data, way)
    tested = list(cases(outer.train, outer.test, outer.check))
    if way is Way.RANDOM:
        trained, checked = outer.train, list(cases(outer.train, outer.check))
    else:
        inner = split(outer.train, way)
        trained, checked = inner.train, list(cases(inner.train, inner.test))
    found = []
    for name, settings in kinds().items():
        tried: dict[tuple[str, Fade], float] = {}
        for text, fit in settings.items():
            propose = fit(trained)
            for fade in fades:
                tried[text, fade] = measure("", propose, faded(checked, fade), trained).figures.ndcg
        text, fade = max(tried, key=lambda one: tried[one])
        began = time.process_time()
        propose = settings[text](outer.train)
        seconds = time.process_time() - began
        measured = measure(name, propose, faded(tested, fade), outer.train)
        half, least = fade
        how = "" if fade == EVEN else f"past halves after {half:g}, at least {least:g}"
        chosen = "; ".join(part for part in (text, how) if part)
        print(f"{way} {name}: {chosen}: {tried[text, fade]:.4f} chosen, {measured.figures.ndcg:.4f} tested", flush=True)
        found.append(Outcome(name, chosen, measured, seconds))
    return found


def table(way: Way, outcomes: Sequence[Outcome]) -> str:
    """For the page."""
    first = outcomes[0].measured
    lines = [
        f"Split: {WAYS[way]}, {len(first.each)} viewers.",
        "",
        "| model | NDCG@10 | recall@10 | EASE^R ahead by (95 %) | coverage | novelty | training | chosen |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in outcomes:
        figures = one.measured.figures
        mean, low, high = ahead(first, one.measured)
        lead = "" if one is outcomes[0] else f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
        lines.append(
            f"| {one.name} | {figures.ndcg:.4f} ± {figures.ndcg_error:.4f} | {figures.recall:.4f} | {lead} | "
            f"{figures.coverage:.0%} | {figures.novelty:.2f} | {one.seconds:.1f} s | {one.chosen} |"
        )
    return "\n".join(lines)


def picture(found: Mapping[Way, Sequence[Outcome]]) -> str:
    """A dot for each kind and split, with its 95 % interval."""
    row, left, wide = 22, 190, 420
    most = max(o.measured.figures.ndcg + o.measured.figures.ndcg_error for some in found.values() for o in some)
    parts: list[str] = []
    y = 16
    for way, outcomes in found.items():
        parts.append(f'<text x="4" y="{y + 4}" font-weight="600">NDCG@10, {WAYS[way]}</text>')
        for one in outcomes:
            y += row
            figures = one.measured.figures
            low, middle, high = (
                left + wide * max(0.0, figures.ndcg + sign * figures.ndcg_error) / most for sign in (-1, 0, 1)
            )
            colour = "#2563eb" if one is outcomes[0] else "#6b7280"
            parts.append(
                f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{one.name}</text>'
                f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
                f'<circle cx="{middle:.1f}" cy="{y}" r="4" fill="{colour}"/>'
                f'<text x="{high + 6:.1f}" y="{y + 4}">{figures.ndcg:.3f}</text>'
            )
        y += 2 * row
    drawn = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 60} {y}" width="{left + wide + 60}" '
        'role="img" aria-label="NDCG@10 of each kind of model, with 95 % intervals">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<g font-family="system-ui, sans-serif" font-size="12" '
        f'fill="#111">\n{drawn}\n</g>\n</svg>\n'
    )


def main() -> None:
    """Compare in the ways that are named, or all; write the page if it was all of them."""
    data = read_dataset(ml_100k())
    ways = [Way(word) for word in sys.argv[1:]] or list(WAYS)
    found = {way: compare(data, way) for way in ways}
    tables = "\n\n".join(table(way, outcomes) for way, outcomes in found.items())
    print(tables)
    if len(found) == len(WAYS):
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}", "utf-8")
        PICTURE.write_text(picture(found), "utf-8")


if __name__ == "__main__":
    main()
