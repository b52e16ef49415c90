"""How good proposals are: every video is ranked for every viewer, none are drawn. For children only.

Recall@k is the share of a viewer's asked-for videos among the first k; NDCG@k weighs each by 1 / log2(place + 1) over
the best that could be (Järvelin and Kekäläinen, TOIS 2002). Novelty is the mean of -log2 of the share of viewers that
know a proposed video; coverage the share of all videos that stand in anybody's first ten.

Two ways to propose are compared viewer by viewer, by a paired bootstrap (Efron and Tibshirani, 1993): what makes some
viewers hard for both does not blur the difference, as it would if each had its own interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streamhost.ml.recommending.table import Floats, Ints, Singles, Table
from streamhost.model.recommendations import Figures

Proposer = Callable[[Ints, Singles, int], Ints]
"""At most so many videos, best first, for somebody who watched these (oldest first) with these strengths. None of them
may be among these."""
LENGTHS = (5, 10, 20, 50, 100)
SHOWN = 10
"""The length at which single figures are told."""
Z95 = 1.96
RESAMPLED = 2_000
"""Times that viewers are drawn anew for the interval of a difference."""


@dataclass(frozen=True, slots=True)
class Case:
    """A viewer who is asked about: what they watched, how much, what they watched then, what is not to be counted."""

    seen: Ints
    strengths: Singles
    wanted: Ints
    taken: Ints


def cases(train: Table, test: Table, taken: Table | None = None, most: int = 0, seed: int = 0) -> Iterator[Case]:
    """Every viewer of `test`, or `most` drawn ones. What `taken` has is known too, though not to the model."""
    viewers = np.unique(test.users)
    if most and len(viewers) > most:
        viewers = np.sort(np.random.default_rng(seed).choice(viewers, most, replace=False))
    train_at, test_at = train.starts, test.starts
    taken_at = None if taken is None else taken.starts
    for user in viewers:
        seen = slice(train_at[user], train_at[user + 1])
        known = np.zeros(0, np.int64)
        if taken is not None and taken_at is not None:
            known = taken.items[taken_at[user] : taken_at[user + 1]]
        wanted = test.items[test_at[user] : test_at[user + 1]]
        yield Case(train.items[seen], train.weights[seen], np.setdiff1d(wanted, train.items[seen]), known)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one way to propose, and its NDCG@10 for each viewer that was asked about, in their order."""

    figures: Figures
    each: Floats


def measure(name: str, propose: Proposer, asked: Sequence[Case], train: Table) -> Measured:
    """Ask one way to propose for every viewer."""
    depth = max(LENGTHS)
    gains = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.concatenate([[0.0], np.cumsum(gains)])
    ndcg: dict[int, list[float]] = {length: [] for length in LENGTHS}
    recall: dict[int, list[float]] = {length: [] for length in LENGTHS}
    known = np.maximum(1, np.bincount(train.items, minlength=train.item_count)) / max(1, train.user_count)
    shown = np.zeros(train.item_count, bool)
    novelty: list[float] = []
    for case in asked:
        if not len(case.wanted):
            continue
        found = propose(case.seen, case.strengths, depth + len(case.taken))
        found = found[~np.isin(found, case.taken)][:depth]
        hits = np.isin(found, case.wanted)
        for length in LENGTHS:
            mine = hits[:length]
            ndcg[length].append(float(gains[: len(mine)][mine].sum() / ideal[min(length, len(case.wanted))]))
            recall[length].append(float(mine.sum() / len(case.wanted)))
        shown[found[:SHOWN]] = True
        if len(found):
            novelty.append(float(-np.log2(known[found[:SHOWN]]).mean()))
    figures = Figures(
        name,
        _mean(ndcg[SHOWN]),
        _mean(recall[SHOWN]),
        _error(ndcg[SHOWN]),
        _error(recall[SHOWN]),
        float(shown.mean()) if len(shown) else 0.0,
        _mean(novelty),
        {length: (_mean(ndcg[length]), _mean(recall[length])) for length in LENGTHS},
    )
    return Measured(figures, np.array(ndcg[SHOWN]))


def ahead(first: Measured, other: Measured) -> tuple[float, float, float]:
    """How far the first is ahead in NDCG@10 on average over the same viewers, and the 95 % interval of that."""
    differences = first.each - other.each
    if not len(differences):
        return 0.0, 0.0, 0.0
    lot = np.random.default_rng(0)  # the same lots each time, so that two runs say the same
    means = [float(lot.choice(differences, len(differences)).mean()) for _ in range(RESAMPLED)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(differences.mean()), float(low), float(high)


def best(scores: Floats | Singles, seen: Ints, count: int) -> Ints:
    """The places of the `count` highest scores above 0, best first, without what was seen."""
    scores = scores.copy()
    scores[seen] = -np.inf
    count = min(count, len(scores))
    top = np.argpartition(-scores, count - 1)[:count]
    top = top[np.argsort(-scores[top], kind="stable")]
    return np.asarray(top[scores[top] > 0], np.int64)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _error(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean."""
    return float(Z95 * np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
