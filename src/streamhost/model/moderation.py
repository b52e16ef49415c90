"""What is looked at when a video is screened, and what was found. Scores are 0..1, times seconds of the presentation.

Nothing here decides anything: a score says how sure models are, a gap says that nobody looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What a policy has lines for."""

    NUDITY = "nudity"
    VIOLENCE = "violence"
    TEXT = "text"


class Aspect(StrEnum):
    """What a model can look for; a category has one or more."""

    NUDITY = "nudity"
    GORE = "gore"
    FIGHTS = "fights"
    WEAPONS = "weapons"
    TOXICITY = "toxicity"

    @property
    def category(self) -> Category:
        """The category that it counts for."""
        return CATEGORIES[self]


CATEGORIES: Mapping[Aspect, Category] = {
    Aspect.NUDITY: Category.NUDITY,
    Aspect.GORE: Category.VIOLENCE,
    Aspect.FIGHTS: Category.VIOLENCE,
    Aspect.WEAPONS: Category.VIOLENCE,
    Aspect.TOXICITY: Category.TEXT,
}
OF_TEXTS = frozenset({Aspect.TOXICITY})
"""Aspects of words; the others are of pictures."""


class TextSource(StrEnum):
    """Where words come from."""

    TITLE = "title"
    DESCRIPTION = "description"
    TAGS = "tags"
    CHAPTERS = "chapters"
    CAPTIONS = "captions"
    PICTURE = "picture"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True)
class Frame:
    """A JPEG picture shown at ``at``: ``size`` bytes of a local file from ``offset`` on; None: up to its end."""

    at: float
    path: str
    offset: int = 0
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Words, and when they are seen or heard; None for those that stand beside the video."""

    source: TextSource
    words: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be screened: pictures, words, and pictures (larger ones help) in which words may stand."""

    frames: tuple[Frame, ...] = ()
    texts: tuple[Text, ...] = ()
    legible: tuple[Frame, ...] = ()

    def concerns(self, aspects: Iterable[Aspect]) -> frozenset[Aspect]:
        """Those of the aspects that something is here for."""
        words = bool(self.texts or self.legible)
        return frozenset(aspect for aspect in aspects if (words if aspect in OF_TEXTS else bool(self.frames)))


@dataclass(frozen=True, slots=True)
class Score:
    """What models say of one aspect: what all that vote together agree on, and what one at least believes.

    ``sure`` is never above ``possible``; with one model they are the same.
    """

    aspect: Aspect
    sure: float
    possible: float


@dataclass(frozen=True, slots=True)
class FrameScores:
    """A picture's scores, one for each aspect that was looked for."""

    at: float
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a text from character ``start`` up to ``end`` that scored so."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class TextScores:
    """A text's score: the highest of its parts; ``spans`` are the parts that stand out, in order, none overlapping."""

    text: Text
    scores: tuple[Score, ...]
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that looked, exactly: ``sha256`` of its file."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Gap:
    """An aspect for which not everything was done, so that a low score, or none, says nothing.

    ``model`` is the one that should have looked; None where no model for the aspect is known here. ``code`` and
    ``detail`` are of the error: ``model_missing``, ``model_broken`` and others.
    """

    aspect: Aspect
    model: str | None
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found. ``frames`` in order of time; ``texts`` as they were given, then words read from pictures.

    An aspect that nobody scored stands in ``gaps``: missing is never clean.
    """

    frames: tuple[FrameScores, ...] = ()
    texts: tuple[TextScores, ...] = ()
    models: tuple[ModelUse, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def scored(self) -> frozenset[Aspect]:
        """The aspects that stand in every frame's, or every text's, scores."""
        pictures = [frozenset(score.aspect for score in one.scores) for one in self.frames]
        words = [frozenset(score.aspect for score in one.scores) for one in self.texts]
        return _in_all(pictures) | _in_all(words)


def _in_all(sets: list[frozenset[Aspect]]) -> frozenset[Aspect]:
    return frozenset.intersection(*sets) if sets else frozenset()
