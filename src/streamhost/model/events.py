"""What has happened, as it is told to whoever wants to know: notifications, CDN, plugins.

An event is announced in the transaction of the change that it tells of (`jobs.announcing.announce`), and told after
that is on disk, from a job, at least once: who must not act twice remembers `id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId, VideoId, new_id


class UnknownEvent(StreamhostError):
    """Nobody here knows this kind of event."""

    code = "unknown_event"
    permanent = True
    hint = "It was announced by another version; retry the job there."


@dataclass(frozen=True, slots=True)
class Event:
    """Something has happened. Subclasses add fields of JSON's own types; `kind` is the name outside of Python."""

    kind: ClassVar[str]
    at: Timestamp = field(kw_only=True)
    """When: seconds since 1970 UTC."""
    id: str = field(default_factory=new_id, kw_only=True)
    """Names this event, the same however often it is told."""

    def payload(self) -> dict[str, Any]:
        """The fields, as stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class VideoEvent(Event):
    """Something has happened to a video."""

    video_id: VideoId
    owner_id: UserId
    title: str


@dataclass(frozen=True, slots=True)
class VideoProcessed(VideoEvent):
    """Every rendition of a video stands."""

    kind: ClassVar[str] = "video_processed"


@dataclass(frozen=True, slots=True)
class VideoFailed(VideoEvent):
    """A video could not be made. `code` and `detail` say why, as `error` of the video does."""

    kind: ClassVar[str] = "video_failed"
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class VideoPublished(VideoEvent):
    """A video can be watched by others for the first time, or again."""

    kind: ClassVar[str] = "video_published"


@dataclass(frozen=True, slots=True)
class VideoApproved(VideoEvent):
    """A video was looked at, by models or a person, and found fit."""

    kind: ClassVar[str] = "video_approved"


@dataclass(frozen=True, slots=True)
class VideoHeld(VideoEvent):
    """A video waits until a person has looked at it. `reason` may be empty."""

    kind: ClassVar[str] = "video_held"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VideoRejected(VideoEvent):
    """A video was found unfit. `reason` is for its owner."""

    kind: ClassVar[str] = "video_rejected"
    reason: str


@dataclass(frozen=True, slots=True)
class VideoReplaced(VideoEvent):
    """Another file plays under the video's address now."""

    kind: ClassVar[str] = "video_replaced"


@dataclass(frozen=True, slots=True)
class ProtectionChanged(VideoEvent):
    """The same film plays from files under another protection now: none, aes-128, cenc or cbcs."""

    kind: ClassVar[str] = "protection_changed"
    protection: str


@dataclass(frozen=True, slots=True)
class ReplacementFailed(VideoEvent):
    """A new file for a video could not take the place of the old one, which still plays."""

    kind: ClassVar[str] = "replacement_failed"
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReplacementHeld(VideoEvent):
    """A new file for a video waits until a person has looked at it; the old one still plays. `reason` may be empty."""

    kind: ClassVar[str] = "replacement_held"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VideoTrashed(VideoEvent):
    """A video lies in the trash: nobody plays it, and it may come back. `by`: who has put it there."""

    kind: ClassVar[str] = "video_trashed"
    by: UserId | None = None


@dataclass(frozen=True, slots=True)
class VideoRestored(VideoEvent):
    """A video came back from the trash as it was."""

    kind: ClassVar[str] = "video_restored"


@dataclass(frozen=True, slots=True)
class VideoDeleted(VideoEvent):
    """A video is gone; its files are being removed. `by`: who deleted it, where that is known."""

    kind: ClassVar[str] = "video_deleted"
    by: UserId | None = None


@dataclass(frozen=True, slots=True)
class VideoReported(VideoEvent):
    """Viewers say that something is wrong with a video. Told at the first open report, and again at 5, 25, 100 and 500.

    `reason` is that of the newest, `count` how many are open."""

    kind: ClassVar[str] = "video_reported"
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportAnswered(Event):
    """A report was looked at, and whoever made it wanted to know. `outcome`: `upheld` or `dismissed`; `answer` says the
    same in a sentence."""

    kind: ClassVar[str] = "report_answered"
    user_id: UserId
    video_id: VideoId
    title: str
    outcome: str
    answer: str


@dataclass(frozen=True, slots=True)
class AccessRevoked(Event):
    """What was given out for a video so far no longer counts: grants of before `at` are refused."""

    kind: ClassVar[str] = "access_revoked"
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class QuotaReached(Event):
    """A user has used up what they may keep, or nearly. `unit` is `bytes` or `videos`."""

    kind: ClassVar[str] = "quota_reached"
    user_id: UserId
    used: int
    allowed: int
    unit: str = "bytes"


@dataclass(frozen=True, slots=True)
class DiskLow(Event):
    """Little room is left for what is stored. Bytes: what is free, and what is kept free for the system."""

    kind: ClassVar[str] = "disk_low"
    free: int
    keep_free: int


@dataclass(frozen=True, slots=True)
class UserRegistered(Event):
    """Somebody has an account now."""

    kind: ClassVar[str] = "user_registered"
    user_id: UserId


EVENTS: Mapping[str, type[Event]] = {
    kind.kind: kind
    for kind in (
        VideoProcessed,
        VideoFailed,
        VideoPublished,
        VideoApproved,
        VideoHeld,
        VideoRejected,
        VideoReplaced,
        ProtectionChanged,
        ReplacementFailed,
        ReplacementHeld,
        VideoTrashed,
        VideoRestored,
        VideoDeleted,
        VideoReported,
        ReportAnswered,
        AccessRevoked,
        QuotaReached,
        DiskLow,
        UserRegistered,
    )
}
"""Every event that there is, by its kind."""


def event_of(kind: str, payload: Mapping[str, Any]) -> Event:
    """An event as it was stored. Raises `UnknownEvent`; fields that are unknown here are left out."""
    known = EVENTS.get(kind)
    if known is None:
        raise UnknownEvent(kind)
    names = {item.name for item in fields(known)}
    try:
        return known(**{name: value for name, value in payload.items() if name in names})
    except TypeError as error:
        raise UnknownEvent(f"{kind}: {error}") from error
