"""What the processes for recommendation models are asked. Plain data; importing this costs nothing."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Fitting(Struct, frozen=True):
    """How to fit; see `ease.Options`. `ridge` 0: it is chosen by what viewers watched who were left out at first."""

    ridge: float = 0.0
    dropout: float = 0.0
    keep: int = 200
    most_weights: int = 6_000_000
    most_items: int = 20_000
    most_history: int = 500
    fewest: int = 2


class Train(Struct, frozen=True):
    """Learn from the viewers in `watched` and write the model to `model`. `videos`: a file
    with `number id` of every video."""

    watched: str
    videos: str
    model: str
    trained_at: float
    fitting: Fitting = Fitting()


class Evaluate(Struct, frozen=True):
    """Measure on the viewers in `watched` (with `videos`), or on somebody's `dataset`. `most`: viewers to ask about."""

    way: str
    dataset: str = ""
    watched: str = ""
    videos: str = ""
    fitting: Fitting = Fitting()
    most: int = 20_000
    seed: int = 0


class Request(Struct, frozen=True):
    """One of the two."""

    train: Train | None = None
    evaluate: Evaluate | None = None


class Trained(Struct, frozen=True):
    """What was learned from: videos in the model, viewers, and pairs of the two; and seconds that it took."""

    videos: int
    viewers: int
    watched: int
    seconds: float


class Scored(Struct, frozen=True):
    """A video that the model finds, its score, and which of the history said most for it."""

    id: str
    score: float
    because: str = ""


class ModelAbout(Struct, frozen=True):
    """What a model's file says of itself."""

    trained_at: float
    viewers: int
    watched: int
    videos: int


def plain(value: object) -> Any:
    """As dicts, lists, strings and numbers, for JSON."""
    return msgspec.to_builtins(value)
