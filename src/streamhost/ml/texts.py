"""Texts through a model: long ones in overlapping parts, and which words made the score. For the child only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from streamhost.ml import grams
from streamhost.ml.words import Word, words_of
from streamhost.model.moderation import Span

PART = 16
"""Words that are judged together: an insult of four words is not lost in a page of kindness."""
SHORT_PART = 6
"""Words of what is shown as evidence, where so few are enough for the score."""
MOST_SPANS = 200
"""Parts of one text that are shown as evidence; all of it is judged, however long."""

Floats = NDArray[np.float32]
Judge = Callable[[NDArray[np.int64]], Floats]
"""Scores, a row each, for rows of slots; rows are filled up with the number of slots."""
BATCH = 64


class TextScorer:
    """Scores texts with one model."""

    def __init__(self, judge: Judge, slots: int, width: int, line: float) -> None:
        """`width`: how many scores the judge gives; `line`: from this score on, parts of a text are evidence."""
        self._width = width
        self._judge = judge
        self._slots = slots
        self._line = line

    def score(self, text: str) -> tuple[tuple[float, ...], tuple[Span, ...]]:
        """The highest scores of a text's parts, and the places of what stands out. A text without words has none."""
        words = words_of(text)
        parts = _parts(words, PART)
        best = np.zeros(self._width, np.float32)
        spans: list[Span] = []
        while words and (batch := list(islice(parts, BATCH))):
            rows = self._of(batch)
            best = np.maximum(best, rows.max(axis=0))
            for part, row in zip(batch, rows, strict=True):
                if row.max() >= self._line and len(spans) < MOST_SPANS:
                    spans += self._evidence(part, float(row.max()))
        return tuple(float(value) for value in best), tuple(spans[:MOST_SPANS])

    def _evidence(self, part: Sequence[Word], score: float) -> list[Span]:
        """The few words of a part that score as much by themselves; else all of it."""
        small = list(_parts(part, SHORT_PART))
        rows = self._of(small).max(axis=1)
        hot = [_span(words, float(row)) for words, row in zip(small, rows, strict=True) if row >= self._line]
        return hot or [_span(part, score)]

    def _of(self, parts: Sequence[Sequence[Word]]) -> Floats:
        return self._judge(padded([grams.features(part, self._slots) for part in parts], self._slots))


def padded(rows: Sequence[Sequence[int]], slots: int) -> NDArray[np.int64]:
    """Rows of unequal length as one array, filled up with `slots`, which stands for nothing."""
    width = max(1, *(len(row) for row in rows))
    array = np.full((len(rows), width), slots, np.int64)
    for number, row in enumerate(rows):
        array[number, : len(row)] = row
    return array


def _parts(words: Sequence[Word], length: int) -> Iterator[Sequence[Word]]:
    """Stretches of at most `length` words, each half in the one before."""
    step = max(1, length // 2)
    last = max(1, len(words) - length + step)
    for start in range(0, last, step):
        yield words[start : start + length]


def _span(words: Sequence[Word], score: float) -> Span:
    return Span(words[0].start, words[-1].end, score)
