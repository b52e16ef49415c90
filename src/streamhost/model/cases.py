"""What is kept of decisions about videos: verdicts with their evidence, cases that wait for a person, re-screenings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, RescreenId, UserId, VerdictId, VideoId
from streamhost.model.moderation import Aspect, Category, Gap, ModelUse, Span, TextSource
from streamhost.model.verdicts import Decision, Judgement, Policy, Risk
from streamhost.model.videos import Clearance, evidence_prefix

REASON_LENGTH = 1000
NOTHING_SAID = Judgement(Risk.UNKNOWN, Decision.REVIEW)
"""What is known before anybody has said anything."""
CLAIM_SECONDS = 600.0
"""How long a claimed case is one reviewer's unless they say that they are still at it."""


class By(StrEnum):
    """Who has decided."""

    MODELS = "models"
    TRUST = "trust"
    """Nobody looked: the policy trusts whoever uploaded it."""
    PERSON = "person"
    UNDONE = "undone"
    """A person has taken a decision back; what was before it counts again."""


class Cause(StrEnum):
    """Why a person is to look at a video."""

    SCREENING = "screening"
    REPORT = "report"
    CHANGED = "changed"
    """A video that a person rejected is not the same any more."""
    UNDONE = "undone"
    NEW_FILE = "new_file"
    """A file that is to take the place of one that plays."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that speaks against a video: a picture (`size` is above 0) or words.

    `at` is in seconds, None for what stands beside the video. A picture is `size` bytes of JPEG from `offset` on, in
    the verdict's file. `words` are a piece of a text, `spans` the parts of that piece that stand out."""

    aspect: Aspect
    score: float
    at: float | None = None
    offset: int = 0
    size: int = 0
    source: TextSource | None = None
    words: str = ""
    spans: tuple[Span, ...] = ()

    @property
    def category(self) -> Category:
        """What it counts for."""
        return self.aspect.category


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about a video, by models or a person, with what it rests on. Written once; but that `undone_at` is
    filled, `package_id` follows the same pictures, and `new_file` ends when the file plays.

    `reason` is for its owner, `note` for other moderators. `before` and `after` are what the video was cleared for.
    `package_id` and `mark` name the very content: pictures and sound, and what stands beside them. `new_file`: it is
    about a file that has not taken the place of the one that plays (yet)."""

    id: VerdictId
    video_id: VideoId
    at: Timestamp
    by: By
    decision: Decision
    before: Clearance
    after: Clearance
    person_id: UserId | None = None
    person: str = ""
    reason: str = ""
    note: str = ""
    package_id: PackageId | None = None
    mark: str = ""
    judgement: Judgement = NOTHING_SAID
    models: tuple[ModelUse, ...] = ()
    gaps: tuple[Gap, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    policy: Policy | None = None
    undone_at: Timestamp | None = None
    number: int = 0
    new_file: bool = False

    @property
    def evidence_key(self) -> str:
        """Where its pictures lie in storage."""
        return f"{evidence_prefix(self.video_id)}{self.id}.mjpeg"


@dataclass(frozen=True, slots=True)
class Case:
    """A video that waits for a person. `reviewer_id` has it until `claimed_until`."""

    video_id: VideoId
    cause: Cause
    risk: Risk
    opened_at: Timestamp
    categories: tuple[Category, ...] = ()
    reviewer_id: UserId | None = None
    reviewer: str = ""
    claimed_until: Timestamp | None = None

    def held_by(self, now: Timestamp) -> UserId | None:
        """Whose it is at the moment; None if anybody may take it."""
        return self.reviewer_id if self.claimed_until is not None and now < self.claimed_until else None


class RunState(StrEnum):
    """How far a re-screening is."""

    LOOKING = "looking"
    LOOKED = "looked"
    APPLYING = "applying"
    APPLIED = "applied"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Rescreen:
    """A look at every video anew. First only what would change is found out; `apply` then makes it so.

    `total`, `done` and `failed` count videos, `changed` those that would get, or got, another decision."""

    id: RescreenId
    state: RunState
    started_at: Timestamp
    started_by: str
    total: int = 0
    done: int = 0
    changed: int = 0
    failed: int = 0
    finished_at: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a re-screening found of one video: the clearance that it has, and the one that it would have."""

    video_id: VideoId
    title: str
    before: Clearance
    after: Clearance
    risk: Risk
    decision: Decision
    applied: bool = False

    @property
    def differs(self) -> bool:
        """Whether applying it would do anything."""
        return self.before is not self.after
