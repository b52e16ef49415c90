"""What a model has to beat: what is popular, and what is often watched by the same people. For children only."""

from __future__ import annotations

import numpy as np

from streamhost.ml.recommending.ease import Options, gram, learnable
from streamhost.ml.recommending.measures import Proposer, best
from streamhost.ml.recommending.table import Ints, Singles, Table

KNN_NEIGHBOURS = 100
SHRINKAGE = 10.0
"""Viewers in common below which likeness is doubted."""


def popularity(train: Table) -> Proposer:
    """The most watched first, the same for everybody."""
    counts = np.bincount(train.items, minlength=train.item_count).astype(np.float64)

    def propose(seen: Ints, _strengths: Singles, count: int) -> Ints:
        return best(counts, seen, count)

    return propose


def item_neighbours(
    train: Table,
    most_items: int = 20_000,
    neighbours: int = KNN_NEIGHBOURS,
    shrinkage: float = SHRINKAGE,
    anywhere: float = 1.0,
) -> Proposer:
    """Item-kNN: the sum of cosines with what was watched, of each video's nearest (Deshpande and Karypis, 2004).

    `anywhere`: as in `ease.Options`; 1 is item-kNN as it is known."""
    items = learnable(train, Options(most_items=most_items, fewest=1))
    together = gram(train, items, Options(anywhere=anywhere), lambda _share, _step: None)
    length = np.sqrt(np.diag(together))
    likeness = together / np.maximum(length[:, None] * length + shrinkage, np.float32(1e-9))
    np.fill_diagonal(likeness, 0.0)
    if len(items) > neighbours:
        for row in likeness:
            row[np.argpartition(-row, neighbours)[neighbours:]] = 0.0
    place = np.full(train.item_count, -1, np.int64)
    place[items] = np.arange(len(items))

    def propose(seen: Ints, strengths: Singles, count: int) -> Ints:
        rows = place[seen]
        there = rows >= 0
        scores = strengths[there] @ likeness[rows[there]]
        return items[best(scores, rows[there], count)]

    return propose
