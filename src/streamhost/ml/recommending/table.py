"""Who watched what, as arrays; and the text files in which that comes. For children only.

The file of an instance has a line for each viewer: `video weight hour video weight hour …`, all of them whole numbers:
a video's number in the catalog, hundredths of strength, hours since 1970; another file has `number id` of every video.

Data sets are tables with a header, such as RecBole's `.inter` files, with columns for user, item and, where times
matter, timestamp.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamhost.model.recommendations import UnreadableDataset

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

COLUMNS = 3
HUNDREDTHS = 100.0
HOUR = 3600.0
USER, ITEM, TIME = ("user", "viewer"), ("item", "video", "movie"), ("time",)


@dataclass(frozen=True, slots=True)
class Table:
    """Who (`users`, 0 up to `user_count`) watched what (`items`, 0 up to `item_count`), how much, when (seconds).

    Rows are ordered by user, then time; a pair stands once. From `starts[u]` up to `starts[u + 1]` they are u's."""

    users: Ints
    items: Ints
    weights: Singles
    times: Floats
    user_count: int
    item_count: int

    @property
    def starts(self) -> Ints:
        """Where each user's rows begin, and at last where they all end."""
        counts = np.bincount(self.users, minlength=self.user_count)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.users)

    def only(self, chosen: NDArray[np.bool_] | Ints) -> Table:
        """The chosen rows; users and items keep their numbers."""
        return Table(
            self.users[chosen],
            self.items[chosen],
            self.weights[chosen],
            self.times[chosen],
            self.user_count,
            self.item_count,
        )


def table(users: Ints, items: Ints, weights: Singles, times: Floats, user_count: int, item_count: int) -> Table:
    """A table in order; of pairs that stand twice, the latest is kept."""
    order = np.lexsort((times, items, users))
    users, items, weights, times = users[order], items[order], weights[order], times[order]
    last = np.ones(len(users), bool)
    last[:-1] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    users, items, weights, times = users[last], items[last], weights[last], times[last]
    order = np.lexsort((items, times, users))
    return Table(users[order], items[order], weights[order], times[order], user_count, item_count)


def read_videos(path: Path) -> tuple[list[str], Ints]:
    """The ids of an instance's videos, and the place of each among them by its number (-1: there is none)."""
    pairs = [line.split() for line in path.read_text("ascii").splitlines()]
    numbers = np.array([int(number) for number, _ in pairs], np.int64)
    places = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int64)
    places[numbers] = np.arange(len(numbers))
    return [video_id for _, video_id in pairs], places


def read_lines(path: Path, places: Ints) -> Table:
    """The file of an instance; `places` as `read_videos` gives them."""
    rows: list[Ints] = []
    lengths: list[int] = []
    with path.open("r", encoding="ascii") as file:
        for line in file:
            numbers = np.fromstring(line, dtype=np.int64, sep=" ")
            row = numbers[: len(numbers) // COLUMNS * COLUMNS].reshape(-1, COLUMNS)
            row = row[(row[:, 0] >= 0) & (row[:, 0] < len(places))]
            row[:, 0] = places[row[:, 0]]
            row = row[row[:, 0] >= 0]
            if len(row):
                rows.append(row)
                lengths.append(len(row))
    everything = np.concatenate(rows) if rows else np.zeros((0, COLUMNS), np.int64)
    users = np.repeat(np.arange(len(rows)), lengths)
    weights = (everything[:, 1] / HUNDREDTHS).astype(np.float32)
    count = int((places >= 0).sum())
    return table(users, everything[:, 0], weights, (everything[:, 2] * HOUR).astype(np.float64), len(rows), count)


def read_dataset(path: Path) -> Table:
    """A data set of somebody else, of which every row counts the same. Raises `UnreadableDataset`."""
    try:
        with path.open("r", encoding="utf-8", newline="") as file:
            head = file.readline()
            separator = max("\t,;", key=head.count)
            names = [name.strip().lower() for name in head.strip().split(separator)]
            places = [_column(names, wanted) for wanted in (USER, ITEM)]
            time = next((n for n, name in enumerate(names) if name.startswith(TIME)), None)
            rows = list(_cells(csv.reader(file, delimiter=separator), [*places, *([] if time is None else [time])]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableDataset(f"{path.name}: {error}") from error
    if not rows:
        raise UnreadableDataset(f"{path.name} has no rows.")
    users, user_count = _numbered([row[0] for row in rows])
    items, item_count = _numbered([row[1] for row in rows])
    try:
        moments = [float(row[2]) if time is not None else float(place) for place, row in enumerate(rows)]
    except ValueError as error:
        raise UnreadableDataset(f"{path.name}: {error}") from error
    times = np.array(moments, np.float64)
    return table(users, items, np.ones(len(rows), np.float32), times, user_count, item_count)


def _column(names: Sequence[str], wanted: tuple[str, ...]) -> int:
    for number, name in enumerate(names):
        if name.startswith(wanted):
            return number
    raise UnreadableDataset(f"No column is called {' or '.join(wanted)}: {', '.join(names)[:200]}.")


def _cells(rows: Iterable[Sequence[str]], places: Sequence[int]) -> Iterable[tuple[str, ...]]:
    for row in rows:
        if row:
            if len(row) <= max(places):
                raise UnreadableDataset(f"A row has too few columns: {' '.join(row)[:100]}")
            yield tuple(row[place] for place in places)


def _numbered(names: Sequence[str]) -> tuple[Ints, int]:
    known: dict[str, int] = {}
    numbers = [known.setdefault(name, len(known)) for name in names]
    return np.array(numbers, np.int64), len(known)
