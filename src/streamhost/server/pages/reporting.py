"""The form by which somebody reports a video: a page, and a dialog beside the player."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.reporting import NewReport, Reporting
from streamhost.model.accounts import Viewer
from streamhost.model.errors import InvalidInput, StreamhostError, Unauthenticated
from streamhost.model.ids import VideoId
from streamhost.model.reports import Reason, place_of
from streamhost.server.auth import anyone, viewer_of
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.shapes import clock_text
from streamhost.server.reports import sender_of

AnyRequest = Request[Any, Any, Any]
REASONS = (
    (Reason.NUDITY, "Nudity or sex"),
    (Reason.VIOLENCE, "Violence or gore"),
    (Reason.HATE, "Hatred of a group of people"),
    (Reason.HARASSMENT, "Harassment or threats"),
    (Reason.CHILDREN, "A child is in danger or abused"),
    (Reason.SELF_HARM, "Suicide or self-harm"),
    (Reason.DANGER, "Dangerous acts"),
    (Reason.PRIVACY, "It shows me or somebody else without consent"),
    (Reason.COPYRIGHT, "It is somebody else's work"),
    (Reason.SPAM, "Spam or deceit"),
    (Reason.OTHER, "Something else"),
)
"""What can be chosen, in this order."""
REASON_WORDS = dict(REASONS)
CHOICES = [(reason.value, words) for reason, words in REASONS]
TYPED_PLACE = "A place such as 1:23, or nothing."


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The form beside the player. Where it is not `open`, one signs in first."""

    open: bool
    reasons: Sequence[tuple[str, str]]
    values: Texts
    errors: Texts


def report_form(reporting: Reporting, viewer: Viewer) -> ReportForm:
    """The form as it is before anything was typed."""
    return ReportForm(viewer.user is not None or reporting.anonymous, CHOICES, Texts(notify="on"), Texts())


@get("/watch/{video_id:str}/report", guards=[anyone], include_in_schema=False)
async def show_report(
    request: AnyRequest,
    video_id: FromPath[str],
    reporting: NamedDependency[Reporting],
    frame: NamedDependency[Frame],
    at: FromQuery[float | None] = None,
    done: FromQuery[str] = "",
) -> Response[Any]:
    """The form, or after it was sent a word of thanks."""
    video = await reporting.may_report(VideoId(video_id), viewer_of(request))
    place = clock_text(at) if at is not None and 0 < at < 1e6 else ""
    return _page(request, frame, video.id, video.title, form=Texts(at=place, notify="on"), sent=bool(done))


@post("/watch/{video_id:str}/report", guards=[anyone], include_in_schema=False)
async def report(
    request: AnyRequest, video_id: FromPath[str], reporting: NamedDependency[Reporting], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Take it, and say thanks."""
    form = await typed(request)
    name = VideoId(video_id)
    video = await reporting.may_report(name, viewer_of(request))
    try:
        try:
            at = place_of(form["at"])
        except ValueError:
            raise InvalidInput(fields={"at": TYPED_PLACE}) from None
        said = NewReport(form["reason"], form["text"], at, "notify" in form)
        await reporting.report(name, sender_of(request), said)
    except Unauthenticated:
        raise
    except StreamhostError as error:
        return _page(request, frame, name, video.title, form, error=error)
    return see(f"/watch/{name}/report?done=1")


def _page(
    request: AnyRequest,
    frame: Frame,
    video_id: str,
    title: str,
    form: Texts,
    *,
    error: StreamhostError | None = None,
    sent: bool = False,
) -> Response[str]:
    return frame.page(
        request,
        "report.html",
        **failing(error),
        video_id=video_id,
        title=title,
        reasons=CHOICES,
        form=form,
        sent=sent,
    )


routes = [show_report, report]
