"""Classifiers of plugins beside one that does its part: whatever they answer, nothing is approved by mistake."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from streamhost.ml.combined import CombinedClassifier
from streamhost.model.moderation import (
    OF_TEXTS,
    Aspect,
    Findings,
    Frame,
    FrameScores,
    Gap,
    Material,
    Score,
    Span,
    Text,
    TextScores,
    TextSource,
)
from streamhost.model.verdicts import Decision, Judgement, Policy, Profile, decide

MATERIAL = Material((Frame(2.0, "none"), Frame(4.0, "none")), (Text(TextSource.TITLE, "A walk"),))
LOOKED_FOR = frozenset({Aspect.GORE, Aspect.TOXICITY})
POLICY = Policy(Profile.COMMUNITY, ignored=frozenset(Aspect) - LOOKED_FOR)
LOW = 0.1
Answer = Callable[[Material], Findings]


class Somebody:
    """A classifier that looks for gore and insults, and says what it is told to."""

    aspects = LOOKED_FOR

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """Say it."""
        report(1.0)
        return self._answer(material)


def scored(gore: float = LOW, words: float = LOW, sure: float = LOW, spans: tuple[Span, ...] = ()) -> Answer:
    """Every picture and every text scores so."""

    def answer(material: Material) -> Findings:
        frames = tuple(FrameScores(one.at, (Score(Aspect.GORE, sure, gore),)) for one in material.frames)
        texts = tuple(TextScores(one, (Score(Aspect.TOXICITY, words, words),), spans) for one in material.texts)
        return Findings(frames, texts)

    return answer


def fails(_material: Material) -> Findings:
    """Raise what the port does not know."""
    raise KeyError("labels")


def elsewhere(material: Material) -> Findings:
    """Answer about a picture that nobody has given."""
    return scored()(Material((Frame(3.0, "none"),), material.texts))


def otherwise(material: Material) -> Findings:
    """Answer about words that nobody has given."""
    return scored()(Material(material.frames, (Text(TextSource.TITLE, "A run"),)))


def twice(material: Material) -> Findings:
    """Score the pictures twice, once low."""
    both = (Score(Aspect.GORE, LOW, LOW), Score(Aspect.GORE, 1.0, 1.0))
    return Findings(tuple(FrameScores(one.at, both) for one in material.frames), scored()(material).texts)


def half(material: Material) -> Findings:
    """Say nothing of the pictures."""
    return Findings(texts=scored()(material).texts)


async def judged(*classifiers: Somebody) -> tuple[Findings, Judgement]:
    """What all of them together find, and what follows."""
    names = ("ours", "theirs")[: len(classifiers)]
    found = await CombinedClassifier(classifiers, names).screen(MATERIAL, lambda _share: None)
    return found, decide(found, POLICY, LOOKED_FOR)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (fails, "KeyError"),
        (elsewhere, "other pictures"),
        (otherwise, "other words"),
        (twice, "twice"),
        (scored(gore=math.nan, sure=math.nan), "scores that are none"),
        (scored(words=math.nan), "scores that are none"),
        (scored(gore=1.2), "scores that are none"),
        (scored(sure=0.5), "scores that are none"),
        (scored(spans=(Span(2, 99, LOW),)), "do not stand there"),
    ],
    ids=["fails", "elsewhere", "otherwise", "twice", "nan", "nan of words", "above 1", "surer than possible", "spans"],
)
async def test_what_cannot_be_an_answer_is_none(wrong: Answer, said: str) -> None:
    """The good one's scores stand, what the other should have looked for is a gap with the reason, and a person looks:
    a number that is none lies below every line."""
    _, alone = await judged(Somebody(scored()))
    assert alone.decision is Decision.APPROVE
    found, judgement = await judged(Somebody(scored()), Somebody(wrong))
    assert judgement.decision is Decision.REVIEW
    ours = [gap for gap in found.gaps if gap.model is not None]
    assert [(gap.aspect, gap.model, gap.code) for gap in ours] == [
        (aspect, "theirs", "model_broken") for aspect in sorted(LOOKED_FOR)
    ]
    assert all(said in gap.detail for gap in ours)
    kept = [one.scores for one in found.frames] + [one.scores for one in found.texts]
    assert [scores[0].possible for scores in kept] == [LOW, LOW, LOW]


async def test_who_says_nothing_has_not_looked() -> None:
    """What a classifier claims, and neither scores nor gives up, is a gap, also where another has scored it."""
    found, judgement = await judged(Somebody(scored()), Somebody(half))
    assert Gap(Aspect.GORE, "theirs", "model_broken", "It gave no answer.") in found.gaps
    assert judgement.decision is Decision.REVIEW
    assert not [gap for gap in found.gaps if gap.aspect in OF_TEXTS]
