"""Imported files and their folders, as the API and the command line show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.features.imports import FolderStatus, Item, Status
from streamhost.model.clock import iso
from streamhost.model.imports import ImportState, shown
from streamhost.model.videos import Failure
from streamhost.server.documents.work import ErrorDocument


@dataclass(frozen=True, slots=True)
class ImportFolderDocument:
    """A folder: whether it stands in the settings, how its newest search went, and its files by state."""

    folder: str
    watched: bool
    searched_at: str | None
    searched_until: str | None
    files: int
    news: int
    counts: Mapping[str, int]
    error: ErrorDocument | None


@dataclass(frozen=True, slots=True)
class ImportStatusDocument:
    """How imports stand: the folders, and all files by state."""

    enabled: bool
    counts: Mapping[str, int]
    folders: Sequence[ImportFolderDocument]


@dataclass(frozen=True, slots=True)
class ImportedVideo:
    """The video that a file has become: its state and progress as everywhere."""

    id: str
    title: str
    state: str
    progress: float
    error: ErrorDocument | None


@dataclass(frozen=True, slots=True)
class BesideDocument:
    """A file beside the file: `details`, `captions` or `poster`; `attached` once it counts, or `error`."""

    kind: str
    name: str
    attached: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class ImportDocument:
    """One file. `path` is null once it was moved into the storage; bytes that are no text are replaced in names.

    `waiting` says why it is not being taken in yet; `video` is null before it has become one, and once that is
    deleted."""

    id: str
    name: str
    path: str | None
    folder: str
    size: int
    state: str
    waiting: str | None
    error: ErrorDocument | None
    video: ImportedVideo | None
    policy: str | None
    beside: Sequence[BesideDocument]
    seen_at: str | None
    imported_at: str | None
    updated_at: str | None


def _error(failure: Failure | None) -> ErrorDocument | None:
    return ErrorDocument(failure.code, failure.detail, failure.hint) if failure else None


def folder_document(folder: FolderStatus) -> ImportFolderDocument:
    """The public form of a folder."""
    scan = folder.scan
    return ImportFolderDocument(
        folder=shown(scan.root),
        watched=folder.watched,
        searched_at=iso(scan.begun_at) if scan.begun_at else None,
        searched_until=iso(scan.ended_at),
        files=scan.files,
        news=scan.news,
        counts={state.value: number for state, number in folder.counts.items()},
        error=_error(scan.error),
    )


def status_document(status: Status) -> ImportStatusDocument:
    """The public form of how imports stand."""
    counts = {state.value: status.counts.get(state, 0) for state in ImportState}
    return ImportStatusDocument(status.enabled, counts, [folder_document(one) for one in status.folders])


def import_document(item: Item) -> ImportDocument:
    """The public form of a file."""
    file, video = item.file, item.video
    return ImportDocument(
        id=file.id,
        name=file.name,
        path=shown(file.path) if file.path is not None else None,
        folder=shown(file.folder),
        size=file.mark.size,
        state=file.state.value,
        waiting=item.waiting,
        error=_error(file.error),
        video=ImportedVideo(file.video_id or "", video.title, video.state, video.progress, _error(video.error))
        if video
        else None,
        policy=file.policy.value if file.policy else None,
        beside=[
            BesideDocument(one.kind.value, shown(one.name), not one.due and one.error is None, one.error)
            for one in file.sidecars
        ],
        seen_at=iso(file.created_at),
        imported_at=iso(file.imported_at),
        updated_at=iso(file.updated_at),
    )
