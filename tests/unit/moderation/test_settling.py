"""What follows from a verdict of models, whatever was before: nobody opens by trying what a person has closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamhost.features.moderation.settling import reason_of, target
from streamhost.model.cases import By, Cause, Verdict
from streamhost.model.ids import PackageId, UserId, VerdictId, VideoId
from streamhost.model.moderation import Aspect
from streamhost.model.verdicts import Decision, Judgement, Look, Opinion, Policy, Profile, Publish, Risk
from streamhost.model.videos import Clearance, Video, VideoState

FIRST = Policy(Profile.COMMUNITY)
AFTERWARDS = replace(FIRST, publish=Publish.PUBLISH_FIRST)
APPROVE, REVIEW, REJECT = Decision.APPROVE, Decision.REVIEW, Decision.REJECT
OPEN, PENDING, HELD, REJECTED = Clearance.OPEN, Clearance.PENDING, Clearance.REVIEW, Clearance.REJECTED


def video(clearance: Clearance) -> Video:
    """A video that is made."""
    made = Video(VideoId("v"), UserId("u"), "A film", 0.0, 0.0, state=VideoState.READY, playable=True)
    return replace(made, clearance=clearance)


def verdict(decision: Decision, risk: Risk = Risk.MEDIUM, mark: str = "words.", by: By = By.MODELS) -> Verdict:
    """A verdict about the content of that mark."""
    return Verdict(
        VerdictId("x"),
        VideoId("v"),
        1.0,
        by,
        decision,
        OPEN,
        OPEN,
        package_id=PackageId("p"),
        mark=mark,
        judgement=Judgement(risk, decision),
    )


@pytest.mark.parametrize(
    ("now", "decision", "risk", "policy", "after", "cause"),
    [
        (PENDING, APPROVE, Risk.LOW, FIRST, OPEN, None),
        (PENDING, REVIEW, Risk.MEDIUM, FIRST, HELD, Cause.SCREENING),
        (PENDING, REVIEW, Risk.UNKNOWN, FIRST, HELD, Cause.SCREENING),
        (PENDING, REJECT, Risk.HIGH, FIRST, REJECTED, None),
        (HELD, APPROVE, Risk.LOW, FIRST, OPEN, None),
        (OPEN, REVIEW, Risk.MEDIUM, FIRST, HELD, Cause.SCREENING),
        (OPEN, REJECT, Risk.HIGH, FIRST, REJECTED, None),
        (REJECTED, APPROVE, Risk.LOW, FIRST, HELD, Cause.CHANGED),
        (REJECTED, REVIEW, Risk.MEDIUM, FIRST, HELD, Cause.CHANGED),
        (OPEN, REVIEW, Risk.UNKNOWN, AFTERWARDS, OPEN, Cause.SCREENING),
        (OPEN, REVIEW, Risk.MEDIUM, AFTERWARDS, HELD, Cause.SCREENING),
        (OPEN, REJECT, Risk.HIGH, AFTERWARDS, REJECTED, None),
    ],
)
def test_what_models_bring_about(
    now: Clearance, decision: Decision, risk: Risk, policy: Policy, after: Clearance, cause: Cause | None
) -> None:
    """Low opens, medium and unknown wait, high closes; what models have closed, none but a person opens; published
    first, a video stays while nothing was found, and somebody looks all the same."""
    assert target(video(now), verdict(decision, risk), policy, None) == (after, cause)


def test_two_changes_open_no_more_than_one() -> None:
    """What was rejected waits for a person after the first change, and still after the second."""
    harmless = verdict(APPROVE, Risk.LOW)
    assert target(video(REJECTED), harmless, FIRST, None, rejected=True) == (HELD, Cause.CHANGED)
    assert target(video(HELD), harmless, FIRST, None, rejected=True) == (HELD, Cause.CHANGED)
    assert target(video(HELD), harmless, FIRST, None) == (OPEN, None)
    assert target(video(OPEN), harmless, FIRST, None, rejected=True) == (OPEN, None), "nothing is taken back"


def test_a_person_s_rejection_stands() -> None:
    """Models never open what a person has rejected; where it has changed since, a person is asked again."""
    person = verdict(REJECT, by=By.PERSON)
    assert target(video(REJECTED), verdict(APPROVE, Risk.LOW), FIRST, person) == (REJECTED, None)
    changed = verdict(APPROVE, Risk.LOW, mark="other.")
    assert target(video(REJECTED), changed, FIRST, person) == (REJECTED, Cause.CHANGED)


def test_what_owners_are_told() -> None:
    """The categories in words, and no scores; of gaps only that there were some."""
    hit = Opinion(Aspect.GORE, Look.SCREENED, Risk.HIGH, 0.9, 0.9)
    assert reason_of(Judgement(Risk.HIGH, REJECT, (hit,))) == "It seems to show or say this: violence."
    missing = Opinion(Aspect.NUDITY, Look.FAILED, Risk.UNKNOWN, held=True)
    assert reason_of(Judgement(Risk.UNKNOWN, REVIEW, (missing,))) == "Not everything could be looked at by itself."
    assert reason_of(Judgement(Risk.LOW, APPROVE)) == ""
