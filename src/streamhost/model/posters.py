"""Posters: the still picture that stands for a video, and what its owner may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture of the video that could be its poster: shown at `at` seconds; `score` is 0..1, more is better."""

    number: int
    at: float
    score: float


@dataclass(frozen=True, slots=True)
class Posters:
    """What there is to choose from, in order of time, and what is shown now.

    `chosen` is the number of the candidate that the owner chose; None if it was one that is no candidate any more, or
    none. `sent`: the owner sent a picture. With neither, `automatic` is shown, the best candidate.
    """

    candidates: Sequence[Candidate]
    automatic: int | None
    chosen: int | None
    sent: bool
