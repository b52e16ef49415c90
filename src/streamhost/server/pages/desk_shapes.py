"""Cases, evidence and verdicts as the pages for moderators show them: everything already in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.features.moderation import CaseFile, Waiting
from streamhost.features.playback import Playback
from streamhost.model.accounts import Viewer
from streamhost.model.cases import By, Case, Cause, Evidence, Verdict
from streamhost.model.clock import Timestamp
from streamhost.model.moderation import Aspect, Category, Gap, TextSource
from streamhost.model.reports import Outcome, Report
from streamhost.model.verdicts import Decision, Lines, Look, Opinion, Risk
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.reporting import REASON_WORDS
from streamhost.server.pages.shapes import HUES, clock_text

ASPECTS: Mapping[Aspect, str] = {
    Aspect.NUDITY: "Nudity",
    Aspect.GORE: "Gore",
    Aspect.FIGHTS: "Fights",
    Aspect.WEAPONS: "Weapons",
    Aspect.TOXICITY: "Insulting words",
}
CATEGORIES: Mapping[Category, str] = {
    Category.NUDITY: "Nudity",
    Category.VIOLENCE: "Violence",
    Category.TEXT: "Insulting words",
}
RISKS: Mapping[Risk, str] = {
    Risk.HIGH: "High",
    Risk.MEDIUM: "Medium",
    Risk.UNKNOWN: "Nobody could tell",
    Risk.LOW: "Low",
}
CAUSES: Mapping[Cause, str] = {
    Cause.SCREENING: "Held after screening",
    Cause.REPORT: "Reported by viewers",
    Cause.CHANGED: "Changed after it was rejected",
    Cause.UNDONE: "A decision was taken back",
    Cause.NEW_FILE: "A new file for a video that plays",
}
SOURCES: Mapping[TextSource, str] = {
    TextSource.TITLE: "Title",
    TextSource.DESCRIPTION: "Description",
    TextSource.TAGS: "Tags",
    TextSource.CHAPTERS: "Chapter",
    TextSource.CAPTIONS: "Captions",
    TextSource.PICTURE: "In a picture",
    TextSource.SPEECH: "Spoken",
}
LOOKS: Mapping[Look, str] = {
    Look.SCREENED: "screened",
    Look.PARTLY: "not all models did their part",
    Look.FAILED: "could not be screened",
    Look.NOT_INSTALLED: "not installed",
    Look.NOT_SCREENED: "not screened: the policy asks nobody to",
    Look.NOTHING: "there is nothing to look at",
}
DECISIONS: Mapping[Decision, str] = {
    Decision.APPROVE: "Approved",
    Decision.REVIEW: "Held for a person",
    Decision.REJECT: "Rejected",
}
JUDGES: Mapping[By, str] = {
    By.MODELS: "Models",
    By.TRUST: "Trust in the uploader, unseen",
    By.PERSON: "A person",
    By.UNDONE: "A decision taken back",
}
SHA_DIGITS = 12


@dataclass(frozen=True, slots=True)
class CaseView:
    """A video that waits, for a template. `holder` is empty if anybody may take it."""

    id: str
    title: str
    owner: str
    poster: str | None
    hue: int
    duration_text: str
    risk: str
    why: str
    scores: Sequence[tuple[str, str]]
    reports: int
    opened: Moment
    holder: str
    mine: bool


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture that speaks against a video. `at`: seconds, None for one that stands beside the video."""

    number: int
    url: str
    at: float | None
    where: str
    label: str
    score: str
    level: str


@dataclass(frozen=True, slots=True)
class WordsView:
    """Words that speak against a video, in pieces; the marked ones stand out."""

    pieces: Sequence[tuple[str, bool]]
    source: str
    at: float | None
    where: str
    label: str
    score: str


@dataclass(frozen=True, slots=True)
class LookView:
    """What was looked for, and what came of it. `level`: a risk."""

    label: str
    how: str
    level: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model that looked."""

    id: str
    version: str
    sha: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A decision of the past. `video_title` is empty where the video is gone."""

    video_id: str
    video_title: str
    title: str
    by: str
    at: Moment
    risk: str
    reason: str
    note: str
    undone: bool


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report by a viewer. `over` says how it ended, empty while it is open."""

    reason: str
    words: str
    at: float | None
    where: str
    by: str
    when: Moment
    over: str


def case_view(one: Waiting, reports: int, viewer: Viewer, playback: Playback, now: Timestamp) -> CaseView:
    """A video that waits, at `now`."""
    video, case = one.video, one.case
    held = case.held_by(now)
    scores = one.verdict.judgement.scores if one.verdict else {}
    return CaseView(
        video.id,
        video.title,
        video.owner_name,
        playback.poster(video, viewer),
        sum(video.id.encode()) % HUES,
        clock_text(video.duration) if video.duration else "",
        case.risk.value,
        why_text(case),
        [(CATEGORIES[category], f"{score:.2f}") for category, score in scores.items() if score is not None],
        reports,
        moment(case.opened_at),
        case.reviewer if held else "",
        held is not None and held == viewer.id,
    )


def why_text(case: Case) -> str:
    """Why a person is to look."""
    about = ", ".join(CATEGORIES[category].lower() for category in case.categories)
    return f"{CAUSES[case.cause]}: {about}" if about else CAUSES[case.cause]


def picture_views(verdict: Verdict, address: str) -> list[PictureView]:
    """The pictures of a verdict, by time; `address`: of its evidence, to which numbers are added."""
    return [
        PictureView(
            number,
            f"{address}/{number}",
            piece.at,
            _where(piece.at, "of the poster"),
            ASPECTS[piece.aspect],
            f"{piece.score:.2f}",
            _level(piece, verdict),
        )
        for number, piece in enumerate(verdict.evidence)
        if piece.source is None
    ]


def word_views(verdict: Verdict) -> list[WordsView]:
    """The words of a verdict, worst first."""
    return [
        WordsView(
            list(pieces_of(piece)),
            SOURCES[piece.source],
            piece.at,
            _where(piece.at, ""),
            ASPECTS[piece.aspect],
            f"{piece.score:.2f}",
        )
        for piece in verdict.evidence
        if piece.source is not None
    ]


def pieces_of(piece: Evidence) -> list[tuple[str, bool]]:
    """The words in pieces, each with whether it stands out."""
    found: list[tuple[str, bool]] = []
    done = 0
    for span in piece.spans:
        found += [(piece.words[done : span.start], False), (piece.words[span.start : span.end], True)]
        done = span.end
    return [one for one in (*found, (piece.words[done:], False)) if one[0]]


def look_views(verdict: Verdict) -> list[LookView]:
    """What was looked for, and what came of it."""
    lines = verdict.policy.lines_of if verdict.policy else (lambda _aspect: Lines(1.0, 1.0))
    return [
        LookView(ASPECTS[one.aspect], _how(one, lines(one.aspect)), one.risk.value)
        for one in verdict.judgement.opinions
    ]


def _how(one: Opinion, lines: Lines) -> str:
    score = "" if one.score is None else f"{one.score:.2f}"
    if one.cleared:
        return f"{score}: a person has found it fit".removeprefix(": ")
    if one.look is Look.SCREENED:
        return f"{score} (a person looks from {lines.medium:g})"
    return f"{score}, {LOOKS[one.look]}".removeprefix(", ")


def gap_texts(gaps: Sequence[Gap]) -> list[str]:
    """Why something was not looked for, a sentence each."""
    return [f"{ASPECTS[gap.aspect]}: {gap.detail or _gap(gap)}" for gap in gaps]


def _gap(gap: Gap) -> str:
    if gap.model is None:
        return "no model that looks for it is known here."
    return f"{gap.model}: {gap.code.replace('_', ' ')}."


def model_views(verdict: Verdict) -> list[ModelView]:
    """The models that looked."""
    return [ModelView(one.id, one.version, one.sha256[:SHA_DIGITS]) for one in verdict.models]


def verdict_view(verdict: Verdict, video_title: str = "") -> VerdictView:
    """A decision of the past."""
    undone = verdict.by is By.UNDONE
    return VerdictView(
        verdict.video_id,
        video_title,
        "A decision was taken back" if undone else _decision(verdict),
        verdict.person or JUDGES[verdict.by],
        moment(verdict.at),
        verdict.judgement.risk.value,
        verdict.reason,
        verdict.note,
        verdict.undone_at is not None,
    )


def _decision(verdict: Verdict) -> str:
    return f"New file: {DECISIONS[verdict.decision].lower()}" if verdict.new_file else DECISIONS[verdict.decision]


def _sender(report: Report) -> str:
    if not report.reporter:  # whoever asks owns the video
        return "By somebody"
    return f"By somebody {'with' if report.user_id else 'without'} an account"


def report_view(report: Report) -> ReportView:
    """A report by a viewer."""
    over = {None: "", Outcome.UPHELD: "Upheld", Outcome.DISMISSED: "Dismissed"}[report.outcome]
    return ReportView(
        REASON_WORDS[report.reason],
        report.words,
        report.at,
        _where(report.at, ""),
        _sender(report),
        moment(report.created_at),
        over,
    )


def nothing_text(file: CaseFile) -> str:
    """What to say where there is nothing to show."""
    if file.verdict is None and any(one.by is By.TRUST for one in file.history):
        return "Nothing was screened: the policy trusts whoever uploaded it."
    if file.verdict is None:
        return "Nobody has looked at this video yet."
    return "Models found nothing that reaches a line."


def _level(piece: Evidence, verdict: Verdict) -> str:
    """By the lines, but never graver than what all of its aspect came to: what one of several models believes rejects
    nothing."""
    if verdict.policy is None:
        return "low"
    grave = any(one.aspect is piece.aspect and one.risk is Risk.HIGH for one in verdict.judgement.opinions)
    return "high" if grave and piece.score >= verdict.policy.lines_of(piece.aspect).high else "medium"


def _where(at: float | None, otherwise: str) -> str:
    return otherwise if at is None else f"at {clock_text(at)}"
