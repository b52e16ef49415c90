"""A look at every video anew, for administrators: what would change, then, if wanted, so."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.moderation import Moderation
from streamhost.model.accounts import Role
from streamhost.model.cases import Change, RunState
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import RescreenId
from streamhost.model.videos import Clearance
from streamhost.server.auth import actor_of, at_least
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.moderating import DESK, desk_page
from streamhost.server.pages.people_shapes import Moment, moment

AnyRequest = Request[Any, Any, Any]
HERE = f"{DESK}/rescreen"
GUARDS = [at_least(Role.ADMIN)]
CLEARED = {
    Clearance.OPEN: "open",
    Clearance.PENDING: "not looked at",
    Clearance.REVIEW: "waiting for a person",
    Clearance.REJECTED: "rejected",
}
STATES = {
    RunState.LOOKING: "Looking",
    RunState.LOOKED: "Looked; nothing was changed yet",
    RunState.APPLYING: "Changing",
    RunState.APPLIED: "Changed",
    RunState.CANCELLED: "Ended early",
}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run for a template. `underway`: something still happens by itself."""

    id: str
    state: str
    state_text: str
    underway: bool
    total: int
    done: int
    changed: int
    failed: int
    share: float
    begun: Moment
    by: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What a run would change, or has changed, about one video."""

    video_id: str
    title: str
    before: str
    after: str
    risk: str
    applied: bool


def _change(one: Change) -> ChangeView:
    return ChangeView(one.video_id, one.title, CLEARED[one.before], CLEARED[one.after], one.risk.value, one.applied)


@get(HERE, guards=GUARDS, include_in_schema=False)
async def show_rescreen(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """How the newest run stands, and what it found."""
    return await _page(request, moderation, frame, cursor)


@post(HERE, guards=GUARDS, include_in_schema=False)
async def steer(
    request: AnyRequest, moderation: NamedDependency[Moderation], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Begin a run, put one into effect, or end it."""
    form, room = await typed(request), moderation.rescreening
    try:
        match form["do"]:
            case "begin":
                await room.begin(actor_of(request))
            case "apply":
                await room.apply(RescreenId(form["run"]), actor_of(request))
            case "cancel":
                await room.cancel(RescreenId(form["run"]), actor_of(request))
            case _:
                raise NotFound
    except NotFound:
        raise
    except StreamhostError as error:
        return await _page(request, moderation, frame, error=error)
    return see(HERE)


async def _page(
    request: AnyRequest,
    moderation: Moderation,
    frame: Frame,
    cursor: str | None = None,
    error: StreamhostError | None = None,
) -> Response[str]:
    room = moderation.rescreening
    run = await room.newest()
    page = await room.changes(run.id, cursor) if run else None
    view = None
    if run is not None:
        view = RunView(
            run.id,
            run.state.value,
            STATES[run.state],
            run.state in (RunState.LOOKING, RunState.APPLYING),
            run.total,
            run.done,
            run.changed,
            run.failed,
            run.done / run.total if run.total else 1.0,
            moment(run.started_at),
            run.started_by,
        )
    return await desk_page(
        request,
        frame,
        moderation,
        "moderation_rescreen.html",
        **failing(error),
        run=view,
        changes=[_change(one) for one in page.items] if page else [],
        next_url=following(HERE, page.next_cursor) if page else None,
    )


routes = [show_rescreen, steer]
