"""What follows from what was found: lines, several pictures, gaps, and that nothing unseen is ever approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.accounts import Role
from streamhost.model.moderation import (
    OF_TEXTS,
    Aspect,
    Category,
    Findings,
    FrameScores,
    Gap,
    Score,
    Text,
    TextScores,
    TextSource,
)
from streamhost.model.verdicts import POSTER_AT, Decision, Lines, Look, Policy, Profile, Risk, decide

LINES = {aspect: Lines(0.5, 0.8, 1 if aspect in OF_TEXTS else 3) for aspect in Aspect}
POLICY = Policy(Profile.COMMUNITY, LINES)
PICTURES = [aspect for aspect in Aspect if aspect not in OF_TEXTS]
NOBODY = tuple(Gap(aspect, None, "model_missing") for aspect in (Aspect.FIGHTS, Aspect.WEAPONS))
SHARES = st.floats(0, 1, allow_nan=False)


def frames(*scores: float | tuple[float, float], aspect: Aspect = Aspect.NUDITY) -> tuple[FrameScores, ...]:
    """Frames with such scores (possible, or sure and possible) of one aspect; nothing of the others."""
    found = []
    for number, score in enumerate(scores):
        sure, possible = score if isinstance(score, tuple) else (score, score)
        others = [Score(other, 0.0, 0.0) for other in (Aspect.NUDITY, Aspect.GORE) if other is not aspect]
        found.append(FrameScores(2.0 * number, (Score(aspect, sure, possible), *others)))
    return tuple(found)


def words(*scores: float) -> tuple[TextScores, ...]:
    """Texts with such scores."""
    text = Text(TextSource.TITLE, "words")
    return tuple(TextScores(text, (Score(Aspect.TOXICITY, score, score),)) for score in scores)


def findings(
    *scores: float | tuple[float, float], text: Sequence[float] = (0.0,), gaps: Sequence[Gap] = ()
) -> Findings:
    """What the usual models find: nobody looks for fights and weapons."""
    return Findings(frames(*scores), words(*text), gaps=(*NOBODY, *gaps))


@pytest.mark.parametrize(
    ("scores", "risk", "decision"),
    [
        ((0.1,) * 10, Risk.LOW, Decision.APPROVE),
        ((0.9, 0.9) + (0.1,) * 8, Risk.LOW, Decision.APPROVE),
        ((0.6, 0.6, 0.6) + (0.1,) * 7, Risk.MEDIUM, Decision.REVIEW),
        ((0.9, 0.9, 0.6) + (0.1,) * 7, Risk.MEDIUM, Decision.REVIEW),
        ((0.9, 0.9, 0.9) + (0.1,) * 7, Risk.HIGH, Decision.REJECT),
        (((0.2, 0.9),) * 3 + (0.1,) * 7, Risk.MEDIUM, Decision.REVIEW),
    ],
    ids=["clean", "two of three", "three medium", "two high and a medium", "three high", "models disagree"],
)
def test_several_pictures_decide(scores: Sequence[float | tuple[float, float]], risk: Risk, decision: Decision) -> None:
    """Below three pictures over a line it means nothing; models that disagree lead to a person, not to a rejection."""
    judgement = decide(findings(*scores), POLICY)
    assert (judgement.risk, judgement.decision) == (risk, decision)


def test_a_single_picture_of_several_rejects_nothing() -> None:
    """Of three pictures one leads to a person, however sure models are, and two reject."""
    assert decide(findings(0.99, 0.0, 0.0), POLICY).decision is Decision.REVIEW
    assert decide(findings(0.99, 0.99, 0.0), POLICY).decision is Decision.REJECT


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 1), (4, 2), (5, 2), (6, 3), (600, 3)])
def test_a_short_film_needs_half_of_its_pictures(count: int, needed: int) -> None:
    """A clip of few pictures cannot hide behind the number that a long one needs."""
    clean = [0.0] * (count - needed)
    assert decide(findings(*([0.9] * needed), *clean), POLICY).decision is Decision.REJECT
    fewer = [0.9] * (needed - 1) + [0.0] * (count - needed + 1)
    assert decide(findings(*fewer), POLICY).decision is Decision.APPROVE


def test_one_poster_is_enough() -> None:
    """A picture that stands beside the film counts by itself, however clean the film is."""
    found = findings(*([0.0] * 50))
    poster = replace(frames(0.9)[0], at=POSTER_AT)
    assert decide(found, POLICY).decision is Decision.APPROVE
    assert decide(replace(found, frames=(poster, *found.frames)), POLICY).decision is Decision.REJECT


def test_words_alone_lead_to_a_person() -> None:
    """However vile a title: a person decides, and sees it first."""
    judgement = decide(findings(0.0, 0.0, text=(0.0, 0.99, 0.0)), POLICY)
    assert (judgement.risk, judgement.decision) == (Risk.HIGH, Decision.REVIEW)
    assert judgement.against == (Category.TEXT,)
    assert judgement.scores[Category.TEXT] == 0.99


def test_what_nobody_knows_a_model_for_is_said_and_excused() -> None:
    """Fights and weapons are looked for by nobody: that is said, and holds up no video by itself."""
    judgement = decide(findings(0.0, 0.0), POLICY)
    looks = {one.aspect: one.look for one in judgement.opinions}
    assert looks[Aspect.FIGHTS] is looks[Aspect.WEAPONS] is Look.NOT_INSTALLED
    assert judgement.decision is Decision.APPROVE
    failing = Gap(Aspect.FIGHTS, "own-fights", "model_broken", "It crashed.")
    held = decide(replace(findings(0.0, 0.0), gaps=(failing, NOBODY[1])), POLICY)
    assert (held.risk, held.decision) == (Risk.UNKNOWN, Decision.REVIEW), "one's own model that fails holds"


@pytest.mark.parametrize("code", ["model_missing", "model_broken", "frame_unreadable", "no_pictures"])
@pytest.mark.parametrize("aspect", [Aspect.NUDITY, Aspect.GORE, Aspect.TOXICITY])
def test_a_gap_is_never_approved(aspect: Aspect, code: str) -> None:
    """Whoever should have looked and did not: a person looks, whether other models scored the aspect or not."""
    gap = Gap(aspect, "a-model", code)
    partly = decide(findings(0.0, 0.0, gaps=(gap,)), POLICY)
    assert (partly.risk, partly.decision) == (Risk.UNKNOWN, Decision.REVIEW)
    assert [one.aspect for one in partly.unlooked] == [aspect]
    ignoring = replace(POLICY, ignored=frozenset({aspect}))
    assert decide(findings(0.0, 0.0, gaps=(gap,)), ignoring).decision is Decision.APPROVE


def test_nothing_found_by_nobody_is_no_approval() -> None:
    """Empty findings say nothing; only where there is nothing to look at, nothing need be found."""
    assert decide(Findings(), POLICY).decision is Decision.REVIEW
    sound = decide(Findings(texts=words(0.1)), POLICY, concerned={Aspect.TOXICITY})
    assert sound.decision is Decision.APPROVE
    assert {one.look for one in sound.opinions if one.aspect in PICTURES} == {Look.NOTHING}


def test_what_a_person_has_cleared_is_theirs() -> None:
    """In content that a person found fit, models have no say; in the other category they have."""
    found = findings(0.9, 0.9, 0.9, 0.9, 0.9, 0.9, text=(0.95,))
    assert decide(found, POLICY).decision is Decision.REJECT
    half = decide(found, POLICY, cleared={Category.NUDITY, Category.VIOLENCE})
    assert (half.risk, half.decision) == (Risk.HIGH, Decision.REVIEW)
    assert decide(found, POLICY, cleared=set(Category)).decision is Decision.APPROVE


def test_who_is_trusted() -> None:
    """A role is trusted if it includes the least trusted one; without one, nobody is."""
    trusting = replace(POLICY, trusted=Role.MODERATOR)
    assert [role for role in Role if trusting.trusts(role)] == [Role.MODERATOR, Role.ADMIN]
    assert not any(POLICY.trusts(role) for role in Role)


@st.composite
def any_findings(draw: st.DrawFn) -> Findings:
    """Whatever models may say: any scores in any pictures and texts, any gaps."""
    looked = draw(st.sets(st.sampled_from(PICTURES)))
    count = draw(st.integers(0, 12))
    seen = []
    for number in range(count):
        scores = []
        for aspect in sorted(looked):
            pair = sorted((draw(SHARES), draw(SHARES)))
            scores.append(Score(aspect, pair[0], pair[1]))
        seen.append(FrameScores(float(number), tuple(scores)))
    texts = words(*draw(st.lists(SHARES, max_size=3)))
    gaps = draw(
        st.lists(st.builds(Gap, st.sampled_from(Aspect), st.sampled_from([None, "m"]), st.just("model_missing")))
    )
    return Findings(tuple(seen), texts, gaps=tuple(gaps))


def rank(decision: Decision) -> int:
    """Higher is stricter."""
    return list(Decision).index(decision)


@given(any_findings(), st.data())
def test_a_higher_score_never_helps(found: Findings, data: st.DataObject) -> None:
    """Raising any score leaves the risk and the decision as they are, or makes them worse."""
    before = decide(found, POLICY)
    if not found.frames or not found.frames[0].scores:
        return
    place = data.draw(st.integers(0, len(found.frames) - 1))
    which = data.draw(st.integers(0, len(found.frames[place].scores) - 1))
    old = found.frames[place].scores[which]
    possible = data.draw(st.floats(old.possible, 1, allow_nan=False))
    sure = data.draw(st.floats(old.sure, possible, allow_nan=False))
    scores = list(found.frames[place].scores)
    scores[which] = Score(old.aspect, sure, possible)
    seen = list(found.frames)
    seen[place] = FrameScores(seen[place].at, tuple(scores))
    after = decide(replace(found, frames=tuple(seen)), POLICY)
    assert after.risk.rank >= before.risk.rank
    assert rank(after.decision) >= rank(before.decision)


@given(any_findings(), st.sampled_from([0.5, 0.8, 1.0]))
def test_one_more_picture_over_a_line_never_helps(found: Findings, score: float) -> None:
    """Showing more of what is over a line never lowers the risk, though a longer film needs more pictures."""
    if not found.frames:
        return
    aspects = [one.aspect for one in found.frames[0].scores]
    more = FrameScores(99.0, tuple(Score(aspect, score, score) for aspect in aspects))
    before, after = decide(found, POLICY), decide(replace(found, frames=(*found.frames, more)), POLICY)
    if before.risk is not Risk.HIGH or score >= 0.8:
        assert after.risk.rank >= min(before.risk.rank, Risk.MEDIUM.rank)


@given(any_findings(), st.sampled_from(Aspect))
def test_one_more_gap_never_helps(found: Findings, aspect: Aspect) -> None:
    """A model that fails as well never makes a video look better."""
    before = decide(found, POLICY)
    after = decide(replace(found, gaps=(*found.gaps, Gap(aspect, "m", "model_broken"))), POLICY)
    assert after.risk.rank >= before.risk.rank
    assert after.decision is not Decision.APPROVE


@given(any_findings())
def test_approved_means_everything_was_looked_at(found: Findings) -> None:
    """Whatever is approved was scored for every aspect that anybody has a model for, without a gap, below the line."""
    judgement = decide(found, POLICY)
    if judgement.decision is Decision.APPROVE:
        for one in judgement.opinions:
            assert one.look is Look.SCREENED or one.aspect in POLICY.optional
            assert one.score is None or one.score < 0.5
