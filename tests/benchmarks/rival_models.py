"""Other ways to learn what to propose, in numpy: SLIM, iALS and a denoising autoencoder. For comparing only.

Each is trained on a table and answers as `measures.Proposer` does: for a past with strengths, so also for pasts that it
was not trained on. Tables are small here, so who watched what is kept as a matrix with a row for each viewer.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streamhost.ml.recommending.measures import Proposer, best
from streamhost.ml.recommending.table import Ints, Singles, Table

_BLOCK = 64
_STILL = 1e-4
"""A change of weights below which nothing is expected any more."""
_BATCH = 64
_RATE, _FIRST, _SECOND, _TINY = 1e-3, 0.9, 0.999, 1e-8
"""Adam (Kingma and Ba, ICLR 2015), with the usual constants."""


def matrix(data: Table) -> Singles:
    """Who watched what, [viewers, videos]."""
    found = np.zeros((data.user_count, data.item_count), np.float32)
    found[data.users, data.items] = data.weights
    return found


def linear(weights: Singles) -> Proposer:
    """Propose by item-item weights."""

    def propose(seen: Ints, strengths: Singles, count: int) -> Ints:
        return best(strengths @ weights[seen], seen, count)

    return propose


def slim(data: Table, l1: float, l2: float, sweeps: int = 60) -> Proposer:
    """SLIM (Ning and Karypis, ICDM 2011): each column from the others, with weights >= 0 and the elastic net.

    By coordinate descent on all columns at once: a row of weights is the same coordinate of every column's problem. A
    block of rows is worked on at a time, so that most of the work is products of matrices."""
    watched = matrix(data)
    together = watched.T @ watched
    size = len(together)
    weights = np.zeros((size, size), np.float32)
    scale = np.diag(together) + np.float32(l2)
    for _ in range(sweeps):
        most = 0.0
        for begin in range(0, size, _BLOCK):
            rows = slice(begin, min(size, begin + _BLOCK))
            mine = together[rows]
            left = mine - mine @ weights
            for place, row in enumerate(range(rows.start, rows.stop)):
                wanted = np.maximum(left[place] + mine[place, row] * weights[row] - l1, 0.0) / scale[row]
                wanted[row] = 0.0
                change = wanted - weights[row]
                weights[row] = wanted
                left -= np.outer(mine[:, row], change)
                most = max(most, float(np.abs(change).max()))
        if most < _STILL:
            break
    return linear(weights)


def ials(data: Table, factors: int, unobserved: float, ridge: float, sweeps: int = 12) -> Proposer:
    """Implicit matrix factorisation by alternating least squares (Hu, Koren and Volinsky, ICDM 2008), in the form of
    Rendle et al., "Revisiting the Performance of iALS" (RecSys 2022): what was not watched counts `unobserved`, and
    whoever has more to say is shrunk more."""
    watched = matrix(data)
    lot = np.random.default_rng(0)
    videos = (lot.standard_normal((data.item_count, factors)) * 0.1 / np.sqrt(factors)).astype(np.float32)
    for _ in range(sweeps):
        viewers = _solved(videos, watched, unobserved, ridge)
        videos = _solved(viewers, np.ascontiguousarray(watched.T), unobserved, ridge)

    def propose(seen: Ints, strengths: Singles, count: int) -> Ints:
        theirs = np.zeros((1, len(videos)), np.float32)
        theirs[0, seen] = strengths
        return best(videos @ _solved(videos, theirs, unobserved, ridge)[0], seen, count)

    return propose


def _solved(fixed: Singles, watched: Singles, unobserved: float, ridge: float) -> Singles:
    """The best vectors of one side, [rows of `watched`, factors], for fixed ones of the other."""
    size = fixed.shape[1]
    some = np.flatnonzero(watched.any(axis=0))
    outer = (fixed[some, :, None] * fixed[some, None, :]).reshape(len(some), size * size)
    squares = (watched[:, some] @ outer).reshape(-1, size, size) + unobserved * (fixed.T @ fixed)
    shrink = ridge * (watched.sum(axis=1) + unobserved * len(fixed))
    squares += shrink[:, None, None] * np.eye(size, dtype=np.float32)
    return np.asarray(np.linalg.solve(squares, (watched @ fixed)[:, :, None])[:, :, 0], np.float32)


def autoencoder(data: Table, hidden: int, dropout: float, epochs: int) -> Proposer:
    """Mult-DAE (Liang et al., WWW 2018): a row with some of it dropped, through tanh, to a distribution over videos."""
    lot = np.random.default_rng(0)
    watched = matrix(data)
    watched = watched[watched.any(axis=1)]
    scale = np.sqrt(2 / (data.item_count + hidden))
    net = [
        (lot.standard_normal((data.item_count, hidden)) * scale).astype(np.float32),
        np.zeros(hidden, np.float32),
        (lot.standard_normal((hidden, data.item_count)) * scale).astype(np.float32),
        np.zeros(data.item_count, np.float32),
    ]
    moments = [(np.zeros_like(one), np.zeros_like(one)) for one in net]
    for step, rows in enumerate(_batches(lot, len(watched), epochs), 1):
        target = watched[rows]
        given = _unit(target) * (lot.random(target.shape) >= dropout) / (1 - dropout)
        inner = np.tanh(given @ net[0] + net[1])
        raw = inner @ net[2] + net[3]
        shares = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        out = (shares * target.sum(axis=1, keepdims=True) - target) / len(rows)
        back = (out @ net[2].T) * (1 - inner * inner)
        slopes = [given.T @ back, back.sum(axis=0), inner.T @ out, out.sum(axis=0)]
        for one, slope, (mean, square) in zip(net, slopes, moments, strict=True):
            mean += (1 - _FIRST) * (slope - mean)
            square += (1 - _SECOND) * (slope * slope - square)
            ready = mean / (1 - _FIRST**step)
            one -= _RATE * ready / (np.sqrt(square / (1 - _SECOND**step)) + _TINY)

    def propose(seen: Ints, strengths: Singles, count: int) -> Ints:
        theirs = np.zeros((1, data.item_count), np.float32)
        theirs[0, seen] = strengths
        scores = (np.tanh(_unit(theirs) @ net[0] + net[1]) @ net[2] + net[3])[0]
        return best(scores - scores.min() + 1, seen, count)

    return propose


def _unit(rows: Singles) -> Singles:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-9)), np.float32)


def _batches(lot: np.random.Generator, size: int, epochs: int) -> Iterator[Ints]:
    for _ in range(epochs):
        order = lot.permutation(size)
        yield from (order[at : at + _BATCH] for at in range(0, size, _BATCH))
