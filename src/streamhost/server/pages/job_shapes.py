"""Background work as the page of administrators shows it: in words, not by the names that the catalog has for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.features.work import Item, State
from streamhost.model.errors import known_errors
from streamhost.model.tasks import Job
from streamhost.server.pages.people_shapes import Moment, moment, words
from streamhost.server.pages.shapes import STEPS, pace_text

ICONS: Mapping[State, str] = {
    State.QUEUED: "clock",
    State.PAUSED: "pause",
    State.RUNNING: "loader-circle",
    State.DONE: "circle-check",
    State.FAILED: "circle-x",
    State.CANCELLED: "x",
}
KINDS: Mapping[str, str] = {
    "probe_source": "Look into the file",
    "make_part": "Make a part",
    "publish_package": "Publish",
    "rewrite_manifests": "Tell players of what is new",
    "extract_captions": "Take the subtitles out of the file",
    "repackage_video": "Package anew under another protection",
    "retire_package": "Remove what was replaced",
    "make_download": "Put a file to take along together",
    "screen_video": "Check the content of a video",
    "rescreen_videos": "Check every video anew",
    "sweep_evidence": "Forget old evidence",
    "update_watch_edges": "Note who watches the same",
    "train_recommendations": "Learn what to recommend",
    "sweep_media": "Tidy up files",
    "delete_media": "Delete files",
    "push_copies": "Bring copies to the CDN",
    "purge_copies": "Have the CDN drop its copies",
    "send_mail": "Send a mail",
    "sweep_playbacks": "Forget old reports of players",
    "sweep_mail": "Forget old mail",
    "scan_imports": "Search the import folders",
    "take_import": "Take a file in",
    "sweep_uploads": "Drop uploads that were given up",
    "sweep_bucket": "Tidy up the bucket",
    "sweep_catalog": "Tidy up the catalog",
    "back_up": "Make a backup",
    "install_model": "Bring a model here",
    "count_storage": "Count what is stored",
    "announce_event": "Tell everybody who listens",
    "deliver_notice": "Deliver a notice",
    "mail_notices": "Put notices into a mail",
    "sweep_notices": "Forget old notices",
    "check_disk": "Look whether the disk has room",
    "tell_subscriber": "Tell one who listens",
    "tell_plugin": "Tell a plugin",
    "plugin": "Work of a plugin",
}
"""What kinds of jobs do; others are called by their name in the catalog."""
PARTS: Mapping[str, str] = {
    "copy": "Package the file as it is",
    "plan": "Plan where to cut the film",
    "audio": "Encode sound track",
    "chunk": "Encode piece",
    "storyboard": "Make previews",
    "publish-growing": "Show what stands while the rest is made",
    "publish-playable": "Publish what plays already",
    "publish-ready": "Publish all of it",
}
"""What parts of a video's making do, by the name of the part; a number in it tells tracks and pieces apart."""
_NUMBERED = re.compile(r"([a-z]+)-([0-9]+)")
_RENDITION = re.compile(r"v([0-9]+)")


@dataclass(frozen=True, slots=True)
class JobView:
    """One job for a template."""

    id: str
    title: str
    video_id: str | None
    video_title: str
    """Empty for a video that is gone."""
    state: str
    state_text: str
    icon: str
    progress: float
    about: str
    trouble: str
    output: str
    attempts: int
    priority: int
    created: Moment
    actions: Sequence[tuple[str, str, str]]
    """What can be done: action, label, icon."""


def job_view(item: Item) -> JobView:
    """A job in words."""
    job, state = item.job, item.state
    open_actions = [
        ("resume", "Resume", "play") if state is State.PAUSED else ("pause", "Pause", "pause"),
        ("cancel", "Cancel", "x"),
    ]
    about = item.wait.cause if item.wait else ""
    if state is State.RUNNING:
        step = STEPS.get(job.step, job.step)
        about = ", ".join(filter(None, (f"{int(job.progress * 100)} %", step, pace_text(job.speed, job.eta))))
    return JobView(
        id=job.id,
        title=title_of(job),
        video_id=item.video_id,
        video_title=item.title or "",
        state=state.value,
        state_text=state.value.capitalize(),
        icon=ICONS[state],
        progress=round(job.progress, 3),
        about=about,
        trouble=trouble_text(job),
        output=item.output,
        attempts=job.attempts,
        priority=job.priority,
        created=moment(job.created_at),
        actions=open_actions
        if state in (State.QUEUED, State.PAUSED, State.RUNNING)
        else ([("retry", "Try again", "rotate-ccw")] if state in (State.FAILED, State.CANCELLED) else []),
    )


def trouble_text(job: Job) -> str:
    """Why a job failed: the sentence of its error, the details, and the code by which the reference knows it."""
    if not job.error_code:
        return ""
    detail = job.error_detail or ""
    sentence = next((kind.title() for kind in known_errors() if kind.code == job.error_code), "")
    said = detail if detail.startswith(sentence) else f"{sentence} {detail}"
    return f"{said} ({job.error_code})".strip()


def title_of(job: Job) -> str:
    """What a job does."""
    part = str(job.payload.get("part") or "")
    if part in PARTS:
        return PARTS[part]
    if (found := _NUMBERED.fullmatch(part)) and found[1] in PARTS:
        return f"{PARTS[found[1]]} {int(found[2]) + 1}"
    kind, _, plugin = job.kind.partition(":")
    title = " ".join(filter(None, (KINDS.get(kind) or words(kind), plugin)))
    if heard := job.payload.get("event_kind"):
        return f"{title}: {words(str(heard)).lower()}"
    if found := _RENDITION.fullmatch(str(job.payload.get("rendition") or "")):
        return f"{title} ({found[1]}p)"
    return title
