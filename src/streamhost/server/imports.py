"""Imports over HTTP, for administrators: how the folders stand, what has become of each file, search and retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from streamhost.features.imports import MAX_PAGE, ImportDesk, Imports
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState
from streamhost.server.administration import changing, looking
from streamhost.server.documented import PAGED
from streamhost.server.documents.imports import ImportDocument, ImportStatusDocument, import_document, status_document

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Files on a page.")]
Which = Annotated[ImportState | None, QueryParameter(name="state", description="Only files in this state.")]


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


@get("/api/v1/admin/imports", summary="Import folders", **looking())
async def show_imports(import_desk: NamedDependency[ImportDesk]) -> ImportStatusDocument:
    """The folders whose files become videos, and how many of their files stand where."""
    return status_document(await import_desk.status())


@get("/api/v1/admin/imports/files", summary="Files of import folders", **looking(**PAGED))
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
