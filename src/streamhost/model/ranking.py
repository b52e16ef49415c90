"""From many proposals to one list: blend sources, favour what is fresh, keep it varied, leave room for chance. Pure.

The order is made by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): next comes whatever is best after
a deduction for what stands just before it by the same creator or about the same topics.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from streamhost.model.clock import DAY, Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, Facts, Profile, Reason, ReasonKind


@dataclass(frozen=True, slots=True)
class Rules:
    """How a list is put in order.

    `fresh`: what a video published just now gains, of a best score of 1; halved every `fresh_days`. `same_creator` and
    `same_topics`: what is deducted for each of the last `window` places with the same creator, or all the same topics.
    `chance`: share of the places that are drawn by lot. `depth`: places that are filled with care; the rest follows by
    score."""

    fresh: float = 0.1
    fresh_days: float = 14.0
    same_creator: float = 0.15
    same_topics: float = 0.15
    window: int = 6
    chance: float = 0.1
    depth: int = 100


WEIGHTS: Mapping[str, float] = {
    "model": 1.0,
    "watched": 0.5,
    "viewers": 0.5,
    "words": 0.3,
    "creators": 0.15,
    "popular": 0.2,
    "new": 0.1,
}
"""What the best proposal of each source is worth; see docs/explanation/recommendations.md for where they come from."""
OTHER_WEIGHT = 0.5
"""For sources that plugins bring."""
STEEPNESS = 20.0
"""Places after which a proposal is worth half of a source's first."""


def blend(answers: Mapping[str, Sequence[Candidate]], weights: Mapping[str, float] = WEIGHTS) -> list[Candidate]:
    """One list of what all sources propose, best first, scores 0..1, with the reason of whoever said most for it.

    Half of a proposal's worth is its score relative to the source's best, half its place: so neither a source that
    boasts nor one with flat scores drowns the others."""
    worth: dict[VideoId, float] = {}
    reasons: dict[VideoId, tuple[float, Reason]] = {}
    for source, candidates in answers.items():
        weight = weights.get(source, OTHER_WEIGHT)
        best = sorted(candidates, key=lambda one: (-one.score, one.video_id))
        top, bottom = (best[0].score, min(0.0, best[-1].score)) if best else (0.0, 0.0)
        span = top - bottom
        for place, one in enumerate(best):
            relative = (one.score - bottom) / span if span > 0 else 1.0
            share = weight * (relative + 1 / (1 + place / STEEPNESS)) / 2
            worth[one.video_id] = worth.get(one.video_id, 0.0) + share
            if share > reasons.get(one.video_id, (-1.0, one.reason))[0]:
                reasons[one.video_id] = (share, one.reason)
    most = max(worth.values(), default=0.0) or 1.0
    found = [Candidate(video_id, value / most, reasons[video_id][1]) for video_id, value in worth.items()]
    return sorted(found, key=lambda one: (-one.score, one.video_id))


def rank(
    candidates: Sequence[Candidate],
    facts: Mapping[VideoId, Facts],
    profile: Profile,
    now: Timestamp,
    rules: Rules = Rules(),
    chances: Collection[VideoId] = (),
    seed: str = "",
) -> tuple[Candidate, ...]:
    """The list to show: without what is hidden from this viewer or has no facts, varied, with some left to chance.

    `chances` are videos that few know, of which some are drawn: the same ones for the same `seed`."""
    fit = [
        Candidate(one.video_id, one.score + freshness(facts[one.video_id], now, rules), one.reason)
        for one in candidates
        if one.video_id in facts and one.video_id not in profile.hidden
    ]
    fit.sort(key=lambda one: (-one.score, one.video_id))
    ordered = [*varied(fit[: 3 * rules.depth], facts, rules), *fit[3 * rules.depth :]]
    known = {one.video_id for one in ordered[: rules.depth]} | profile.hidden
    drawable = sorted(one for one in chances if one in facts and one not in known)
    return tuple(_with_chances(ordered, drawable, rules, seed))


def freshness(facts: Facts, now: Timestamp, rules: Rules) -> float:
    """What a video gains for being new."""
    if facts.published_at is None or rules.fresh_days <= 0:
        return 0.0
    age = max(0.0, now - facts.published_at) / DAY
    return float(rules.fresh * 0.5 ** (age / rules.fresh_days))


def varied(candidates: Sequence[Candidate], facts: Mapping[VideoId, Facts], rules: Rules) -> list[Candidate]:
    """The first `rules.depth` by maximal marginal relevance, then the others as they were. Nothing is lost."""
    left = list(candidates)
    creators = Counter(facts[one.video_id].owner_id for one in left)
    chosen: list[Candidate] = []
    while left and len(chosen) < rules.depth:
        before = [facts[one.video_id] for one in chosen[-rules.window :]] if rules.window else []
        lately = Counter(one.owner_id for one in before)
        least = 0.0 if len(creators) > len(lately) else rules.same_creator * min(lately[owner] for owner in creators)
        # What is left is in order of scores: nothing after one that cannot win any more needs a look.
        best, best_worth = 0, -math.inf
        for place, one in enumerate(left):
            if one.score - least <= best_worth:
                break
            worth = one.score - _likeness(facts[one.video_id], before, rules)
            if worth > best_worth:
                best, best_worth = place, worth
        chosen.append(left.pop(best))
        owner = facts[chosen[-1].video_id].owner_id
        creators[owner] -= 1
        if not creators[owner]:
            del creators[owner]
    return [*chosen, *left]


def _likeness(one: Facts, before: Sequence[Facts], rules: Rules) -> float:
    cost = 0.0
    for other in before:
        if other.owner_id == one.owner_id:
            cost += rules.same_creator
        if one.topics and other.topics:
            cost += rules.same_topics * len(one.topics & other.topics) / len(one.topics | other.topics)
    return cost


def _with_chances(
    ordered: Sequence[Candidate], drawable: Sequence[VideoId], rules: Rules, seed: str
) -> list[Candidate]:
    """Put one of `drawable` at the end of every stretch of `1 / chance` places, never at the top."""
    every = round(1 / rules.chance) if rules.chance * rules.depth >= 1 else 0
    count = min(len(drawable), rules.depth // every) if every > 1 else 0
    # The seed has the viewer and the day in it: the list is the same until tomorrow.
    drawn = random.Random(seed).sample(drawable, count) if count else []
    left = [one for one in ordered if one.video_id not in set(drawn)]
    found: list[Candidate] = []
    for video_id in drawn:
        found += left[: every - 1]
        left = left[every - 1 :]
        score = found[-1].score if found else 0.0
        found.append(Candidate(video_id, score, Reason(ReasonKind.CHANCE)))
    return [*found, *left]
