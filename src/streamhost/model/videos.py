"""Videos: the thing, its state, and who may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from streamhost.model.accounts import Role, Viewer
from streamhost.model.clock import Timestamp
from streamhost.model.errors import Forbidden, NotFound
from streamhost.model.ids import PackageId, UserId, VideoId
from streamhost.model.sharing import Admission

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 10_000
MAX_CHAPTERS = 500


class VideoRejected(Forbidden):
    """This video was rejected by those who look after this site."""

    code = "video_rejected"
    hint = "Its page in the studio says why."


class Visibility(StrEnum):
    """Who may find and play a video."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"
    PASSWORD = "password"  # noqa: S105  # the name of a visibility
    """Whoever has the link and the password. Without one that is set: nobody."""


class Protection(StrEnum):
    """How the segments are protected on their way to the player."""

    NONE = "none"
    AES_128 = "aes-128"
    """HLS alone: whole files by AES-128 (RFC 8216)."""
    CENC = "cenc"
    """Common Encryption by AES-CTR (ISO/IEC 23001-7)."""
    CBCS = "cbcs"
    """Common Encryption by AES-CBC in patterns."""


class VideoState(StrEnum):
    """Where a video is on its way through the house.

    `review` and `rejected` say what moderation has decided; they are what `Video.stage` tells, never where making it
    has come to (`Video.state`)."""

    RECEIVED = "received"
    PROCESSING = "processing"
    REVIEW = "review"
    REJECTED = "rejected"
    READY = "ready"
    FAILED = "failed"


class Clearance(StrEnum):
    """Whether moderation lets others than its owner have a video."""

    OPEN = "open"
    PENDING = "pending"
    """Nobody has looked at it yet, and its site wants that done first."""
    REVIEW = "review"
    """A person is to decide."""
    REJECTED = "rejected"
    """Nobody may watch it any more but those who moderate: a link of its owner's would open it to all."""


SCREENING = "screen"
"""The step of a video that is made, and that nobody has looked at yet."""
REVIEWING = "review"
"""The step of a new file that waits until a person has looked at it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a video cannot be shown: a stable code, words, and what to do."""

    code: str
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class RenditionSummary:
    """One encoded version, as people see it in a list."""

    name: str
    width: int
    height: int
    codec: str
    bitrate: int
    """Average, bits per second; 0 while the rendition is still being made."""
    ready: bool


class ChapterMark(NamedTuple):
    """Where a chapter begins, in seconds, and what it is called."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another file for a video: it takes the place of the one there is once it plays and may be shown, or `error` says
    why it will not.

    `package_id` is what is made of it, None before that is begun. `width` and `duration` are known once all of it is
    made; `width` is None where it has no pictures."""

    video_id: VideoId
    source_key: str
    source_name: str
    source_size: int
    source_sha256: str | None
    created_at: Timestamp
    package_id: PackageId | None = None
    progress: float = 0.0
    step: str = ""
    error: Failure | None = None
    width: int | None = None
    duration: float | None = None

    @property
    def made(self) -> bool:
        """Whether it stands beside the old one, and somebody is to look before it takes its place."""
        return self.error is None and self.package_id is not None and self.step in (SCREENING, REVIEWING)

    @property
    def moving(self) -> bool:
        """Whether it gets on by itself: it has not failed, and does not wait for a person."""
        return self.error is None and self.step != REVIEWING

    def shown_in(self, video: Video) -> Video:
        """The video as it would be with this file."""
        return replace(video, package_id=self.package_id, width=self.width, duration=self.duration)

    def concerned_by(self, payload: Mapping[str, Any]) -> bool:
        """Whether a job with this payload works on it."""
        if payload.get("source_key"):
            return bool(payload["source_key"] == self.source_key)
        return self.package_id is not None and payload.get("package_id") == self.package_id


@dataclass(frozen=True, slots=True)
class Video:
    """One video as the catalog knows it.

    `package_id` names the stored set of segments that plays now; it changes when the video is packaged anew, so a
    running player keeps the set that its grant names. `source_key` is where the uploaded file lies in storage, None
    once it is gone.
    """

    id: VideoId
    owner_id: UserId
    title: str
    created_at: Timestamp
    updated_at: Timestamp
    owner_name: str = ""
    waiting: str | None = None
    """Why nothing happens at the moment although the video is not ready: a sentence. Found out anew, never stored."""
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    protection: Protection = Protection.NONE
    state: VideoState = VideoState.RECEIVED
    progress: float = 0.0
    step: str = ""
    playable: bool = False
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    source_key: str | None = None
    source_name: str = ""
    source_size: int = 0
    source_sha256: str | None = None
    package_id: PackageId | None = None
    poster_key: str | None = None
    renditions: tuple[RenditionSummary, ...] = ()
    error: Failure | None = None
    notes: tuple[str, ...] = field(default=())
    """What was done differently than asked, in words (for example why a source was re-encoded)."""
    published_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    """Since when it lies in the trash; None: it does not."""
    deleted_by: UserId | None = None
    """Who has put it there."""
    publish_at: Timestamp | None = None
    """When it becomes public by itself; until then it is private."""
    speed: float | None = None
    """Seconds of film made in a second while it is being made; None while that is not known."""
    eta: float | None = None
    """Seconds until it is ready, as far as that can be told."""
    paused: bool = False
    """Somebody has stopped its making for a while."""
    priority: int = 0
    """Videos with a higher one are made first."""
    replacement: Replacement | None = None
    """Another file that is on its way to take this one's place; looked up where one video is asked for."""
    allow_download: bool = False
    """Who may watch it may also take it along as one file."""
    keep_source: str | None = None
    """How long the uploaded file is kept (`KeepSource`); None: as the site's setting says."""
    chapters: tuple[ChapterMark, ...] = ()
    chapters_edited: bool = False
    """Somebody has written the chapters, so those of a file no longer count."""
    password_hash: str | None = field(default=None, repr=False)
    embed_origins: tuple[str, ...] = ()
    """Other web sites whose pages may show it, as browsers write them in `Origin`; `*` for all."""
    protection_in_use: Protection | None = None
    """How the package that plays is protected, None while there is none. Read along, never stored with the video."""
    admission: Admission | None = None
    """By what this very viewer may see it who otherwise could not. Found out anew, never stored."""
    clearance: Clearance = Clearance.OPEN
    """Whether moderation lets others have it. Changed by the room of moderation alone."""
    under_review: bool = False
    """Somebody is to look at it, whatever others may do meanwhile. Read along, never stored with the video."""

    @property
    def shown(self) -> bool:
        """Whether there is anything to watch for others than its owner."""
        made = self.playable and self.state is not VideoState.FAILED and self.deleted_at is None
        return made and self.clearance is Clearance.OPEN

    @property
    def held(self) -> bool:
        """Whether nothing is to be made of it for now."""
        return self.paused or self.deleted_at is not None

    @property
    def growing(self) -> bool:
        """Whether it is shown while it is made: none of its renditions is whole yet."""
        return self.playable and bool(self.renditions) and not any(one.ready for one in self.renditions)

    @property
    def stage(self) -> VideoState:
        """Where it is for people: how far its making has come and, once it is made, what moderation says of it."""
        if self.clearance is Clearance.REJECTED:
            return VideoState.REJECTED
        if self.state is not VideoState.READY:
            return self.state
        if self.clearance is Clearance.PENDING:
            return VideoState.PROCESSING
        return VideoState.REVIEW if self.clearance is Clearance.REVIEW else VideoState.READY

    @property
    def doing(self) -> str:
        """What is done with it at the moment."""
        made = self.state is VideoState.READY
        return SCREENING if made and self.clearance is Clearance.PENDING else self.step


def may_manage(video: Video, viewer: Viewer) -> bool:
    """Owner and admins may change or delete a video."""
    return viewer.user is not None and (video.owner_id == viewer.id or viewer.is_at_least(Role.ADMIN))


def may_moderate(video: Video, viewer: Viewer) -> bool:
    """Moderators see what somebody is to look at, or was kept from others, whoever else may."""
    concerned = video.under_review or video.clearance is not Clearance.OPEN
    return concerned and viewer.is_at_least(Role.MODERATOR)


def may_view(video: Video, viewer: Viewer) -> bool:
    """Whether `viewer` may open the page of `video`: deny unless a line here says otherwise."""
    if video.deleted_at is not None:
        return False
    if may_manage(video, viewer) or may_moderate(video, viewer):
        return True
    return video.visibility in (Visibility.PUBLIC, Visibility.UNLISTED) and video.shown


def check_manageable(video: Video, viewer: Viewer) -> None:
    """Raise `Forbidden` unless `viewer` may change a video that they see."""
    if not may_manage(video, viewer):
        raise Forbidden


def managed(video: Video | None, viewer: Viewer) -> Video:
    """The video, for whoever may change it. Raises `NotFound` where they see none, `Forbidden`."""
    if video is None or not may_view(video, viewer):
        raise NotFound
    check_manageable(video, viewer)
    return video


def may_watch(video: Video, viewer: Viewer) -> bool:
    """Whether somebody who may open its page gets anything of its pictures and sound: of what was rejected, only those
    who moderate do. Its owner still sees that it is there, and why it was rejected."""
    return video.clearance is not Clearance.REJECTED or viewer.is_at_least(Role.MODERATOR)


def check_watchable(video: Video, viewer: Viewer) -> None:
    """Raise `VideoRejected` unless somebody who may open its page also gets its pictures and sound."""
    if not may_watch(video, viewer):
        raise VideoRejected


def media_prefix(video_id: VideoId) -> str:
    """The storage prefix below which everything of a video lies."""
    return f"videos/{video_id}/"


def source_prefix(video_id: VideoId) -> str:
    """The storage prefix of the uploaded file."""
    return f"{media_prefix(video_id)}source/"


def stills_prefix(video_id: VideoId) -> str:
    """The storage prefix of pictures that are not for viewers. It is not below `media_prefix`: no grant names it."""
    return f"stills/{video_id}/"


def package_stills(video_id: VideoId, package_id: PackageId) -> str:
    """The storage prefix of the pictures taken while one packaged set was made: candidates, frames to screen."""
    return f"{stills_prefix(video_id)}{package_id}/"


def evidence_prefix(video_id: VideoId) -> str:
    """The storage prefix of pictures that speak against a video. No grant names it, and it outlives the video."""
    return f"evidence/{video_id}/"


DOWNLOADS = "download/"
"""The folder of a packaged set with files to take along."""


def folder_of(key: str) -> str:
    """The storage prefix of the folder in which an object lies."""
    return key.rpartition("/")[0] + "/"


def download_prefix(video_id: VideoId, package_id: PackageId) -> str:
    """The storage prefix of the files to take along that were made of a packaged set."""
    return f"{package_prefix(video_id, package_id)}{DOWNLOADS}"


def package_prefix(video_id: VideoId, package_id: PackageId) -> str:
    """The storage prefix of one packaged set: manifests, init and media segments, poster."""
    return f"{media_prefix(video_id)}{package_id}/"
