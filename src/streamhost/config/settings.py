"""What can be set: one class a section, every field with its limits and its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from streamhost.config.analytics import AnalyticsSettings, MetricsSettings
from streamhost.config.backup import BackupSettings
from streamhost.config.cache import CacheSettings
from streamhost.config.cdn import CdnSettings
from streamhost.config.importing import ImportSettings
from streamhost.config.moderating import ModerationSettings
from streamhost.config.notifying import NotificationSettings, WebhookSettings
from streamhost.config.playing import PlaybackSettings
from streamhost.config.plugins import ForPlugins, PluginSettings
from streamhost.config.protecting import ProtectionSettings
from streamhost.config.recommending import RecommendationSettings
from streamhost.config.reporting import ReportSettings
from streamhost.config.section import Section
from streamhost.config.serving import ServerSettings
from streamhost.config.storage import StorageSettings
from streamhost.config.trash import TrashSettings
from streamhost.model.keeping import ALWAYS, KEEP_SOURCE

MIB = 1024**2
GIB = 1024**3


class AccountSettings(Section, frozen=True):
    """Who may have an account, and how long a sign-in lasts."""

    registration: Annotated[
        Literal["closed", "invite", "open"],
        Meta(
            description="Who may register: closed: nobody, admins add users; invite: whoever has an invitation; "
            "open: everybody."
        ),
    ] = "closed"
    verify_hours: Annotated[
        float, Meta(gt=0, le=8760, description="Life of the link that verifies an e-mail address, in hours.")
    ] = 48.0
    reset_minutes: Annotated[
        float, Meta(gt=0, le=10080, description="Life of the link that sets a new password, in minutes.")
    ] = 60.0
    access_token_minutes: Annotated[
        float, Meta(gt=0, le=1440, description="Life of an API access token, in minutes.")
    ] = 15.0
    session_days: Annotated[float, Meta(gt=0, le=3650, description="Days without use after which a session ends.")] = (
        30.0
    )
    argon2_memory_kib: Annotated[int, Meta(ge=8192, description="Memory of one password hash (argon2id), in KiB.")] = (
        65536
    )
    argon2_rounds: Annotated[int, Meta(ge=1, description="Passes of one password hash (argon2id).")] = 3
    argon2_lanes: Annotated[int, Meta(ge=1, description="Lanes of one password hash (argon2id).")] = 1
    hashing_processes: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="Processes that hash passwords at once, each with one core and the memory of one hash while "
            "people sign in; 0: one for each core but one, at most 4.",
        ),
    ] = 0
    password_min_length: Annotated[int, Meta(ge=8, description="Shortest password that is accepted.")] = 10


class UploadSettings(Section, frozen=True):
    """What may come in."""

    max_size: Annotated[int, Meta(ge=1, description="Largest file, in bytes.")] = 200 * GIB
    keep_free: Annotated[
        int, Meta(ge=0, description="Bytes of disk that stay free; an upload that would use them is refused with 507.")
    ] = 2 * GIB
    expire_hours: Annotated[
        float, Meta(gt=0, le=8760, description="Hours without a new byte after which an unfinished upload is dropped.")
    ] = 72.0
    quota_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Bytes of uploaded files that each user may keep, unless an admin set another number for them; "
            "0: as many as fit.",
        ),
    ] = 0
    quota_videos: Annotated[
        int,
        Meta(
            ge=0,
            description="Videos that each user may keep, unless an admin set another number for them; 0: any number.",
        ),
    ] = 0


class MailSettings(Section, frozen=True):
    """How mail leaves: by an SMTP server, or onto the console where none is set."""

    host: Annotated[str, Meta(description="SMTP server that takes the mail; empty: mail is printed, not sent.")] = ""
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of the SMTP server; 0: the usual one, 587, 465 (tls) or 25 (none).")
    ] = 0
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(
            description="starttls: encrypt after the greeting, or send nothing; tls: from the first byte; none: never."
        ),
    ] = "starttls"
    username: Annotated[str, Meta(description="Name to sign in with at the SMTP server; empty: without.")] = ""
    password: Annotated[
        str, Meta(description="Password to sign in with at the SMTP server.", extra={"secret": True})
    ] = ""
    sender: Annotated[
        str,
        Meta(
            pattern=r"^([^@\s<>]+@[^@\s<>]+)?$",
            examples=["video@example.org"],
            description="Address that mail comes from; empty: noreply at the host of server.public_url.",
        ),
    ] = ""
    ca_file: Annotated[
        str, Meta(description="File (PEM) of authorities to trust besides the system's; for a mail server of your own.")
    ] = ""
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=300, description="How long one step of a delivery may take, in seconds.")
    ] = 20.0


class LimitSettings(Section, frozen=True):
    """How many requests one account, or one address that is not signed in, may make."""

    enabled: Annotated[bool, Meta(description="Whether requests are counted at all.")] = True
    api_per_minute: Annotated[
        int, Meta(ge=1, description="Requests to the API and to pages in a minute, unless they are of another class.")
    ] = 1200
    login_per_minute: Annotated[
        int, Meta(ge=1, description="Attempts to sign in, or to prove something else by a code or token, in a minute.")
    ] = 60
    mail_per_hour: Annotated[int, Meta(ge=1, description="Requests that make the server send a mail, in an hour.")] = 30
    uploads_per_minute: Annotated[int, Meta(ge=1, description="Uploads begun in a minute.")] = 300
    events_per_minute: Annotated[
        int, Meta(ge=1, description="Requests in which players report what they play, in a minute.")
    ] = 6000
    feeds_per_minute: Annotated[int, Meta(ge=1, description="Requests for feeds and site maps in a minute.")] = 60


class MediaSettings(Section, frozen=True):
    """How videos are made."""

    heights: Annotated[
        tuple[Annotated[int, Meta(ge=64, le=4320)], ...],
        Meta(
            min_length=1, description="Rungs of the ladder by the picture's shorter side, never larger than the source."
        ),
    ] = (1080, 720, 480, 240)
    max_height: Annotated[
        int,
        Meta(
            ge=64,
            le=4320,
            description="Tallest picture that is encoded, by its shorter side. A taller source that players take is "
            "still served as it is.",
        ),
    ] = 1080
    rates: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[1-9][0-9]{1,3}:[1-9][0-9]{4,8}$", examples=["1080:5000000"])], ...],
        Meta(
            min_length=1,
            description="Highest bit rates, as lines:bits per second, for 16:9 pictures at 30 a second; other "
            "sizes and frame rates are worked out from these.",
        ),
    ] = ("2160:16000000", "1440:9000000", "1080:5000000", "720:2800000", "480:1400000", "360:800000", "240:400000")
    max_frame_rate: Annotated[
        int, Meta(ge=10, le=120, description="Most pictures a second; of faster sources every second one is kept.")
    ] = 60
    copy_rate: Annotated[
        int,
        Meta(
            ge=0,
            description="Bits per second for each million pixels of a picture up to which a source that players take "
            "is served as it is (3000000 are always allowed); 0: every source is encoded.",
        ),
    ] = 8_000_000
    encoder: Annotated[
        Literal["auto", "hardware", "libx264", "h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox"],
        Meta(
            description="What encodes the pictures. auto: the best picture for its bits of what works here, which is "
            "libx264; hardware: the first graphics card's encoder that works; or one by name. What fails, at the start "
            "or amid a video, is done by libx264 instead, and the log and the video say so."
        ),
    ] = "auto"
    crf: Annotated[
        int, Meta(ge=0, le=51, description="Quality of x264 (constant rate factor): lower is better and larger.")
    ] = 23
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"],
        Meta(description="Speed of x264: slower makes smaller files."),
    ] = "veryfast"
    segment_seconds: Annotated[float, Meta(ge=1, le=10, description="Length of a segment, in seconds.")] = 4.0
    chunk_seconds: Annotated[
        float, Meta(ge=8, le=3600, description="Length of the stretches that are encoded as one job, in seconds.")
    ] = 60.0
    audio_bitrate: Annotated[int, Meta(ge=32_000, le=512_000, description="Bits per second of stereo AAC.")] = 128_000
    keep_source: Annotated[
        str,
        Meta(
            pattern=KEEP_SOURCE,
            examples=["days:30"],
            description="How long uploaded files are kept: always; until-ready: until every rendition stands; "
            "days:30: so many days more. Without its file a video cannot be made anew. A video may have its own "
            "rule.",
        ),
    ] = ALWAYS


class JobSettings(Section, frozen=True):
    """Background work."""

    media_workers: Annotated[
        int,
        Meta(
            ge=0,
            description="Media jobs at the same time, and as many for sound beside them; 0: one for each core.",
        ),
    ] = 0
    light_workers: Annotated[int, Meta(ge=1, description="Light jobs (mail, clean-up) at the same time.")] = 4
    child_memory: Annotated[int, Meta(ge=256 * MIB, description="Address space of one media process, in bytes.")] = (
        4 * GIB
    )
    child_cpu_seconds: Annotated[int, Meta(ge=10, description="Processor seconds that one media process may use.")] = (
        4 * 3600
    )
    child_file_size: Annotated[int, Meta(ge=1, description="Largest file one media process may write, in bytes.")] = (
        64 * GIB
    )
    child_silence_seconds: Annotated[
        float, Meta(gt=0, le=86400, description="A media process without progress for this many seconds is ended.")
    ] = 120.0
    child_nice: Annotated[
        int, Meta(ge=0, le=19, description="How far media processes step back for the server (nice value).")
    ] = 10


class ModelSettings(Section, frozen=True):
    """How models look at pictures and words."""

    threads: Annotated[int, Meta(ge=1, le=64, description="Processor threads of one screening.")] = 1
    batch: Annotated[
        int, Meta(ge=1, le=64, description="Pictures that a model looks at together; more take more memory.")
    ] = 4
    memory: Annotated[
        int,
        Meta(
            ge=512 * MIB,
            description="Address space of the process of a screening, in bytes. Libraries reserve most of it; about a "
            "tenth is in use.",
        ),
    ] = 2 * GIB
    read_pictures: Annotated[
        bool,
        Meta(
            description="Whether words are read out of pictures (OCR); needs `pip install streamhost[ocr]`. Without "
            "that, or where it fails, screenings say so."
        ),
    ] = False


class LogSettings(Section, frozen=True):
    """What the server says about itself."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least important message shown.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="console for people, json for machines; auto: by terminal."),
    ] = "auto"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set, and where the data lies."""

    data: Annotated[Path, Meta(description="Directory of the catalog, secrets, uploads and media.")]
    server: ServerSettings = ServerSettings()
    accounts: AccountSettings = AccountSettings()
    mail: MailSettings = MailSettings()
    limits: LimitSettings = LimitSettings()
    uploads: UploadSettings = UploadSettings()
    storage: StorageSettings = StorageSettings()
    imports: ImportSettings = ImportSettings()
    trash: TrashSettings = TrashSettings()
    media: MediaSettings = MediaSettings()
    jobs: JobSettings = JobSettings()
    models: ModelSettings = ModelSettings()
    moderation: ModerationSettings = ModerationSettings()
    playback: PlaybackSettings = PlaybackSettings()
    protection: ProtectionSettings = ProtectionSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    metrics: MetricsSettings = MetricsSettings()
    cdn: CdnSettings = CdnSettings()
    cache: CacheSettings = CacheSettings()
    plugins: PluginSettings = PluginSettings()
    reports: ReportSettings = ReportSettings()
    notifications: NotificationSettings = NotificationSettings()
    webhooks: WebhookSettings = WebhookSettings()
    backup: BackupSettings = BackupSettings()
    recommendations: RecommendationSettings = RecommendationSettings()
    log: LogSettings = LogSettings()
    for_plugins: ForPlugins = ForPlugins()
    file: Annotated[Path | None, Meta(description="The settings file, wherever it lies; None where there is none.")] = (
        None
    )
