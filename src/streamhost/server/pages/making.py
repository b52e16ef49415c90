"""Pages about the making of videos: stopping and retrying it, files to keep and take along, and every job."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from streamhost.config import Settings
from streamhost.features.catalog import Catalog
from streamhost.features.mail import Mail
from streamhost.features.playback import Playback
from streamhost.features.transcoding import Action, Coming, Control, Downloads
from streamhost.features.work import Act, State, Work
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import JobId, VideoId
from streamhost.model.keeping import ALWAYS, UNTIL_READY
from streamhost.model.videos import REVIEWING, Video
from streamhost.server.auth import address_of, anyone, signed_in, viewer_of
from streamhost.server.errors import status_of
from streamhost.server.files import MP4, sent
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import failing, safe_next, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.job_shapes import job_view
from streamhost.server.pages.shapes import bytes_text, video_view
from streamhost.server.pages.studio import STUDIO

AnyRequest = Request[Any, Any, Any]
JOBS = "/admin/jobs"
DAYS = "days:"
JOB_DONE = {"done": "Done. What runs is told at once; the list follows."}
STATES = [("", "Everything"), *((state.value, state.value.capitalize()) for state in State)]


@get(JOBS, guards=GUARDS, include_in_schema=False)
async def show_jobs(
    request: AnyRequest,
    work: NamedDependency[Work],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    which: Annotated[str, QueryParameter(name="state")] = "",
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
) -> Response[str]:
    """Every job, newest first, and what can be done with it."""
    return await _jobs_page(request, work, mail, frame, which, cursor, flash=JOB_DONE.get(done))


async def _jobs_page(
    request: AnyRequest,
    work: Work,
    mail: Mail,
    frame: Frame,
    state: str = "",
    cursor: str | None = None,
    error: StreamhostError | None = None,
    flash: str | None = None,
) -> Response[str]:
    chosen = State(state) if state in set(State) else None
    page = await work.listed(chosen, cursor=cursor)
    return await admin_page(
        request,
        frame,
        mail,
        "admin_jobs.html",
        **failing(error),
        jobs=[job_view(item) for item in page.items],
        states=STATES,
        state=state,
        next_url=following(JOBS, page.next_cursor, state=state),
        flash=flash,
    )


@post(f"{JOBS}/{{job_id:str}}", guards=GUARDS, include_in_schema=False)
async def steer_job(
    request: AnyRequest,
    job_id: FromPath[str],
    work: NamedDependency[Work],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Pause, resume, cancel, retry or prioritise a job."""
    form = await typed(request)
    try:
        if form["do"] not in set(Act):
            raise InvalidInput(fields={"do": "There is no such action."})
        await work.act(JobId(job_id), Act(form["do"]), _number(form["priority"]))
    except StreamhostError as error:
        if status_of(error) == 404:
            raise
        return await _jobs_page(request, work, mail, frame, form["state"], error=error)
    return see(f"{JOBS}?{urlencode({'state': form['state'], 'done': 'done'})}")


def _number(text: str) -> int | None:
    text = text.strip()
    bare = text.removeprefix("-")
    return int(text) if bare.isascii() and bare.isdigit() and len(bare) <= 4 else None


@post(f"{STUDIO}/{{video_id:str}}/processing", guards=[signed_in], include_in_schema=False)
async def steer_video(request: AnyRequest, video_id: FromPath[str], control: NamedDependency[Control]) -> Response[Any]:
    """Pause, resume, cancel or retry the making of a video."""
    form = await typed(request)
    if form["do"] not in (Action.PAUSE, Action.RESUME, Action.CANCEL, Action.RETRY):
        raise InvalidInput(fields={"do": "There is no such action."})
    await control.act(VideoId(video_id), viewer_of(request), Action(form["do"]))
    return see(safe_next(form["next"], STUDIO))


@get(f"{STUDIO}/{{video_id:str}}/file", guards=[signed_in], include_in_schema=False)
async def show_file(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    settings: NamedDependency[Settings],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The uploaded file, how long it is kept, and whether viewers may take the video along."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    return _file_page(request, video, playback, frame, settings, saved=done == "saved")


def _file_page(
    request: AnyRequest,
    video: Video,
    playback: Playback,
    frame: Frame,
    settings: Settings,
    error: StreamhostError | None = None,
    saved: bool = False,
) -> Response[str]:
    viewer = viewer_of(request)
    rule = video.keep_source or ""
    return frame.page(
        request,
        "file.html",
        **failing(error),
        video=video_view(video, viewer, playback),
        source_name=video.source_name,
        source_kept=video.source_key is not None,
        source_size=bytes_text(video.source_size),
        mine=video.owner_id == viewer.id,
        coming=video.replacement is not None and video.replacement.moving,
        held=video.replacement is not None and video.replacement.step == REVIEWING,
        not_taken=video.replacement.error if video.replacement else None,
        allow_download=video.allow_download,
        rule=DAYS if rule.startswith(DAYS) else rule,
        days=rule.removeprefix(DAYS) if rule.startswith(DAYS) else "30",
        rules=[
            ("", f"As the site does ({_rule_text(settings.media.keep_source)})"),
            (ALWAYS, "For ever"),
            (UNTIL_READY, "Until the video is ready"),
            (DAYS, "For some days after it became ready"),
        ],
        flash="Your changes are saved." if saved else None,
    )


def _rule_text(rule: str) -> str:
    if rule.startswith(DAYS):
        return f"{rule.removeprefix(DAYS)} days"
    return "for ever" if rule == ALWAYS else "until the video is ready"


@post(f"{STUDIO}/{{video_id:str}}/file", guards=[signed_in], include_in_schema=False)
async def save_file(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Save how long the file is kept, and whether viewers may take the video along."""
    form = await typed(request)
    rule = f"{DAYS}{form['days'].strip()}" if form["rule"] == DAYS else form["rule"]
    changes = {"keep_source": rule, "allow_download": form["allow_download"] == "on"}
    viewer = viewer_of(request)
    try:
        await catalog.edit(VideoId(video_id), viewer, changes, address_of(request))
    except InvalidInput as error:
        video = await catalog.managed(VideoId(video_id), viewer)
        return _file_page(request, video, playback, frame, settings, error)
    return see(f"{STUDIO}/{video_id}/file?done=saved")


@get("/watch/{video_id:str}/download", guards=[anyone], include_in_schema=False)
async def download(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    rendition: FromQuery[str | None] = None,
) -> Response[Any]:
    """The video as one file; while that is being put together, a page that comes back to it by itself."""
    viewer = viewer_of(request)
    video = await catalog.get(VideoId(video_id), viewer)
    found = await downloads.rendition(video, viewer, rendition)
    if not isinstance(found, Coming):
        return sent(request, downloads, found, MP4)
    view = video_view(video, viewer, playback)
    page = frame.page(request, "download.html", video=view, progress=round(found.progress, 3))
    page.headers["Refresh"] = str(round(found.retry_after))
    return page


routes = [show_jobs, steer_job, steer_video, show_file, save_file, download]
