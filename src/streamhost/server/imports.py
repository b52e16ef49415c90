"""Imports over HTTP, for administrators: how the folders stand, what has become of each file, search and retry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from streamhost.features.imports import MAX_PAGE, FolderStatus, ImportDesk, Imports, Item, Status
from streamhost.model.clock import iso
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState, shown
from streamhost.model.videos import Failure
from streamhost.server.administration import changing, looking
from streamhost.server.videos import ErrorDocument

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Files on a page.")]
Which = Annotated[ImportState | None, QueryParameter(name="state", description="Only files in this state.")]


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


@dataclass(frozen=True, slots=True)
class ImportList:
    """One page of files, newest news first; `next_cursor` asks for the next one."""

    items: Sequence[ImportDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """Whether a search was ordered; it is not where imports are switched off."""

    searching: bool


@dataclass(frozen=True, slots=True)
class RetriedImports:
    """How many files are tried again."""

    retried: int


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


@get("/api/v1/admin/imports", summary="Import folders", **looking())
async def show_imports(import_desk: NamedDependency[ImportDesk]) -> ImportStatusDocument:
    """The folders whose files become videos, and how many of their files stand where."""
    return status_document(await import_desk.status())


@get("/api/v1/admin/imports/files", summary="Files of import folders", **looking(invalid_input=422))
async def list_imports(
    import_desk: NamedDependency[ImportDesk],
    which: Which = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> ImportList:
    """Files, those first of which there is news; with `state=failed` those that need a look."""
    page = await import_desk.listed(which, None, cursor, limit)
    return ImportList([import_document(item) for item in page.items], page.next_cursor)


@post("/api/v1/admin/imports/scan", status_code=HTTP_202_ACCEPTED, summary="Search the folders now", **changing())
async def search_imports(imports: NamedDependency[Imports]) -> Search:
    """By a job; what it finds shows in the list."""
    return Search(await imports.search())


@post("/api/v1/admin/imports/retry", status_code=HTTP_200_OK, summary="Try all failed files again", **changing())
async def retry_imports(import_desk: NamedDependency[ImportDesk]) -> RetriedImports:
    """Those that failed, and those that wait for something, such as room."""
    return RetriedImports(await import_desk.retry_all())


@post(
    "/api/v1/admin/imports/files/{import_id:str}/retry",
    status_code=HTTP_200_OK,
    summary="Take a file in again",
    **changing(import_not_found=404, import_not_retriable=409),
)
async def retry_import(import_id: FromPath[str], import_desk: NamedDependency[ImportDesk]) -> ImportDocument:
    """One that failed, waits, or is a duplicate, or whose video was deleted."""
    return import_document(await import_desk.retry(ImportId(import_id)))


@delete("/api/v1/admin/imports/files/{import_id:str}", summary="Forget a file", **changing(import_not_found=404))
async def forget_import(import_id: FromPath[str], import_desk: NamedDependency[ImportDesk]) -> None:
    """Its video stays. A file that still lies in a watched folder is met as a new one."""
    await import_desk.forget(ImportId(import_id))


routes: list[Any] = [show_imports, list_imports, search_imports, retry_imports, retry_import, forget_import]
