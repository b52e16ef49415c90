"""What is decided about a video by what was found in it: lines, policies, and the one function that decides. Pure.

A category means something only where several pictures reach a line, because models err on single ones. Where nobody
looked there is no low score but a gap, and a gap never approves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from streamhost.model.accounts import Role
from streamhost.model.moderation import OF_TEXTS, Aspect, Category, Findings, Gap, Score

SEVERAL = 3
"""From so many pictures on one alone rejects nothing."""
POSTER_AT = -1.0
"""The time of a picture that stands beside the video: a poster that was sent. Nobody can be asked for several."""
DECIMALS = 4


class Risk(StrEnum):
    """How much speaks against a video; `unknown` where nobody could tell."""

    LOW = "low"
    UNKNOWN = "unknown"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Higher ones are looked at first."""
        return list(Risk).index(self)


class Decision(StrEnum):
    """What is to happen with a video."""

    APPROVE = "approve"
    REVIEW = "review"
    REJECT = "reject"


class Look(StrEnum):
    """How thoroughly something was looked for."""

    SCREENED = "screened"
    PARTLY = "partly"
    """Only some of the models did their part."""
    FAILED = "failed"
    NOT_INSTALLED = "not_installed"
    NOT_SCREENED = "not_screened"
    """The policy asks nobody to."""
    NOTHING = "nothing"
    """There is nothing to look at: a film without pictures."""


class Profile(StrEnum):
    """What a site is for, and with that how careful it is."""

    PRIVATE_HOME = "private-home"
    COMMUNITY = "community"
    PUBLIC = "public"


class Publish(StrEnum):
    """Whether others may watch before anybody has looked."""

    SCREEN_FIRST = "screen-first"
    PUBLISH_FIRST = "publish-then-screen"


@dataclass(frozen=True, slots=True)
class Lines:
    """Where scores (0..1) begin to mean something: from `medium` on a person looks, from `high` on it is rejected.

    `frames` is how many pictures must reach a line; of a film with few pictures, half of them."""

    medium: float
    high: float
    frames: int = 2

    def needed(self, count: int) -> int:
        """How many of `count` pictures must reach a line."""
        return min(self.frames, max(1, count // 2))

    def needed_to_reject(self, count: int) -> int:
        """How many of `count` pictures must reach the high line: a single one of several leads to a person instead."""
        return max(self.needed(count), min(self.frames, 2 if count >= SEVERAL else 1))


DEFAULT_LINES = Lines(0.5, 0.85)
"""For aspects of which nobody knows better: those that only a plugin looks for."""
UNKNOWN_TO_ALL = frozenset({Aspect.FIGHTS, Aspect.WEAPONS})
"""What nobody need look for as long as no model for it is known: findings and pages say so."""
REJECTABLE = frozenset({Category.NUDITY, Category.VIOLENCE})
"""Words alone lead to a person, never to a rejection: quotations and friends are scored as their hostile twins."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a site decides. `trusted`: whoever has at least this role is approved unseen; None: nobody is.

    `ignored` is not looked for; `optional` is excused where no model for it is known; `rejects` may be rejected without
    a person."""

    profile: Profile
    lines: Mapping[Aspect, Lines] = field(default_factory=dict)
    trusted: Role | None = None
    publish: Publish = Publish.SCREEN_FIRST
    ignored: frozenset[Aspect] = frozenset()
    optional: frozenset[Aspect] = UNKNOWN_TO_ALL
    rejects: frozenset[Category] = REJECTABLE

    def trusts(self, role: Role) -> bool:
        """Whether what people with that role upload is approved unseen."""
        return self.trusted is not None and role.includes(self.trusted)

    def lines_of(self, aspect: Aspect) -> Lines:
        """The lines of one aspect."""
        return self.lines.get(aspect, DEFAULT_LINES)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What was found of one aspect. `score` is the one that as many pictures as needed reach, `sure` likewise what all
    models agree on; None where nobody scored it. `held`: it keeps the video from being approved."""

    aspect: Aspect
    look: Look
    risk: Risk
    score: float | None = None
    sure: float | None = None
    held: bool = False
    cleared: bool = False
    """A person has looked at this very content and found it fit."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from findings under a policy: one opinion for each aspect."""

    risk: Risk
    decision: Decision
    opinions: tuple[Opinion, ...] = ()

    @property
    def scores(self) -> Mapping[Category, float | None]:
        """The highest score of each category, None where nobody scored it."""
        found: dict[Category, float | None] = dict.fromkeys(Category)
        for one in self.opinions:
            if one.score is not None:
                found[one.aspect.category] = max(one.score, found[one.aspect.category] or 0.0)
        return found

    @property
    def against(self) -> tuple[Category, ...]:
        """The categories for which a line was reached."""
        hit = {one.aspect.category for one in self.opinions if one.risk in (Risk.MEDIUM, Risk.HIGH)}
        return tuple(category for category in Category if category in hit)

    @property
    def unlooked(self) -> tuple[Opinion, ...]:
        """What should have been looked for, and was not or not fully."""
        return tuple(one for one in self.opinions if one.held and one.look is not Look.SCREENED)


def decide(
    findings: Findings,
    policy: Policy,
    concerned: Collection[Aspect] = frozenset(Aspect),
    cleared: Collection[Category] = (),
) -> Judgement:
    """Judge what was found. `concerned`: the aspects that the video has something for (no pictures: none of pictures).

    `cleared` are categories that a person has found fit in this very content: models have no say in them. Higher scores
    and more pictures over a line never lower the risk; what nobody looked at is never approved."""
    opinions = tuple(_opinion(aspect, findings, policy, concerned, cleared) for aspect in Aspect)
    risk = max((one.risk for one in opinions), key=lambda one: one.rank)
    rejected = any(one.risk is Risk.HIGH and one.aspect.category in policy.rejects for one in opinions)
    decision = Decision.REJECT if rejected else Decision.APPROVE if risk is Risk.LOW else Decision.REVIEW
    return Judgement(risk, decision, opinions)


def _opinion(
    aspect: Aspect,
    findings: Findings,
    policy: Policy,
    concerned: Collection[Aspect],
    cleared: Collection[Category],
) -> Opinion:
    if aspect in policy.ignored:
        return Opinion(aspect, Look.NOT_SCREENED, Risk.LOW)
    if aspect not in concerned:
        return Opinion(aspect, Look.NOTHING, Risk.LOW)
    scored = aspect in findings.scored()
    gaps = [gap for gap in findings.gaps if gap.aspect is aspect]
    look = _look(scored, gaps)
    held = look is not Look.SCREENED and not _excused(aspect, gaps, policy)
    risk = Risk.UNKNOWN if held else Risk.LOW
    score = sure = None
    if scored or _some(aspect, findings):
        score, sure = _levels(aspect, findings, policy.lines_of(aspect))
        risk = max(risk, _risk(score, sure, policy.lines_of(aspect)), key=lambda one: one.rank)
    if aspect.category in cleared:
        return Opinion(aspect, look, Risk.LOW, score, sure, cleared=True)
    return Opinion(aspect, look, risk, score, sure, held)


def _look(scored: bool, gaps: Sequence[Gap]) -> Look:
    if scored:
        return Look.PARTLY if gaps else Look.SCREENED
    absent = bool(gaps) and all(gap.code == "model_missing" for gap in gaps)
    return Look.NOT_INSTALLED if absent else Look.FAILED


def _excused(aspect: Aspect, gaps: Sequence[Gap], policy: Policy) -> bool:
    """Whether nobody need look for it: the policy can do without, and no model is known that would have."""
    return aspect in policy.optional and bool(gaps) and all(gap.model is None for gap in gaps)


def _some(aspect: Aspect, findings: Findings) -> bool:
    return any(score.aspect is aspect for _, scores in _every(aspect, findings) for score in scores)


def _every(aspect: Aspect, findings: Findings) -> Iterable[tuple[float, tuple[Score, ...]]]:
    """Everything that was scored with its time: words for aspects of words, else pictures."""
    if aspect in OF_TEXTS:
        return ((0.0 if one.text.at is None else one.text.at, one.scores) for one in findings.texts)
    return ((one.at, one.scores) for one in findings.frames)


def _levels(aspect: Aspect, findings: Findings, lines: Lines) -> tuple[float, float]:
    """The possible score that as many pictures as needed reach, and the sure one that as many as are needed to reject
    do; of words, and of a poster, one is enough.

    What nobody scored in one of them counts as nothing there: that it is missing stands in the gaps."""
    film: list[Score] = []
    single: list[Score] = []
    for at, scores in _every(aspect, findings):
        score = next((one for one in scores if one.aspect is aspect), Score(aspect, 0.0, 0.0))
        (single if aspect in OF_TEXTS or at == POSTER_AT else film).append(score)
    needed, to_reject = lines.needed(len(film)), lines.needed_to_reject(len(film))
    return (
        round(max(_level([s.possible for s in film], needed), _level([s.possible for s in single], 1)), DECIMALS),
        round(max(_level([s.sure for s in film], to_reject), _level([s.sure for s in single], 1)), DECIMALS),
    )


def _level(values: Sequence[float], needed: int) -> float:
    """The highest number that `needed` of the values reach."""
    return sorted(values, reverse=True)[needed - 1] if len(values) >= needed else 0.0


def _risk(score: float, sure: float, lines: Lines) -> Risk:
    if sure >= lines.high:
        return Risk.HIGH
    return Risk.MEDIUM if score >= lines.medium else Risk.LOW
