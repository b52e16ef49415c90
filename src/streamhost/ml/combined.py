"""Several classifiers as one: those of this program, and those of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from streamhost import log
from streamhost.ml.combining import joined
from streamhost.model.errors import StreamhostError
from streamhost.model.moderation import Aspect, Findings, FrameScores, Gap, Material, Score, Text, TextScores
from streamhost.ports import Classifier, ClassifierUnavailable, ModelBroken

_logger = log.get("ml")


class CombinedClassifier:
    """Asks one after the other; a `Classifier`. Each one's word counts: the highest score of an aspect stands.

    One that fails, in whatever way, or answers what cannot be (a score that is no number would pass for a low one)
    becomes a gap in each of its aspects; what it claims and says nothing of is one too. Aspects that none claims are
    gaps without a model. Only when all of them fail for now is `ClassifierUnavailable` raised.
    """

    def __init__(self, classifiers: Sequence[Classifier], names: Sequence[str] = ()) -> None:
        """`names`: how gaps call each of them; else by what they are."""
        self._classifiers = tuple(classifiers)
        self._names = tuple(names) or tuple(type(one).__name__ for one in classifiers)

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
            name, concerned = self._names[number], material.concerns(one.aspects)
            try:
                answer = _sound(await one.screen(material, _part(report, number, len(self._classifiers))), material)
            except Exception as raised:  # what plugins raise may be anything
                error = raised if isinstance(raised, StreamhostError) else _broken(raised)
                _logger.warning("a classifier failed", action="screen", kind=name, error=str(error))
                unavailable += [error] if isinstance(error, ClassifierUnavailable) else []
                gaps += [Gap(aspect, name, error.code, error.detail) for aspect in sorted(concerned)]
            else:
                found.append(answer)
                claimed = Material(material.frames, material.texts).concerns(one.aspects)
                silent = claimed - answer.scored() - {gap.aspect for gap in answer.gaps}
                gaps += [Gap(aspect, name, ModelBroken.code, "It gave no answer.") for aspect in sorted(silent)]
        if unavailable and len(unavailable) == len(self._classifiers):
            raise unavailable[0]
        nobody = sorted(material.concerns(frozenset(Aspect) - self.aspects))
        unknown = [Gap(aspect, None, "model_missing") for aspect in nobody]
        return _joined(found, [*gaps, *unknown])


def _broken(raised: Exception) -> ModelBroken:
    return ModelBroken(f"{type(raised).__name__}: {raised}"[:500])


def _sound(found: Findings, material: Material) -> Findings:
    """What a classifier answered, if it can be an answer to this. Raises `ModelBroken`."""
    places = [one.at for one in found.frames]
    if places and places != sorted(frame.at for frame in material.frames):
        raise ModelBroken("It answered about other pictures than it was given.")
    if found.texts and tuple(one.text for one in found.texts)[: len(material.texts)] != material.texts:
        raise ModelBroken("It answered about other words than it was given.")
    for row in [one.scores for one in found.frames] + [one.scores for one in found.texts]:
        if not all(0 <= score.sure <= score.possible <= 1 for score in row):
            raise ModelBroken("It answered with scores that are none.")
        if len({score.aspect for score in row}) < len(row):
            raise ModelBroken("It scored something twice.")
    for one in found.texts:
        if not all(0 <= span.start <= span.end <= len(one.text.words) and 0 <= span.score <= 1 for span in one.spans):
            raise ModelBroken("It marked words that do not stand there.")
    return found


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
