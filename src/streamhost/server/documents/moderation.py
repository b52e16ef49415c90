"""Answers about moderation: verdicts, cases, policies, re-screenings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.model.cases import Case, Change, Evidence, Rescreen, Verdict
from streamhost.model.clock import Timestamp, iso
from streamhost.model.ids import VideoId
from streamhost.model.moderation import Findings
from streamhost.model.reports import Report
from streamhost.model.verdicts import Judgement, Opinion, Policy


@dataclass(frozen=True, slots=True)
class SpanDocument:
    """The part of the words from character `start` up to `end` that stands out."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class EvidenceDocument:
    """One thing that speaks against a video: a picture (`frame` is the address of a JPEG, for moderators alone) or
    words (`text`, from `source`). `at` is in seconds, null for what stands beside the video."""

    at: float | None
    category: str
    aspect: str
    score: float
    frame: str | None
    text: str | None
    source: str | None
    spans: Sequence[SpanDocument]


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """A model that looked, exactly."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class OpinionDocument:
    """How thoroughly one aspect was looked for, and what was found.

    `state`: `screened`, `partly`, `failed`, `not_installed`, `not_screened` (the policy asks nobody to) or `nothing` (a
    film without pictures). `score` is null where nobody scored it; it never stands for clean. `held`: this keeps the
    video from being approved. `cleared`: a person has found this very content fit."""

    aspect: str
    category: str
    state: str
    risk: str
    score: float | None
    sure: float | None
    held: bool
    cleared: bool


@dataclass(frozen=True, slots=True)
class GapDocument:
    """What was not done, by which model, and why."""

    aspect: str
    model: str | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class VerdictDocument:
    """One decision. `by`: `models`, `trust` (nobody looked), `person` or `undone`; `scores` by category.

    `before` and `after`: `open`, `pending`, `review` or `rejected`. `reason` is what its owner is told, `note` is for
    moderators. `new_file`: it is about a file that has not taken the place of the one that plays."""

    id: str
    video_id: str
    at: str | None
    by: str
    person: str
    risk: str
    decision: str
    before: str
    after: str
    reason: str
    note: str
    scores: Mapping[str, float | None]
    looked: Sequence[OpinionDocument]
    evidence: Sequence[EvidenceDocument]
    models: Sequence[ModelDocument]
    gaps: Sequence[GapDocument]
    profile: str | None
    undone_at: str | None
    new_file: bool


@dataclass(frozen=True, slots=True)
class CaseDocument:
    """A video that waits for a person: why, since when, and who has it until when."""

    video_id: str
    cause: str
    risk: str
    categories: Sequence[str]
    opened_at: str | None
    reviewer: str | None
    reviewer_id: str | None
    claimed_until: str | None


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """One report. `reporter` is an account's id, or null without one."""

    id: str
    reason: str
    text: str
    at: float | None
    reporter: str | None
    created_at: str | None
    closed_at: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class LinesDocument:
    """Where scores begin to mean something, and how many pictures must reach a line."""

    medium: float
    high: float
    frames: int


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """How this site decides. `trusted`: the least role whose uploads are approved unseen, null for nobody.

    `fixed`: the settings of the server say which profile it is. `ignored` is not looked for; `without_model` nobody can
    look for at the moment, since no model is installed."""

    profile: str
    fixed: bool
    publish: str
    trusted: str | None
    lines: Mapping[str, LinesDocument]
    ignored: Sequence[str]
    optional: Sequence[str]
    rejects: Sequence[str]
    without_model: Sequence[str]


@dataclass(frozen=True, slots=True)
class TimelineDocument:
    """Scores over time: of each aspect one for each of `at` (seconds; null where it was not scored)."""

    at: Sequence[float]
    possible: Mapping[str, Sequence[float | None]]
    sure: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class RescreenDocument:
    """A look at every video anew. `state`: `looking`, `looked`, `applying`, `applied` or `cancelled`; nothing is
    changed before `applying`. `changed`: videos that get another state."""

    id: str
    state: str
    started_at: str | None
    started_by: str
    finished_at: str | None
    total: int
    done: int
    changed: int
    failed: int


@dataclass(frozen=True, slots=True)
class ChangeDocument:
    """A video that would get, or got, another state."""

    video_id: str
    title: str
    before: str
    after: str
    risk: str
    decision: str
    applied: bool


def report_document(report: Report) -> ReportDocument:
    """A report as moderators see it."""
    return ReportDocument(
        report.id,
        report.reason.value,
        report.words,
        report.at,
        report.user_id,
        iso(report.created_at),
        iso(report.closed_at),
        report.outcome.value if report.outcome else None,
    )


def verdict_document(verdict: Verdict) -> VerdictDocument:
    """The public form of a verdict."""
    judgement = verdict.judgement
    return VerdictDocument(
        id=verdict.id,
        video_id=verdict.video_id,
        at=iso(verdict.at),
        by=verdict.by.value,
        person=verdict.person,
        risk=judgement.risk.value,
        decision=verdict.decision.value,
        before=verdict.before.value,
        after=verdict.after.value,
        reason=verdict.reason,
        note=verdict.note,
        scores=scores_of(judgement),
        looked=[_opinion(one) for one in judgement.opinions],
        evidence=[evidence_document(verdict, number) for number in range(len(verdict.evidence))],
        models=[ModelDocument(one.id, one.version, one.sha256) for one in verdict.models],
        gaps=[GapDocument(one.aspect.value, one.model, one.code, one.detail) for one in verdict.gaps],
        profile=verdict.policy.profile.value if verdict.policy else None,
        undone_at=iso(verdict.undone_at),
        new_file=verdict.new_file,
    )


def scores_of(judgement: Judgement) -> Mapping[str, float | None]:
    """The score of each category, null where nobody scored it."""
    return {category.value: score for category, score in judgement.scores.items()}


def _opinion(one: Opinion) -> OpinionDocument:
    return OpinionDocument(
        one.aspect.value,
        one.aspect.category.value,
        one.look.value,
        one.risk.value,
        one.score,
        one.sure,
        one.held,
        one.cleared,
    )


def evidence_path(verdict: Verdict, number: int) -> str:
    """Where moderators get a picture of the evidence."""
    return f"/api/v1/moderation/{verdict.video_id}/evidence/{verdict.id}/{number}"


def evidence_document(verdict: Verdict, number: int) -> EvidenceDocument:
    """The public form of a piece of evidence."""
    piece: Evidence = verdict.evidence[number]
    return EvidenceDocument(
        at=piece.at,
        category=piece.category.value,
        aspect=piece.aspect.value,
        score=piece.score,
        frame=evidence_path(verdict, number) if piece.size else None,
        text=piece.words if piece.source else None,
        source=piece.source.value if piece.source else None,
        spans=[SpanDocument(span.start, span.end, span.score) for span in piece.spans],
    )


def case_document(case: Case, now: Timestamp) -> CaseDocument:
    """The public form of a case; a claim that has run out is none."""
    held = case.held_by(now)
    return CaseDocument(
        case.video_id,
        case.cause.value,
        case.risk.value,
        [category.value for category in case.categories],
        iso(case.opened_at),
        case.reviewer if held else None,
        held,
        iso(case.claimed_until) if held else None,
    )


def policy_document(policy: Policy, without_model: Sequence[str], *, fixed: bool) -> PolicyDocument:
    """The public form of a policy."""
    return PolicyDocument(
        policy.profile.value,
        fixed,
        policy.publish.value,
        policy.trusted.value if policy.trusted else None,
        {aspect.value: LinesDocument(one.medium, one.high, one.frames) for aspect, one in policy.lines.items()},
        sorted(policy.ignored),
        sorted(policy.optional),
        sorted(policy.rejects),
        without_model,
    )


def timeline_document(findings: Findings) -> TimelineDocument:
    """The scores of all pictures in columns: few names for many numbers."""
    film = [frame for frame in findings.frames if frame.at >= 0]
    aspects = sorted({score.aspect for frame in film for score in frame.scores})
    rows = [{score.aspect: score for score in frame.scores} for frame in film]
    possible = {a.value: [row[a].possible if a in row else None for row in rows] for a in aspects}
    sure = {a.value: [row[a].sure if a in row else None for row in rows] for a in aspects}
    return TimelineDocument([frame.at for frame in film], possible, sure)


def rescreen_document(run: Rescreen) -> RescreenDocument:
    """The public form of a re-screening."""
    return RescreenDocument(
        run.id,
        run.state.value,
        iso(run.started_at),
        run.started_by,
        iso(run.finished_at),
        run.total,
        run.done,
        run.changed,
        run.failed,
    )


def change_document(change: Change) -> ChangeDocument:
    """The public form of a change."""
    return ChangeDocument(
        VideoId(change.video_id),
        change.title,
        change.before.value,
        change.after.value,
        change.risk.value,
        change.decision.value,
        change.applied,
    )
