"""The model: a linear map from what somebody watched to what they may want to, in closed form. For children only.

EASE^R (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019): the item-item weights B that best
rebuild every viewer's row X from itself, min |X - XB|^2 + l|B|^2 with a diagonal of 0. With P = (X'X + L)^-1 it is
B_ij = -P_ij / P_jj. L has, besides the constant l, a share of how often a video was watched, which stands for training
with dropout (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020, eq. 8).

Here X'X knows the order of a past too: two videos count together the more the closer to each other somebody watched
them. How much is a kernel, c + (1 - c) exp(-distance / n), of which each part is positive definite: so the matrix stays
one that can be inverted, and nothing else changes. On MovieLens that is worth more than the choice of the model.

Of every video only its strongest neighbours are kept: that is what makes the model small, and quick for one viewer.

There is nothing to begin with from the last training: the closed form is one inversion, 1.05 n^3 operations, and a
single step of what could begin with an old inverse (Newton and Schulz: P becomes P(2I - GP)) takes 4 n^3. Keeping X'X
would spare its smaller part, but cost a file as large as the matrix, and views that were since taken back would stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from streamhost.ml.recommending.table import Ints, Singles, Table

Report = Callable[[float, str], None]
_SMALL = 1024
"""Rows of a block that is inverted directly."""
_STRIPES = 8
"""Parts in which a symmetric product is worked out."""
_SAY_EVERY = 2000


@dataclass(frozen=True, slots=True)
class Options:
    """How to fit. `ridge` is l; `dropout` p adds p / (1 - p) of a video's count to the diagonal; `most_weights` stay,
    at least `keep` of each video; `most_items` videos that are learned, the most watched; `most_history` newest
    videos of one viewer; `fewest` viewers that a video must have had. Two videos of one past count together as
    `anywhere` + (1 - `anywhere`) exp(-distance / `near`), the distance in videos; `anywhere` 1: in whatever order."""

    ridge: float = 300.0
    dropout: float = 0.0
    keep: int = 200
    most_weights: int = 6_000_000
    most_items: int = 20_000
    most_history: int = 500
    fewest: int = 2
    anywhere: float = 0.2
    near: float = 10.0


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted model: for each learned video, `items[row]` in the table, its `neighbours` (rows) and their `weights`.

    Someone who watched row i with strength s gets s * weights[i, k] for neighbours[i, k]. Both [rows, keep]; where a
    video has fewer neighbours, the weight is 0 and the neighbour itself."""

    items: Ints
    neighbours: Ints
    weights: Singles


def learnable(data: Table, options: Options) -> Ints:
    """The videos that can be learned, by number in the table, most watched first."""
    counts = np.bincount(data.items, minlength=data.item_count)
    order = np.argsort(-counts, kind="stable")[: options.most_items]
    return np.asarray(order[counts[order] >= options.fewest], np.int64)


def gram(data: Table, items: Ints, options: Options, report: Report) -> Singles:
    """X'X over the chosen items, nearer ones counting more, [rows, rows]. Memory: four bytes for each pair of items."""
    place = np.full(data.item_count, -1, np.int64)
    place[items] = np.arange(len(items))
    rows = place[data.items]
    chosen = rows >= 0
    rows, weights, users = rows[chosen], data.weights[chosen], data.users[chosen]
    found = np.zeros((len(items), len(items)), np.float32)
    diagonal = np.zeros(len(items), np.float32)
    places = np.arange(options.most_history)
    apart = np.exp(-np.abs(places[:, None] - places) / options.near)
    nearness = (options.anywhere + (1 - options.anywhere) * apart).astype(np.float32)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(users)) + 1, [len(users)]])
    for number, (start, end) in enumerate(pairwise(bounds.tolist())):
        if number % _SAY_EVERY == 0:
            report(number / max(1, len(bounds) - 1), "counting")
        start = max(start, end - options.most_history)
        mine, strength = rows[start:end], weights[start:end]
        if len(mine) == 1:
            diagonal[mine] += strength * strength
        elif len(mine):
            found[mine[:, None], mine] += strength[:, None] * strength * nearness[: len(mine), : len(mine)]
    found[np.diag_indices(len(items))] += diagonal
    return found


def invert(matrix: Singles, report: Callable[[int], None] = lambda _rows: None) -> None:
    """Replace a symmetric positive definite matrix by its inverse, in place, by blocks (Schur complement).

    Half of the work of a general inverse, nearly all of it in large products, and a quarter of the matrix as
    workspace."""
    size = len(matrix)
    if size <= _SMALL:
        matrix[...] = np.linalg.inv(matrix.astype(np.float64))
        report(size)
        return
    half = size // 2
    first, corner, last = matrix[:half, :half], matrix[:half, half:], matrix[half:, half:]
    invert(first, report)
    through = first @ corner
    _subtract(last, corner.T, through)
    invert(last, report)
    np.matmul(through, last, out=corner)
    np.negative(corner, out=corner)
    _subtract(first, corner, through.T)
    matrix[half:, :half] = corner.T


def _subtract(matrix: Singles, left: Singles, right: Singles) -> None:
    """Take `left @ right` off a symmetric matrix; the product is symmetric, so only a half of it is worked out."""
    size = len(matrix)
    step = max(1, -(-size // _STRIPES))
    for begin in range(0, size, step):
        end = min(size, begin + step)
        matrix[begin:end, begin:] -= left[begin:end] @ right[:, begin:]
        matrix[end:, begin:end] = matrix[begin:end, end:].T


def fit(data: Table, options: Options, report: Report) -> Weights:
    """Learn from all of a table."""
    items = learnable(data, options)
    found = gram(data, items, options, lambda share, step: report(0.4 * share, step))
    diagonal = np.diag_indices(len(items))
    found[diagonal] += options.ridge + options.dropout / (1 - options.dropout) * found[diagonal]
    done = 0

    def inverted(rows: int) -> None:
        nonlocal done
        done += rows
        report(0.4 + 0.5 * done / max(1, len(items)), "fitting")

    invert(found, inverted)
    scale = -1.0 / found[diagonal]
    found[diagonal] = 0.0
    found *= scale[None, :]
    return strongest(found, items, max(options.keep, options.most_weights // max(1, len(items))), report)


def strongest(found: Singles, items: Ints, keep: int, report: Report) -> Weights:
    """The `keep` largest weights of each row by size, in either direction."""
    count = len(items)
    keep = max(1, min(keep, count - 1))
    neighbours = np.zeros((count, keep), np.int64)
    weights = np.zeros((count, keep), np.float32)
    for row in range(count):
        values = found[row]
        best = np.argpartition(-np.abs(values), min(keep, count - 1))[:keep] if count > keep else np.arange(keep)
        neighbours[row], weights[row] = best, values[best]
        if row % _SAY_EVERY == 0:
            report(0.9 + 0.1 * row / max(1, count), "keeping the strongest")
    weights[neighbours == np.arange(count)[:, None]] = 0.0
    return Weights(items, neighbours, weights)


def scores(model: Weights, rows: Ints, strengths: Singles) -> Singles:
    """What the model says of every learned video for somebody who watched `rows`: for measuring, and for tests."""
    found = np.zeros(len(model.items), np.float32)
    np.add.at(found, model.neighbours[rows].ravel(), (model.weights[rows] * strengths[:, None]).ravel())
    return found
