"""Background work, as the API and the command line show it."""

from dataclasses import dataclass
from typing import Any

from streamhost.features.catalog import UNDERWAY
from streamhost.features.work import Item
from streamhost.model.clock import iso
from streamhost.model.videos import Video


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """Why a video could not be made."""

    code: str
    detail: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class ProcessingDocument:
    """What is being done: the step, how fast (seconds of film a second; 1 is real time), and the seconds left.

    `speed` and `eta` are null while they are not known. `waiting` says why nothing happens at the moment."""

    step: str
    speed: float | None
    eta: float | None
    waiting: str | None
    paused: bool
    priority: int


def processing_document(video: Video) -> ProcessingDocument | None:
    """What is being done with a video; None when nothing is."""
    if video.stage not in UNDERWAY:
        return None
    still = video.waiting is not None or video.paused
    return ProcessingDocument(
        step=video.doing,
        speed=None if still or video.speed is None else round(video.speed, 3),
        eta=None if still or video.eta is None else round(video.eta, 1),
        waiting=video.waiting,
        paused=video.paused,
        priority=video.priority,
    )


@dataclass(frozen=True, slots=True)
class WaitDocument:
    """Why a job does not run yet: a sentence, until when if that is known, the job it stands behind if one."""

    cause: str
    until: str | None
    behind: str | None


@dataclass(frozen=True, slots=True)
class JobDocument:
    """One job. `progress` is 0..1; `speed` is seconds of film a second, `eta` the seconds left, null while unknown.

    `subject` is what it is about, such as `video:<id>`; `details` is what it is asked to do. `output`: the end of what
    its process said before it failed, if it said anything."""

    id: str
    kind: str
    state: str
    subject: str | None
    details: dict[str, Any]
    priority: int
    progress: float
    step: str
    speed: float | None
    eta: float | None
    waiting: WaitDocument | None
    attempts: int
    max_attempts: int
    error: ErrorDocument | None
    output: str | None
    created_at: str | None
    started_at: str | None
    finished_at: str | None


def job_document(item: Item) -> JobDocument:
    """The public form of a job."""
    job, wait = item.job, item.wait
    return JobDocument(
        id=job.id,
        kind=job.kind,
        state=item.state.value,
        subject=job.subject,
        details=job.payload,
        priority=job.priority,
        progress=round(job.progress, 4),
        step=job.step,
        speed=job.speed,
        eta=job.eta,
        waiting=WaitDocument(wait.cause, iso(wait.until), wait.behind) if wait else None,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        error=ErrorDocument(job.error_code, job.error_detail or "", None) if job.error_code else None,
        output=item.output or None,
        created_at=iso(job.created_at),
        started_at=iso(job.started_at),
        finished_at=iso(job.finished_at),
    )
