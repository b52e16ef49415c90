"""What is learned from and what is asked for, in three ways. For children only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streamhost.ml.recommending.table import Ints, Table

TRAINED, CHECKED = 0.8, 0.1
"""Shares of a viewer's videos that are learned from, and that are kept to choose options by; the rest is asked for."""
TIME_SHARE = 0.9
"""Share of all that was watched which lies before the moment of a split by time."""


Mask = NDArray[np.bool_]


class Way(StrEnum):
    """How a table is split."""

    TIME = "time"
    """By one moment for all: what was watched later is asked for. The nearest to what a site does every night."""
    LAST = "last"
    """The last video of every viewer is asked for."""
    RANDOM = "random"
    """A tenth of every viewer's videos, drawn; another tenth is left out, as others do to choose options by."""


@dataclass(frozen=True, slots=True)
class Split:
    """`train` is learned from; `check` (perhaps empty) and `test` are asked for, of viewers who are in `train` too.

    `ordered`: what is asked for came after what is learned from, so the order of somebody's past says something."""

    train: Table
    check: Table
    test: Table
    ordered: bool


def split(data: Table, way: Way, seed: int = 0) -> Split:
    """Split a table. The same seed gives the same."""
    place = np.arange(len(data)) - data.starts[data.users]
    lengths = np.bincount(data.users, minlength=data.user_count)[data.users]
    nothing = np.zeros(len(data), bool)
    if way is Way.LAST:
        asked = (place == lengths - 1) & (lengths > 1)
        return _split(data, ~asked, nothing, asked, ordered=True)
    if way is Way.TIME:
        moment = np.quantile(data.times, TIME_SHARE) if len(data) else 0.0
        return _split(data, data.times <= moment, nothing, data.times > moment, ordered=True)
    drawn = _places(data, seed)
    trained = np.ceil(TRAINED * lengths)
    checked = trained + np.floor(CHECKED * lengths)
    return _split(data, drawn < trained, (drawn >= trained) & (drawn < checked), drawn >= checked, ordered=False)


def _places(data: Table, seed: int) -> Ints:
    """A place for each row, drawn among those of its user."""
    lot = np.random.default_rng(seed).random(len(data))
    order = np.lexsort((lot, data.users))
    places = np.empty(len(data), np.int64)
    places[order] = np.arange(len(data)) - data.starts[data.users[order]]
    return places


def _split(data: Table, train: Mask, check: Mask, test: Mask, *, ordered: bool) -> Split:
    learned = np.bincount(data.users[train], minlength=data.user_count) > 0
    known = learned[data.users]
    return Split(data.only(train), data.only(check & known), data.only(test & known), ordered)
