"""Videos as the pages show them: everything already in words, nothing left for a template to work out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from streamhost.features.playback import Playback
from streamhost.features.search import Hit
from streamhost.model.accounts import Viewer
from streamhost.model.clock import Timestamp, iso
from streamhost.model.videos import SCREENING, Protection, Video, VideoState, may_manage, may_watch
from streamhost.server.search import marked_html

HUES = 5
"""Colours for the place of a missing poster."""
STEPS = {
    "fetch": "Fetching the file",
    "scan": "Looking through the file",
    "storyboard": "Making previews",
    "copy": "Packaging",
    "encode": "Making qualities",
    "audio": "Preparing the sound",
    "captions": "Reading the subtitles",
    "join": "Putting one file together",
    "take": "Taking the file in",
    "screen": "Checking the content",
    "review": "Waiting for a review",
}
"""What a job is doing, by the media workshop's word for it; scripts say the same (`texts.ts`)."""
UNITS = ("bytes", "kB", "MB", "GB", "TB")
THOUSAND = 999.5
"""From here on a number would round to four digits, so it gets the next unit."""


@dataclass(frozen=True, slots=True)
class FailureView:
    """Why a video failed, and what its owner can do."""

    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class VideoView:
    """One video for a template. Texts are plain, except `snippet`, which is safe HTML."""

    id: str
    title: str
    description: str
    owner_name: str
    visibility: str
    protection: str
    switching: bool
    """It is being packaged anew under another protection."""
    state: str
    state_text: str
    progress: float
    playable: bool
    live: bool
    """Something about it still changes by itself, so a script may follow it."""
    manageable: bool
    duration_text: str
    size_text: str
    poster: str | None
    hue: int
    created_at: str
    created_text: str
    error: FailureView
    notes: Sequence[str]
    paused: bool
    retryable: bool
    """It failed, and what it is made from is still there."""
    downloadable: bool
    embed_origins: Sequence[str]
    """Web sites whose pages may show it."""
    tags: Sequence[str]
    publish_at: str
    """When it becomes public by itself; empty: never."""
    publish_text: str
    publish_input: str
    """The same for a field `datetime-local`, in UTC."""
    snippet: Markup | None = None


def video_view(video: Video, viewer: Viewer, playback: Playback, snippet: Markup | None = None) -> VideoView:
    """A video as this viewer sees it."""
    return VideoView(
        id=video.id,
        title=video.title,
        description=video.description,
        owner_name=video.owner_name,
        visibility=video.visibility.value,
        protection=video.protection.value,
        switching=video.protection_in_use not in (None, video.protection),
        state=video.stage.value,
        state_text=state_text(video),
        progress=round(video.progress, 3),
        playable=video.playable and may_watch(video, viewer),
        live=video.stage in (VideoState.RECEIVED, VideoState.PROCESSING),
        manageable=may_manage(video, viewer),
        duration_text=clock_text(video.duration) if video.duration else "",
        size_text=bytes_text(video.source_size) if video.source_size else "",
        poster=playback.poster(video, viewer),
        hue=sum(video.id.encode()) % HUES,
        created_at=iso(video.created_at) or "",
        created_text=day_text(video.created_at),
        error=_failure(video),
        notes=video.notes,
        paused=video.paused,
        retryable=video.state is VideoState.FAILED and video.source_key is not None,
        downloadable=video.playable
        and not video.growing
        and may_watch(video, viewer)
        and video.protection is Protection.NONE
        and (video.allow_download or may_manage(video, viewer)),
        embed_origins=video.embed_origins,
        tags=video.tags,
        publish_at=iso(video.publish_at) or "",
        publish_text=minute_text(video.publish_at) if video.publish_at else "",
        publish_input=f"{datetime.fromtimestamp(video.publish_at, UTC):%Y-%m-%dT%H:%M}" if video.publish_at else "",
        snippet=snippet,
    )


def hit_view(hit: Hit, viewer: Viewer, playback: Playback) -> VideoView:
    """A search result, with the place in its description where the words stand."""
    snippet = Markup(marked_html(hit.text)) if "\x02" in hit.text else None  # noqa: S704 - marked_html has escaped it
    return video_view(hit.video, viewer, playback, snippet)


def state_text(video: Video) -> str:
    """Where a video is on its way, in a few words."""
    percent = f"{min(99, int(video.progress * 100))} %"
    pace = "" if video.waiting else "".join(f", {word}" for word in (pace_text(video.speed, video.eta),) if word)
    match video.stage:
        case VideoState.RECEIVED | VideoState.PROCESSING if video.paused:
            return f"Paused, {percent}"
        case VideoState.RECEIVED | VideoState.PROCESSING if video.waiting and not video.playable:
            return f"Waiting. {video.waiting}"
        case VideoState.RECEIVED:
            return "Waiting its turn"
        case VideoState.PROCESSING if video.doing == SCREENING:
            return STEPS[SCREENING]
        case VideoState.REVIEW:
            return "Waiting for review"
        case VideoState.PROCESSING if video.growing:
            return f"Plays while the rest is made, {percent}{pace}"
        case VideoState.PROCESSING if video.playable:
            return f"More qualities on the way, {percent}{pace}"
        case VideoState.PROCESSING:
            return f"{STEPS.get(video.step, 'Processing')}, {percent}{pace}"
        case state:
            return state.value.capitalize()


def pace_text(speed: float | None, left: float | None) -> str:
    """How fast work goes and how long it will still take, as far as that is known."""
    words = [
        "" if speed is None else f"{speed:.1f}\u00d7 speed",
        "" if left is None else f"{clock_text(round(left))} left",
    ]
    return ", ".join(filter(None, words))


def clock_text(seconds: float) -> str:
    """A length as 0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bytes_text(count: int) -> str:
    """A size in decimal units, as file managers and providers count: 999 bytes, 1.5 MB."""
    value, unit = float(count), 0
    while value >= THOUSAND and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 100 else 1
    return f"{value:.{digits}f} {UNITS[unit]}"


def day_text(moment: Timestamp) -> str:
    """A date in words, in UTC; scripts turn it into the reader's own time."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def minute_text(moment: Timestamp) -> str:
    """A date and time in words, in UTC; scripts turn it into the reader's own time."""
    return f"{day_text(moment)}, {datetime.fromtimestamp(moment, UTC):%H:%M} UTC"


def _failure(video: Video) -> FailureView:
    if video.error is None:
        return FailureView("", "")
    return FailureView(video.error.detail, video.error.hint or "")
