"""The page of import folders: how they stand, what was imported lately, what failed and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from streamhost.features.imports import FolderStatus, ImportDesk, Imports, Item
from streamhost.features.mail import Mail
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState, shown
from streamhost.server.errors import status_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.shapes import bytes_text

AnyRequest = Request[Any, Any, Any]
IMPORTS = "/admin/imports"
NAMES = {
    ImportState.SETTLING: "Being written",
    ImportState.WAITING: "Waiting",
    ImportState.TAKING: "Being taken in",
    ImportState.IMPORTED: "Imported",
    ImportState.DUPLICATE: "Duplicate",
    ImportState.FAILED: "Failed",
    ImportState.MISSING: "Gone from its folder",
}
ICONS = {
    ImportState.SETTLING: "clock",
    ImportState.WAITING: "clock",
    ImportState.TAKING: "loader-circle",
    ImportState.IMPORTED: "circle-check",
    ImportState.DUPLICATE: "copy",
    ImportState.FAILED: "circle-x",
    ImportState.MISSING: "info",
}
STATES = [("", "Everything"), *((state.value, name) for state, name in NAMES.items())]
DONE = {
    "search": "The folders are searched now. What is found appears below.",
    "off": "Imports are switched off in the settings.",
    "retry": "It is tried again now.",
    "retry-all": "All of them are tried again now.",
    "forget": "It is forgotten.",
}
VIDEO_STATES = {"received": "waiting to be made", "processing": "being made", "failed": "its making failed"}


@dataclass(frozen=True, slots=True)
class FolderView:
    """A folder for a template."""

    name: str
    watched: bool
    searched: Moment | None
    searching: bool
    counts: str
    trouble: str
    hint: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file for a template."""

    id: str
    name: str
    folder: str
    size: str
    state: str
    state_text: str
    icon: str
    video_id: str | None
    video_title: str
    video_state: str
    about: str
    trouble: str
    hint: str
    beside: Sequence[str]
    changed: Moment
    retriable: bool


def _folder(folder: FolderStatus) -> FolderView:
    scan = folder.scan
    counts = [f"{number} {NAMES[state].lower()}" for state in ImportState if (number := folder.counts.get(state))]
    return FolderView(
        name=shown(scan.root),
        watched=folder.watched,
        searched=moment(scan.begun_at) if scan.begun_at else None,
        searching=bool(scan.begun_at) and scan.ended_at is None,
        counts=", ".join(counts),
        trouble=scan.error.detail if scan.error else "",
        hint=(scan.error.hint or "") if scan.error else "",
    )


def _file(item: Item) -> FileView:
    file, video = item.file, item.video
    gone = file.video_id is not None and file.imported_at is not None and video is None
    beside = [f"{shown(one.name)}: {one.error}" for one in file.sidecars if one.error]
    return FileView(
        id=file.id,
        name=file.name,
        folder=shown(file.folder),
        size=bytes_text(file.mark.size),
        state=file.state.value,
        state_text=NAMES[file.state],
        icon=ICONS[file.state],
        video_id=file.video_id if video else None,
        video_title=video.title if video else "",
        video_state=VIDEO_STATES.get(video.state, "") if video else "its video was deleted" if gone else "",
        about=item.waiting or "",
        trouble=file.error.detail if file.error and file.state is not ImportState.WAITING else "",
        hint=(file.error.hint or "") if file.error else "",
        beside=beside,
        changed=moment(file.updated_at),
        retriable=file.state in (ImportState.FAILED, ImportState.DUPLICATE)
        or (file.state is ImportState.WAITING and file.error is not None)
        or (gone and file.path is not None),
    )


@get(IMPORTS, guards=GUARDS, include_in_schema=False)
async def show_imports(
    request: AnyRequest,
    import_desk: NamedDependency[ImportDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    which: Annotated[str, QueryParameter(name="state")] = "",
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
) -> Response[str]:
    """The folders, and their files, those first of which there is news."""
    return await _page(request, import_desk, mail, frame, which, cursor, flash=DONE.get(done))


async def _page(
    request: AnyRequest,
    desk: ImportDesk,
    mail: Mail,
    frame: Frame,
    state: str = "",
    cursor: str | None = None,
    error: StreamhostError | None = None,
    flash: str | None = None,
) -> Response[str]:
    chosen = ImportState(state) if state in set(ImportState) else None
    status = await desk.status()
    page = await desk.listed(chosen, cursor=cursor)
    return await admin_page(
        request,
        frame,
        mail,
        "admin_imports.html",
        **failing(error),
        enabled=status.enabled,
        folders=[_folder(one) for one in status.folders],
        failed=status.counts.get(ImportState.FAILED, 0),
        files=[_file(item) for item in page.items],
        states=STATES,
        state=state,
        next_url=following(IMPORTS, page.next_cursor, state=state),
        flash=flash,
    )


@post(f"{IMPORTS}/scan", guards=GUARDS, include_in_schema=False)
async def search(imports: NamedDependency[Imports]) -> Response[Any]:
    """Search the folders now."""
    return see(f"{IMPORTS}?done={'search' if await imports.search() else 'off'}")


@post(f"{IMPORTS}/retry", guards=GUARDS, include_in_schema=False)
async def retry_all(import_desk: NamedDependency[ImportDesk]) -> Response[Any]:
    """Try everything again that failed."""
    await import_desk.retry_all()
    return see(f"{IMPORTS}?done=retry-all")


@post(f"{IMPORTS}/{{import_id:str}}", guards=GUARDS, include_in_schema=False)
async def steer(
    request: AnyRequest,
    import_id: FromPath[str],
    import_desk: NamedDependency[ImportDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Try a file again, or forget it."""
    form = await typed(request)
    done = "forget" if form["do"] == "forget" else "retry"
    try:
        if done == "forget":
            await import_desk.forget(ImportId(import_id))
        else:
            await import_desk.retry(ImportId(import_id))
    except StreamhostError as error:
        if status_of(error) == 404:
            raise
        return await _page(request, import_desk, mail, frame, form["state"], error=error)
    return see(f"{IMPORTS}?{urlencode({'state': form['state'], 'done': done})}")


routes = [show_imports, search, retry_all, steer]
