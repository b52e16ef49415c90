"""Several classifiers as one: those of this program, and those of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from streamhost import log
from streamhost.ml.combining import joined
from streamhost.model.errors import StreamhostError
from streamhost.model.moderation import Aspect, Findings, FrameScores, Gap, Material, Score, Text, TextScores
from streamhost.ports import Classifier, ClassifierUnavailable

_logger = log.get("ml")


class CombinedClassifier:
    """Asks one after the other; a `Classifier`. Each one's word counts: the highest score of an aspect stands.

    One that fails becomes a gap in each of its aspects. Aspects that none claims are gaps without a model. Only when
    all of them fail for now is `ClassifierUnavailable` raised.
    """

    def __init__(self, classifiers: Sequence[Classifier]) -> None:
        self._classifiers = tuple(classifiers)

    @property
    def aspects(self) -> frozenset[Aspect]:
        """What all of them look for."""
        return frozenset(aspect for one in self._classifiers for aspect in one.aspects)

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """Look at everything."""
        found: list[Findings] = []
        gaps: list[Gap] = []
        unavailable: list[StreamhostError] = []
        for number, one in enumerate(self._classifiers):
            try:
                found.append(await one.screen(material, _part(report, number, len(self._classifiers))))
            except StreamhostError as error:
                _logger.warning("a classifier failed", action="screen", kind=type(one).__name__, error=str(error))
                unavailable += [error] if isinstance(error, ClassifierUnavailable) else []
                concerned = sorted(material.concerns(one.aspects))
                gaps += [Gap(aspect, type(one).__name__, error.code, error.detail) for aspect in concerned]
        if unavailable and len(unavailable) == len(self._classifiers):
            raise unavailable[0]
        nobody = sorted(material.concerns(frozenset(Aspect) - self.aspects))
        unknown = [Gap(aspect, None, "model_missing") for aspect in nobody]
        return _joined(found, [*gaps, *unknown])


def _part(report: Callable[[float], None], number: int, count: int) -> Callable[[float], None]:
    return lambda share: report((number + share) / count)


def _joined(found: Sequence[Findings], gaps: Sequence[Gap]) -> Findings:
    models = dict.fromkeys(use for one in found for use in one.models)
    return Findings(
        _frames([one.frames for one in found if one.frames]),
        _texts([one.texts for one in found if one.texts]),
        tuple(models),
        tuple(dict.fromkeys([*(gap for one in found for gap in one.gaps), *gaps])),
    )


def _frames(parts: Sequence[tuple[FrameScores, ...]]) -> tuple[FrameScores, ...]:
    """All have the same frames in the same order."""
    return tuple(FrameScores(rows[0].at, _highest(row.scores for row in rows)) for rows in zip(*parts, strict=True))


def _texts(parts: Sequence[tuple[TextScores, ...]]) -> tuple[TextScores, ...]:
    """Texts that were given come first and are the same; what one has read out of pictures may follow."""
    by_place: dict[tuple[int, Text], list[TextScores]] = {}
    for part in parts:
        for place, one in enumerate(part):
            by_place.setdefault((place, one.text), []).append(one)
    ordered = sorted(by_place.items(), key=lambda item: item[0][0])
    return tuple(
        TextScores(text, _highest(row.scores for row in rows), joined(span for row in rows for span in row.spans))
        for (_, text), rows in ordered
    )


def _highest(parts: Iterable[tuple[Score, ...]]) -> tuple[Score, ...]:
    """Each aspect's highest scores."""
    best: dict[Aspect, Score] = {}
    for score in (score for part in parts for score in part):
        other = best.get(score.aspect, score)
        best[score.aspect] = Score(score.aspect, max(score.sure, other.sure), max(score.possible, other.possible))
    return tuple(best[aspect] for aspect in Aspect if aspect in best)
