"""Scores over time as a drawing: one strip for each aspect, the lines of the policy across, spikes where models looked.

The drawing is 1000 units wide, whatever the length of the video, and 100 high: a score of 1 reaches its top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamhost.model.moderation import OF_TEXTS, Aspect, Findings, Score
from streamhost.model.verdicts import DEFAULT_LINES, Lines
from streamhost.server.pages.shapes import clock_text

WIDTH = 1000
HEIGHT = 100
COLUMNS = 400
"""More spikes than that nobody could tell apart: of those that fall into one column the highest is drawn."""
LEAST = 0.01
"""Lower scores are not drawn; they would be part of the base line."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One strip. `possible` and `sure` are paths; the lines are heights from the top; `peak_at` is in seconds."""

    label: str
    possible: str
    sure: str
    medium: int
    high: int
    peak: str
    peak_at: float
    peak_text: str
    level: str
    """How far the highest score reaches: `low`, `medium`, `high`."""


def strips(
    findings: Findings, lines: Mapping[Aspect, Lines], duration: float, names: Mapping[Aspect, str]
) -> list[Strip]:
    """A strip for each aspect that was scored at some moment of the video, those with the highest scores first."""
    found = []
    for aspect in Aspect:
        timed = list(_timed(aspect, findings))
        if timed and duration > 0:
            found.append(_strip(timed, lines.get(aspect, DEFAULT_LINES), duration, names[aspect]))
    return sorted(found, key=lambda one: -float(one.peak))


def _timed(aspect: Aspect, findings: Findings) -> Iterable[tuple[float, Score]]:
    moments: Iterable[tuple[float | None, Sequence[Score]]]
    if aspect in OF_TEXTS:
        moments = ((one.text.at, one.scores) for one in findings.texts)
    else:
        moments = ((one.at, one.scores) for one in findings.frames)
    return (
        (at, score)
        for at, scores in moments
        if at is not None and at >= 0
        for score in scores
        if score.aspect is aspect
    )


def _strip(timed: Sequence[tuple[float, Score]], lines: Lines, duration: float, label: str) -> Strip:
    at, top = max(timed, key=lambda one: one[1].possible)
    level = "high" if top.sure >= lines.high else "medium" if top.possible >= lines.medium else "low"
    return Strip(
        label,
        _spikes([(at, score.possible) for at, score in timed], duration),
        _spikes([(at, score.sure) for at, score in timed], duration),
        round(HEIGHT * (1 - lines.medium)),
        round(HEIGHT * (1 - lines.high)),
        f"{top.possible:.2f}",
        round(at, 2),
        clock_text(at),
        level,
    )


def _spikes(points: Iterable[tuple[float, float]], duration: float) -> str:
    """A path that rises from the base line to each score."""
    highest: dict[int, float] = {}
    for at, score in points:
        column = min(COLUMNS - 1, int(at / duration * COLUMNS))
        highest[column] = max(score, highest.get(column, 0.0))
    step = WIDTH / COLUMNS
    return "".join(
        f"M{(column + 0.5) * step:g} {HEIGHT}V{HEIGHT - score * HEIGHT:.1f}"
        for column, score in sorted(highest.items())
        if score >= LEAST
    )
