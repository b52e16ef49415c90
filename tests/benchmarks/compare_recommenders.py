"""Which kind of model proposes best: EASE^R, SLIM, iALS, an autoencoder, item-kNN and popularity on MovieLens 100K.

    .venv/bin/python tests/benchmarks/compare_recommenders.py [random last time]

Every kind has a few settings to choose from, which is done on what a second split of the training part leaves out; the
test is looked at once. Of each way that is named (or all), the table in `docs/explanation/recommendations.md` and its
picture are written anew.
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
PICTURES = ROOT / "docs" / "explanation" / "pictures"
SHIPPED = "EASE^R"
NEAR = ease.Options().anywhere
"""How the product tells videos that were watched close to each other from others."""
WAYS = {
    Way.RANDOM: "random 80/10/10",
    Way.LAST: "the last video of everybody",
    Way.TIME: "what came after one moment for all",
}
Fade = tuple[float, float]
"""After how many videos a past counts half, and no less than what; see `model.recommendations.fading`."""
EVEN: Fade = (np.inf, 0.0)
FADES: tuple[Fade, ...] = (
    (10, 0.1),
    EVEN,
    (2, 0.0),
    (2, 0.1),
    (2, 0.3),
    (5, 0.0),
    (5, 0.05),
    (5, 0.1),
    (5, 0.3),
    (20, 0.1),
)
Fit = Callable[[Table], Proposer]


def shipped(data: Table, ridge: float, anywhere: float = NEAR) -> Proposer:
    """The model of the product, through the file that it serves."""
    options = ease.Options(ridge=ridge, anywhere=anywhere, fewest=1)
    model = ease.fit(data, options, lambda _share, _step: None)
    return train_child.proposer(onnx_file.written(model, {}), model.items, data.item_count)


def kinds() -> Mapping[str, Mapping[str, Fit]]:
    """Each kind of model, with the settings that are tried."""
    ridges = (50.0, 100.0, 200.0, 300.0, 500.0)
    neighbours = [(k, shrink) for k in (20, 50, 100) for shrink in (0.0, 10.0, 50.0)]
    nets = [(l1, l2) for l1 in (1.0, 4.0) for l2 in (50.0, 200.0)]
    factors = [(f, a, r) for f, a in ((32, 0.3), (64, 0.1), (64, 0.3)) for r in (0.003, 0.01, 0.03)]
    return {
        SHIPPED: {f"ridge {one:g}": partial(shipped, ridge=one) for one in ridges},
        "EASE^R, plain": {f"ridge {one:g}": partial(shipped, ridge=one, anywhere=1.0) for one in ridges},
        "SLIM": {f"l1 {a:g}, l2 {b:g}": partial(rival_models.slim, l1=a, l2=b) for a, b in nets},
        "iALS": {
            f"{f} factors, unobserved {a:g}, ridge {r:g}": partial(rival_models.ials, factors=f, unobserved=a, ridge=r)
            for f, a, r in factors
        },
        "autoencoder (Mult-DAE)": {
            f"{epochs} epochs": partial(rival_models.autoencoder, hidden=200, dropout=0.5, epochs=epochs)
            for epochs in (25, 50, 100)
        },
        "item-kNN": {
            f"{k} neighbours, shrinkage {s:g}": partial(rivals.item_neighbours, neighbours=k, shrinkage=s)
            for k, s in neighbours
        },
        "item-kNN, near": {
            f"{k} neighbours, shrinkage {s:g}": partial(
                rivals.item_neighbours, neighbours=k, shrinkage=s, anywhere=NEAR
            )
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
        made = {text: fit(trained) for text, fit in settings.items()}

        def checks(text: str, fade: Fade, made: Mapping[str, Proposer] = made) -> float:
            return measure("", made[text], faded(checked, fade), trained).figures.ndcg

        # First the settings, with a past that fades in a middling way if its order says something; then how it fades.
        scores = {text: checks(text, fades[0]) for text in settings}
        text = max(scores, key=lambda one: scores[one])
        fading = {fade: checks(text, fade) for fade in fades}
        fade = max(fading, key=lambda one: fading[one])
        began = time.process_time()
        propose = settings[text](outer.train)
        seconds = time.process_time() - began
        measured = measure(name, propose, faded(tested, fade), outer.train)
        half, least = fade
        how = "" if fade == EVEN else f"past halves after {half:g}, at least {least:g}"
        chosen = "; ".join(part for part in (text, how) if part)
        print(f"{way} {name}: {chosen}: {fading[fade]:.4f} chosen, {measured.figures.ndcg:.4f} tested", flush=True)
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


def picture(way: Way, outcomes: Sequence[Outcome]) -> str:
    """A dot for each kind, with its 95 % interval."""
    row, left, wide = 24, 190, 400
    most = max(one.measured.figures.ndcg + one.measured.figures.ndcg_error for one in outcomes)
    parts = []
    for place, one in enumerate(outcomes):
        y = row * (place + 1)
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
    width, height = left + wide + 50, row * (len(outcomes) + 1)
    drawn = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="NDCG@10 of each kind of model, {WAYS[way]}">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<g font-family="system-ui, sans-serif" font-size="12" fill="#111">\n{drawn}\n</g>\n</svg>\n'
    )


def publish(way: Way, outcomes: Sequence[Outcome]) -> None:
    """Put the table between its marks in the page, and the picture beside it."""
    begin, end = f"<!-- {way}: written by compare_recommenders.py -->", f"<!-- end of {way} -->"
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    PAGE.write_text(f"{before}{begin}\n\n{table(way, outcomes)}\n\n{end}{rest.partition(end)[2]}", "utf-8")
    (PICTURES / f"recommenders-{way}.svg").write_text(picture(way, outcomes), "utf-8")


def main() -> None:
    """Compare in the ways that are named, or all."""
    data = read_dataset(ml_100k())
    for way in [Way(word) for word in sys.argv[1:]] or list(WAYS):
        outcomes = compare(data, way)
        print(table(way, outcomes), flush=True)
        publish(way, outcomes)


if __name__ == "__main__":
    main()
