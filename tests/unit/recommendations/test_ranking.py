"""Ranking, by properties: nothing hidden is shown, nothing is lost, sameness is spread, and chance is fair."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.clock import DAY
from streamhost.model.ids import UserId, VideoId
from streamhost.model.ranking import Rules, blend, rank, varied
from streamhost.model.recommendations import Candidate, Facts, Profile, Reason, ReasonKind, fading

NOW = 1_800_000_000.0
POPULAR = Reason(ReasonKind.POPULAR)
names = st.integers(0, 60).map(lambda number: VideoId(f"v{number}"))
candidates = st.lists(
    st.builds(Candidate, names, st.floats(0, 1, allow_nan=False), st.just(POPULAR)),
    max_size=60,
    unique_by=lambda one: one.video_id,
)
facts_of = st.builds(
    lambda owner, topics, age: Facts(VideoId(""), UserId(f"o{owner}"), frozenset(topics), NOW - age * DAY),
    st.integers(0, 3),
    st.lists(st.sampled_from("abcd"), max_size=3),
    st.floats(0, 1000),
)
facts = st.dictionaries(names, facts_of, max_size=60)


@given(candidates, facts, st.sets(names), st.sets(names), st.floats(0, 0.5))
def test_only_what_may_be_shown(
    found: list[Candidate],
    known: dict[VideoId, Facts],
    hidden: set[VideoId],
    chances: set[VideoId],
    chance: float,
) -> None:
    """Every proposal that is known and not hidden is in the list once; besides, only some of the lot."""
    profile = Profile("u:x", (), frozenset(hidden))
    ranked = rank(found, known, profile, NOW, Rules(chance=chance), chances, "seed")
    ids = [one.video_id for one in ranked]
    assert len(ids) == len(set(ids))
    assert set(ids).isdisjoint(hidden)
    assert set(ids) <= set(known)
    proposed = {one.video_id for one in found if one.video_id in known and one.video_id not in hidden}
    assert proposed <= set(ids) <= proposed | chances
    assert ranked == rank(found, known, profile, NOW, Rules(chance=chance), chances, "seed")


@given(candidates, facts)
def test_variety_loses_nothing_and_keeps_the_best_first(found: list[Candidate], known: dict[VideoId, Facts]) -> None:
    """The order changes, the set does not, and the best stays at the top."""
    fit = sorted((one for one in found if one.video_id in known), key=lambda one: (-one.score, one.video_id))
    ordered = varied(fit, known, Rules())
    assert sorted(one.video_id for one in ordered) == sorted(one.video_id for one in fit)
    if fit:
        assert ordered[0] == fit[0]


@given(st.lists(candidates, max_size=4))
def test_blending_is_fair_in_numbers(answers: list[list[Candidate]]) -> None:
    """Scores lie in 0..1 with a 1 at the top; every proposal is there once."""
    blended = blend({f"source{number}": answer for number, answer in enumerate(answers)})
    assert {one.video_id for one in blended} == {one.video_id for answer in answers for one in answer}
    assert all(0 <= one.score <= 1 for one in blended)
    if blended:
        assert blended[0].score == 1.0


def test_one_creator_does_not_fill_the_page() -> None:
    """Where scores are near each other, creators take turns."""
    found = [Candidate(VideoId(f"v{number}"), 1 - number / 1000, POPULAR) for number in range(20)]
    known = {one.video_id: Facts(one.video_id, UserId("a" if n < 10 else "b")) for n, one in enumerate(found)}
    owners = [known[one.video_id].owner_id for one in varied(found, known, Rules())[:10]]
    assert 4 <= owners.count(UserId("a")) <= 6


def test_fresh_beats_old_at_equal_scores() -> None:
    """Of two equal videos the newer comes first; the bonus is gone after some months."""
    found = [Candidate(VideoId("old"), 0.5, POPULAR), Candidate(VideoId("young"), 0.5, POPULAR)]
    old = Facts(VideoId("old"), UserId("a"), frozenset(), NOW - 365 * DAY)
    known = {VideoId("old"): old, VideoId("young"): replace(old, video_id=VideoId("young"), published_at=NOW)}
    ranked = rank(found, known, Profile(), NOW)
    assert [one.video_id for one in ranked] == ["young", "old"]
    assert ranked[1].score < 0.501 < ranked[0].score


def test_chance_has_its_share_and_no_more() -> None:
    """A tenth of the places are drawn, never the first ones; another day draws others."""
    found = [Candidate(VideoId(f"v{number}"), 1 - number / 1000, POPULAR) for number in range(50)]
    lot = [VideoId(f"rare{number}") for number in range(200)]
    known = {one: Facts(one, UserId("a")) for one in [*lot, *(one.video_id for one in found)]}
    first = rank(found, known, Profile(), NOW, Rules(chance=0.1), lot, "monday")
    drawn = [place for place, one in enumerate(first[:50]) if one.reason.kind is ReasonKind.CHANCE]
    assert drawn == [9, 19, 29, 39, 49]
    second = rank(found, known, Profile(), NOW, Rules(chance=0.1), lot, "tuesday")
    assert first != second


def test_the_latest_counts_most() -> None:
    """What was watched last says most about what is wanted next; nothing ever counts for nothing."""
    weights = [fading(place) for place in range(100)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 1.0
    assert weights[-1] > 0.05
