"""Which stored objects the catalog knows of: what must be there, and what may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId, VideoId

VIDEOS, STILLS = "videos", "stills"
"""The two folders at the top of a storage below which everything belongs to a video."""
EVIDENCE = "evidence"
"""The folder of what spoke against videos, which outlives them: its room lets it go when its time is up."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the catalog says of one video's objects. `files` must be there, of this size where it is known; whatever
    lies below `prefixes` may be."""

    files: Mapping[str, int | None] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()

    def claims(self, key: str) -> bool:
        """Whether an object belongs to the video as it stands."""
        return key in self.files or key.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Owned:
    """A video and whose it is, for accounts of what is stored."""

    id: VideoId
    title: str
    owner_id: UserId
    owner_email: str
    in_trash: bool = False


@dataclass(frozen=True, slots=True)
class Orphan:
    """An object that no row of the catalog names."""

    key: str
    size: int
    modified: Timestamp


@dataclass(frozen=True, slots=True)
class Loss:
    """An object that a row names and that is not there (`found` is None), or has another size than it had."""

    key: str
    video_id: VideoId
    expected: int | None
    found: int | None


@dataclass(slots=True)
class Findings:
    """What a look through the whole storage has found. `recent`: objects without a row that are younger than a day,
    such as a file that is just becoming a video. `strange`: objects that are not this program's."""

    objects: int = 0
    size: int = 0
    orphans: list[Orphan] = field(default_factory=list)
    recent: int = 0
    strange: int = 0
    losses: list[Loss] = field(default_factory=list)


@dataclass(slots=True)
class Usage:
    """What one video has stored, in bytes: the uploaded file, streams, and everything else."""

    video: Owned | None
    objects: int = 0
    source: int = 0
    streams: int = 0
    other: int = 0

    @property
    def size(self) -> int:
        """All of it."""
        return self.source + self.streams + self.other


@dataclass(slots=True)
class Kinds:
    """Bytes by kind: uploaded files, streams, and everything else."""

    source: int = 0
    streams: int = 0
    other: int = 0

    @property
    def size(self) -> int:
        """All of it."""
        return self.source + self.streams + self.other

    def __iadd__(self, more: Kinds) -> Kinds:
        self.source += more.source
        self.streams += more.streams
        self.other += more.other
        return self


@dataclass(slots=True)
class OwnerUse:
    """What the videos of one account have stored."""

    id: str
    email: str
    videos: int = 0
    kinds: Kinds = field(default_factory=Kinds)


@dataclass(slots=True)
class VideoUse:
    """What one video has stored, in bytes."""

    id: str
    title: str
    owner: str
    size: int
    in_trash: bool


@dataclass(slots=True)
class StorageCount:
    """What was found when everything that is stored was counted. `owners` and `largest` name those with the most."""

    counted_at: Timestamp = 0.0
    objects: int = 0
    kinds: Kinds = field(default_factory=Kinds)
    owners: list[OwnerUse] = field(default_factory=list)
    largest: list[VideoUse] = field(default_factory=list)
    trash: int = 0
    trash_bytes: int = 0
    unowned_bytes: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    missing: int = 0

    @property
    def size(self) -> int:
        """All of it, in bytes."""
        return self.kinds.size


@dataclass(frozen=True, slots=True)
class FolderSize:
    """A folder or file of the data directory, and the bytes in it."""

    name: str
    size: int
