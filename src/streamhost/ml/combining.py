"""How what single models said becomes scores: which agree, which stand alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamhost.ml.manifest import Counting, Manifest
from streamhost.ml.work import Looked
from streamhost.model.moderation import Aspect, Frame, FrameScores, Score, Span, Text, TextScores

DECIMALS = 4
"""Digits of a score that are kept: the same on machines that add up in another order."""


@dataclass(frozen=True, slots=True)
class Said:
    """A model and what it said of every picture or text, a row each."""

    manifest: Manifest
    looked: Looked


def frames_of(frames: Sequence[Frame], said: Sequence[Said]) -> tuple[FrameScores, ...]:
    """Scores of each frame, in order of time; none where no model looked."""
    if not said:
        return ()
    found = [FrameScores(frame.at, _scores(number, said)) for number, frame in enumerate(frames)]
    return tuple(sorted(found, key=lambda one: one.at))


def texts_of(texts: Sequence[Text], said: Sequence[Said]) -> tuple[TextScores, ...]:
    """Scores of each text in their order; none where no model looked."""
    if not said:
        return ()
    return tuple(TextScores(text, _scores(number, said), _spans(number, said)) for number, text in enumerate(texts))


def _scores(number: int, said: Iterable[Said]) -> tuple[Score, ...]:
    agreeing: dict[Aspect, list[float]] = {}
    alone: dict[Aspect, list[float]] = {}
    for one in said:
        for (aspect, vote), value in _by_aspect(one.manifest.counts, one.looked.rows[number]).items():
            (agreeing if vote == "agree" else alone).setdefault(aspect, []).append(value)
    found = []
    for aspect in Aspect:
        together, single = agreeing.get(aspect, []), alone.get(aspect, [])
        if together or single:
            sure = max([*single, *([min(together)] if together else [])])
            found.append(Score(aspect, sure, max(together + single)))
    return tuple(found)


def _by_aspect(counts: Sequence[Counting], row: Sequence[float]) -> Mapping[tuple[Aspect, str], float]:
    """One model's numbers by aspect: labels of the same one add up, to 1 at most. An empty row says nothing."""
    sums: dict[tuple[Aspect, str], float] = {}
    for count, value in zip(counts, row, strict=False):
        key = count.aspect, count.vote
        sums[key] = sums.get(key, 0.0) + value
    return {key: round(min(1.0, max(0.0, value)), DECIMALS) for key, value in sums.items()}


def _spans(number: int, said: Iterable[Said]) -> tuple[Span, ...]:
    """The parts that stand out by any model."""
    return joined(span for one in said if one.looked.spans for span in one.looked.spans[number])


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order; those that overlap become one, with the highest of their scores."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if found and span.start < found[-1].end:
            last = found.pop()
            found.append(Span(last.start, max(last.end, span.end), max(last.score, span.score)))
        else:
            found.append(span)
    return tuple(found)
