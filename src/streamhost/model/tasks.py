"""Work to be done in the background: one frozen dataclass a kind of job, and the job as the queue keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from streamhost.model.clock import Timestamp
from streamhost.model.ids import DeliveryId, ImportId, JobId, MailId, PackageId, RescreenId, UserId, VideoId


class Lane(StrEnum):
    """Media work is heavy and runs a few at a time; light work must not wait behind it."""

    MEDIA = "media"
    SOUND = "sound"
    """Media work on sound alone: it is small, and goes on beside that on pictures."""
    LIGHT = "light"
    PLUGINS = "plugins"
    """Work of plugins, which may be slow or hang: it takes nobody else's place."""
    DELIVERIES = "deliveries"
    """Waits for other people's servers, which may take their time."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is asked to do. Subclasses add fields of JSON's own types; `kind` is the name in the catalog."""

    kind: ClassVar[str]
    lane: ClassVar[Lane] = Lane.LIGHT
    max_attempts: ClassVar[int] = 5

    def payload(self) -> dict[str, Any]:
        """The fields, as stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ProbeSource(Task):
    """Look into the uploaded file and decide what to make of it."""

    kind: ClassVar[str] = "probe_source"
    lane: ClassVar[Lane] = Lane.MEDIA
    video_id: VideoId
    source_key: str = ""
    """A file that is to replace the video's; empty: the video's own."""


@dataclass(frozen=True, slots=True)
class MakePart(Task):
    """Do one part of the making of a package: copy the source, plan the cuts, encode a chunk or an audio track."""

    kind: ClassVar[str] = "make_part"
    lane: ClassVar[Lane] = Lane.MEDIA
    video_id: VideoId
    package_id: PackageId
    part: str


@dataclass(frozen=True, slots=True)
class PublishPackage(Task):
    """Write the manifests of what stands and make it the set that plays."""

    kind: ClassVar[str] = "publish_package"
    video_id: VideoId
    package_id: PackageId
    part: str


@dataclass(frozen=True, slots=True)
class RewriteManifests(Task):
    """Write the manifests of the set that plays anew: what stands beside the renditions has changed."""

    kind: ClassVar[str] = "rewrite_manifests"
    video_id: VideoId


@dataclass(frozen=True, slots=True)
class ExtractCaptions(Task):
    """Take the text subtitles out of the uploaded file."""

    kind: ClassVar[str] = "extract_captions"
    lane: ClassVar[Lane] = Lane.MEDIA
    max_attempts: ClassVar[int] = 3
    video_id: VideoId
    package_id: PackageId


@dataclass(frozen=True, slots=True)
class RepackageVideo(Task):
    """Write the renditions of a finished video under another protection, as a new package."""

    kind: ClassVar[str] = "repackage_video"
    lane: ClassVar[Lane] = Lane.MEDIA
    video_id: VideoId
    package_id: PackageId


@dataclass(frozen=True, slots=True)
class RetirePackage(Task):
    """Remove a package that another one has replaced, once no grant for it can be out."""

    kind: ClassVar[str] = "retire_package"
    video_id: VideoId
    package_id: PackageId


@dataclass(frozen=True, slots=True)
class MakeDownload(Task):
    """Put a rendition and its sound into one file to take along."""

    kind: ClassVar[str] = "make_download"
    lane: ClassVar[Lane] = Lane.MEDIA
    max_attempts: ClassVar[int] = 2
    video_id: VideoId
    package_id: PackageId
    rendition: str


@dataclass(frozen=True, slots=True)
class ScreenVideo(Task):
    """Have models look at a video, and settle what follows."""

    kind: ClassVar[str] = "screen_video"
    lane: ClassVar[Lane] = Lane.MEDIA
    video_id: VideoId
    words_only: bool = False
    """Only what stands beside its pictures has changed: what was found in these still counts."""
    rescreen_id: RescreenId | None = None
    """It is part of a re-screening: only note what would follow."""
    forced: bool = False
    """Look at all of it, even if somebody trusted has uploaded it."""
    new_file: PackageId | None = None
    """Look at what was made of a file that is to take the place of the one that plays."""


@dataclass(frozen=True, slots=True)
class RescreenVideos(Task):
    """Order a look at every video, a few at a time; or make it so what these have found."""

    kind: ClassVar[str] = "rescreen_videos"
    rescreen_id: RescreenId
    apply: bool = False
    after: VideoId | None = None
    """The last video that is done with."""


@dataclass(frozen=True, slots=True)
class SweepEvidence(Task):
    """Forget verdicts about videos that are gone, and their pictures, when their time is up."""

    kind: ClassVar[str] = "sweep_evidence"


@dataclass(frozen=True, slots=True)
class SweepMedia(Task):
    """Remove uploaded files past their time, and what was left of work that was given up."""

    kind: ClassVar[str] = "sweep_media"


@dataclass(frozen=True, slots=True)
class DeleteMedia(Task):
    """Remove everything below a storage prefix."""

    kind: ClassVar[str] = "delete_media"
    prefix: str


@dataclass(frozen=True, slots=True)
class PushCopies(Task):
    """Bring copies of a video's package to the CDN."""

    kind: ClassVar[str] = "push_copies"
    lane: ClassVar[Lane] = Lane.DELIVERIES
    max_attempts: ClassVar[int] = 8
    video_id: VideoId
    package_id: PackageId


@dataclass(frozen=True, slots=True)
class PurgeCopies(Task):
    """Have the CDN drop its copies of what lies below a storage prefix; tried for about a day, for they must go."""

    kind: ClassVar[str] = "purge_copies"
    lane: ClassVar[Lane] = Lane.DELIVERIES
    max_attempts: ClassVar[int] = 32
    prefix: str


@dataclass(frozen=True, slots=True)
class SendMail(Task):
    """Deliver one mail that waits."""

    kind: ClassVar[str] = "send_mail"
    max_attempts: ClassVar[int] = 32
    """With waits that double up to an hour, about a day: longer than most mail servers are ever away."""
    mail_id: MailId


@dataclass(frozen=True, slots=True)
class SweepMail(Task):
    """Forget mail that was delivered, or given up, long ago."""

    kind: ClassVar[str] = "sweep_mail"


@dataclass(frozen=True, slots=True)
class ScanImports(Task):
    """Search the folders whose files become videos for what is new, changed or gone."""

    kind: ClassVar[str] = "scan_imports"
    max_attempts: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class TakeImport(Task):
    """Make a file of an import folder a video, or attach what lies beside it."""

    kind: ClassVar[str] = "take_import"
    file_id: ImportId


@dataclass(frozen=True, slots=True)
class DeliverNotice(Task):
    """Hand a notice to a channel or an endpoint that somebody else runs, and see to the next attempt if need be."""

    kind: ClassVar[str] = "deliver_notice"
    lane: ClassVar[Lane] = Lane.DELIVERIES
    delivery_id: DeliveryId


@dataclass(frozen=True, slots=True)
class MailNotices(Task):
    """Put the notices that wait for somebody into one mail."""

    kind: ClassVar[str] = "mail_notices"
    user_id: UserId


@dataclass(frozen=True, slots=True)
class SweepNotices(Task):
    """Forget notices and deliveries past their time."""

    kind: ClassVar[str] = "sweep_notices"


@dataclass(frozen=True, slots=True)
class CheckDisk(Task):
    """Look whether there is room for what comes in."""

    kind: ClassVar[str] = "check_disk"


@dataclass(frozen=True, slots=True)
class SweepUploads(Task):
    """Remove uploads that expired before they were complete."""

    kind: ClassVar[str] = "sweep_uploads"


@dataclass(frozen=True, slots=True)
class SweepBucket(Task):
    """Remove what uploads to the storage that were killed have left there."""

    kind: ClassVar[str] = "sweep_bucket"


@dataclass(frozen=True, slots=True)
class SweepCatalog(Task):
    """Remove dead sessions, used-up tokens and finished jobs that nobody needs any more."""

    kind: ClassVar[str] = "sweep_catalog"


@dataclass(frozen=True, slots=True)
class BackUp(Task):
    """Make a backup of the site as the settings say."""

    kind: ClassVar[str] = "back_up"
    max_attempts: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class SweepPlaybacks(Task):
    """Forget single reports of players, and what visitors without an account have watched, past their time."""

    kind: ClassVar[str] = "sweep_playbacks"


@dataclass(frozen=True, slots=True)
class UpdateWatchEdges(Task):
    """Bring the watch graph and the popularity of videos up to what was watched."""

    kind: ClassVar[str] = "update_watch_edges"


@dataclass(frozen=True, slots=True)
class TrainRecommendations(Task):
    """Let the model for recommendations learn from what was watched."""

    kind: ClassVar[str] = "train_recommendations"
    lane: ClassVar[Lane] = Lane.MEDIA
    max_attempts: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class AnnounceEvent(Task):
    """Have everybody told who wants to hear of an event."""

    kind: ClassVar[str] = "announce_event"
    event_kind: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TellSubscriber(Task):
    """Tell one subscriber of one event."""

    kind: ClassVar[str] = "tell_subscriber"
    max_attempts: ClassVar[int] = 20
    """With waits that double up to an hour, about half a day."""
    subscriber: str
    event_kind: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TellPlugin(TellSubscriber):
    """Tell one plugin of one event."""

    kind: ClassVar[str] = "tell_plugin"
    lane: ClassVar[Lane] = Lane.PLUGINS


@dataclass(frozen=True, slots=True)
class PluginWork(Task):
    """Do what a plugin has put into the queue. Each plugin has its own kind of job, `plugin:<name>`."""

    kind: ClassVar[str] = "plugin"
    lane: ClassVar[Lane] = Lane.PLUGINS
    work: str
    given: dict[str, Any]

    @classmethod
    def of(cls, plugin: str, attempts: int = Task.max_attempts) -> type[PluginWork]:
        """The class for jobs of one plugin."""
        members = {"__slots__": (), "kind": f"plugin:{plugin}", "max_attempts": attempts}
        return type(f"{cls.__name__}_{plugin}", (cls,), members)


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue.

    `lock`: jobs with the same lock never run at the same time. `queueing_lock`: a second job with the same one is not
    added while the first still waits. A running job belongs to `worker` until `lease_until`; the heartbeat moves that
    on.
    """

    id: JobId
    kind: str
    payload: dict[str, Any]
    lane: Lane
    state: JobState
    priority: int
    attempts: int
    max_attempts: int
    run_at: Timestamp
    created_at: Timestamp
    lock: str | None = None
    queueing_lock: str | None = None
    subject: str | None = None
    """What the job is about, for example `video:<id>`; for lists and for cancelling."""
    worker: str | None = None
    lease_until: Timestamp | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    progress: float = 0.0
    step: str = ""
    error_code: str | None = None
    error_detail: str | None = None
    cancel_requested: bool = False
    paused: bool = False
    """It is to wait until it is resumed; where it still runs, its worker was asked to put it back."""
    speed: float | None = None
    """Seconds of film that are made in a second, where the work is about film."""
    eta: float | None = None
    """Seconds until it is done, as far as that can be told."""
