"""Files that become videos without an upload: what is known of each, and what is wished for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from streamhost.model.clock import Timestamp
from streamhost.model.ids import CaptionId, ImportId, UserId, VideoId
from streamhost.model.videos import Failure, Visibility


class Policy(StrEnum):
    """What becomes of a file in its folder when it is imported."""

    MOVE = "move"
    """It goes from there."""
    KEEP = "keep"
    """It stays, and is copied: without using space where the file system can share blocks."""
    LINK = "link"
    """It stays, and the stored file is a second name (hard link) for it."""


class ImportState(StrEnum):
    """Where a file is on its way to a video."""

    SETTLING = "settling"
    """Seen; it must stay as it is for a while, because it may still be being written."""
    WAITING = "waiting"
    """It is whole, and its turn comes; or a cause says what it waits for."""
    TAKING = "taking"
    IMPORTED = "imported"
    DUPLICATE = "duplicate"
    """A video of the same owner has just this content."""
    FAILED = "failed"
    MISSING = "missing"
    """It was imported, and is no more where it was. The video stays."""


class Mark(NamedTuple):
    """By what a file is taken for the same and unchanged without reading it: device and inode, size, time of change."""

    identity: str
    size: int
    mtime_ns: int

    def same(self, other: Mark) -> bool:
        """Whether it is still the same file. The number of a device may be another one after each start."""
        return (self.size, self.mtime_ns, self._inode) == (other.size, other.mtime_ns, other._inode)

    @property
    def _inode(self) -> str:
        return self.identity.partition(":")[2]


class SidecarKind(StrEnum):
    """What lies beside a file and says something of it."""

    DETAILS = "details"
    CAPTIONS = "captions"
    POSTER = "poster"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file beside a file: its name in that folder (as `os.fsdecode` gives it), and what was made of it.

    `done` is the mark that it had when it was last attached; `error` says why it could not be."""

    kind: SidecarKind
    name: str
    mark: str
    done: str | None = None
    caption_id: CaptionId | None = None
    error: str | None = None

    @property
    def due(self) -> bool:
        """Whether it is new, or has changed since it was attached."""
        return self.done != self.mark


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said for the files of one import; None where the settings count."""

    policy: Policy | None = None
    owner_id: UserId | None = None
    visibility: Visibility | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportFile:
    """One file that was seen. Names are bytes, as the system has them: not every name is text.

    `root` is the folder that was searched, `folder` the one it lies in; `path` is None once the file was moved away.
    `staged_key` names the place in storage while it is being brought there. `imported_at` is None until it has become a
    video; one that is not and that waits again is to take the place of that video's file."""

    id: ImportId
    root: bytes
    folder: bytes
    path: bytes | None
    name: str
    mark: Mark
    state: ImportState
    created_at: Timestamp
    updated_at: Timestamp
    fingerprint: str | None = None
    sha256: str | None = None
    error: Failure | None = None
    retry_at: Timestamp | None = None
    video_id: VideoId | None = None
    staged_key: str | None = None
    imported_at: Timestamp | None = None
    policy: Policy | None = None
    """By which it was imported."""
    sidecars: tuple[Sidecar, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)

    @property
    def owed(self) -> bool:
        """Whether something beside the video is still to be done: attach sidecars, remove what was moved."""
        left = self.policy is Policy.MOVE and self.path is not None
        return self.state is ImportState.IMPORTED and (left or any(one.due for one in self.sidecars))


@dataclass(frozen=True, slots=True)
class ImportFolder:
    """A folder that was searched, and how the newest search went. `error` says why it could not be."""

    root: bytes
    begun_at: Timestamp
    ended_at: Timestamp | None = None
    files: int = 0
    news: int = 0
    error: Failure | None = None


def shown(name: bytes | str) -> str:
    """A name or path as people see it: undecodable bytes and control signs replaced, never more than one line."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(sign if sign.isprintable() else "\u2423" for sign in text)
