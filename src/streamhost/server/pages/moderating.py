"""The desk of those who moderate: what waits, one case with its evidence, decisions by form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from streamhost.features.moderation import CaseFile, Moderation
from streamhost.features.playback import Playback
from streamhost.features.reporting import Reporting
from streamhost.model.accounts import Role, User
from streamhost.model.cases import CLAIM_SECONDS, By
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import VideoId, is_id
from streamhost.model.reasons import TEMPLATES, reason_text
from streamhost.model.verdicts import Decision
from streamhost.model.videos import Protection
from streamhost.server.auth import actor_of, at_least, user_of, viewer_of
from streamhost.server.pages.browse import following
from streamhost.server.pages.case_filters import FILTERS, Asked
from streamhost.server.pages.desk_shapes import (
    ASPECTS,
    DECISIONS,
    JUDGES,
    case_view,
    gap_texts,
    look_views,
    model_views,
    nothing_text,
    picture_views,
    report_view,
    verdict_view,
    why_text,
    word_views,
)
from streamhost.server.pages.evidence_plot import strips
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.shapes import state_text, video_view

AnyRequest = Request[Any, Any, Any]
DESK = "/moderation"
GUARDS = [at_least(Role.MODERATOR)]
NEIGHBOURS = 100
"""Cases among which the next and the one before are looked for."""
DONE = {"approved": "was approved", "rejected": "was rejected", "undone": "waits again: the decision was taken back"}
NEW_FILES = {
    "taken": "The new file was approved: it takes the place of the one that plays.",
    "refused": "The new file was rejected: the one that plays stays.",
}
"""What is said after a decision about a new file; neither can be taken back."""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What was decided last on this desk, and can be taken back."""

    id: str
    text: str


@get(DESK, guards=GUARDS, include_in_schema=False)
async def show_queue(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    reporting: NamedDependency[Reporting],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    risk: FromQuery[str] = "",
    category: FromQuery[str] = "",
    cause: FromQuery[str] = "",
    who: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What waits for a person, the most urgent first."""
    asked, viewer = Asked(risk, category, cause, who), viewer_of(request)
    page = await moderation.desk.queue(asked.wanted(user_of(request)), cursor)
    counts = await reporting.counts([one.video.id for one in page.items])
    now = frame.now()
    return await desk_page(
        request,
        frame,
        moderation,
        "moderation_queue.html",
        cases=[case_view(one, counts.get(one.video.id, 0), viewer, playback, now) for one in page.items],
        chosen=asked,
        filtered=bool(asked.query),
        kept=asked.query,
        next_url=following(DESK, page.next_cursor, **asked.values()),
        **FILTERS,
    )


@get(f"{DESK}/next", guards=GUARDS, include_in_schema=False)
async def begin(request: AnyRequest, moderation: NamedDependency[Moderation]) -> Response[Any]:
    """Go to the first case that nobody else has."""
    free = await _free(moderation, user_of(request), Asked())
    return see(f"{DESK}/{free[0]}" if free else DESK)


@get(f"{DESK}/{{video_id:str}}", guards=GUARDS, include_in_schema=False)
async def show_case(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    reporting: NamedDependency[Reporting],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    risk: FromQuery[str] = "",
    category: FromQuery[str] = "",
    cause: FromQuery[str] = "",
    who: FromQuery[str] = "",
    at: FromQuery[float] = 0.0,
    old_file: FromQuery[bool] = False,
) -> Response[str]:
    """Everything that there is to decide about one video, or about the new file that waits beside it (`old_file`: about
    what plays all the same). Looking does not claim it: the page's script, or a button."""
    asked = Asked(risk, category, cause, who)
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    which = False if old_file else None
    return await _case_page(
        request, video_id, moderation, reporting, playback, frame, asked, at=max(0.0, at), new_file=which
    )


@get(f"{DESK}/{{video_id:str}}/reject", guards=GUARDS, include_in_schema=False)
async def show_reject(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    frame: NamedDependency[Frame],
    new_file: FromQuery[bool] = False,
) -> Response[str]:
    """The form for a rejection, where no script opens a dialog."""
    await moderation.desk.check(VideoId(video_id), viewer_of(request))
    file = await moderation.desk.file(VideoId(video_id), new_file=new_file)
    return await _reject_page(request, frame, moderation, file, Texts())


@post(f"{DESK}/{{video_id:str}}", guards=GUARDS, include_in_schema=False)
async def act(
    request: AnyRequest,
    video_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    reporting: NamedDependency[Reporting],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Do what the form's field `do` says."""
    form, desk, name, by = await typed(request), moderation.desk, VideoId(video_id), actor_of(request)
    of_new = bool(form["new_file"])
    await desk.check(name, viewer_of(request))
    try:
        match form["do"]:
            case "approve":
                await desk.decide(name, Decision.APPROVE, "", by, seen=form["seen"], new_file=of_new)
                return await _onward(request, moderation, name, form["onward"], "taken" if of_new else "approved")
            case "reject":
                reason = reason_text(form["template"], form["reason"])
                await desk.decide(name, Decision.REJECT, reason, by, note=form["note"], new_file=of_new)
                return await _onward(request, moderation, name, form["onward"], "refused" if of_new else "rejected")
            case "undo":
                await desk.undo(name, by)
                return see(f"{DESK}/{name}?done=undone&of={name}")
            case "claim":
                await desk.claim(name, user_of(request))
            case "release":
                await desk.release(name, user_of(request))
                return see(DESK)
            case _:
                raise NotFound
        return see(f"{DESK}/{name}")
    except NotFound:
        raise
    except StreamhostError as error:
        if form["do"] == "reject" and error.fields:
            return await _reject_page(request, frame, moderation, await desk.file(name, new_file=of_new), form, error)
        return await _case_page(
            request, video_id, moderation, reporting, playback, frame, Asked(), error=error, new_file=of_new or None
        )


@get(f"{DESK}/decided", guards=GUARDS, include_in_schema=False)
async def show_decided(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    frame: NamedDependency[Frame],
    decision: FromQuery[str] = "",
    by: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What was decided about all videos, by models and people."""
    wanted = Decision(decision) if decision in set(Decision) else None
    judge = By(by) if by in set(By) else None
    page = await moderation.desk.decisions(wanted, judge, cursor)
    titles = await moderation.desk.titles({one.video_id for one in page.items}, viewer_of(request))
    return await desk_page(
        request,
        frame,
        moderation,
        "moderation_decided.html",
        verdicts=[verdict_view(one, titles.get(one.video_id, "")) for one in page.items],
        decisions=[("", "Any"), *((one.value, words) for one, words in DECISIONS.items())],
        judges=[("", "Anybody"), *((one.value, words) for one, words in JUDGES.items())],
        chosen=Texts(decision=decision, by=by),
        next_url=following(f"{DESK}/decided", page.next_cursor, decision=decision, by=by),
    )


async def desk_page(
    request: AnyRequest,
    frame: Frame,
    moderation: Moderation,
    template: str,
    status_code: int = HTTP_200_OK,
    **values: Any,
) -> Response[str]:
    """A page of the desk: with how many videos wait, and what was done on the page before."""
    shown: dict[str, Any] = {"flash": NEW_FILES.get(request.query_params.get("done", "")), "error": None, "kept": ""}
    shown["undoable"] = await _undoable(request, moderation)
    shown["waiting"] = sum((await moderation.desk.counts()).values())
    return frame.page(request, template, status_code, **(shown | values))


async def _undoable(request: AnyRequest, moderation: Moderation) -> Undoable | None:
    """What the address says was decided on the page before, if that can be taken back."""
    done, of = request.query_params.get("done", ""), request.query_params.get("of", "")
    if done not in ("approved", "rejected") or not is_id(of):
        return None
    try:
        file = await moderation.desk.file(VideoId(of))
    except NotFound:
        return None
    last = file.standing
    if last is None or last.by is not By.PERSON or last.undone_at is not None:
        return None
    return Undoable(of, f"“{file.video.title}” {DONE[done]}.")


async def _free(moderation: Moderation, user: User, asked: Asked) -> list[VideoId]:
    """The first cases that somebody may take, in order."""
    wanted = replace(asked.wanted(user), free_for=user.id)
    return [one.video.id for one in (await moderation.desk.queue(wanted, limit=NEIGHBOURS)).items]


async def _onward(
    request: AnyRequest, moderation: Moderation, done_with: VideoId, onward: str, done: str
) -> Response[Any]:
    """After a decision go on to the next case, to that of the form if it is still there."""
    free = [one for one in await _free(moderation, user_of(request), Asked()) if one != done_with]
    nearest = onward if onward in free else free[0] if free else ""
    path = f"{DESK}/{nearest}" if nearest else DESK
    return see(f"{path}?{urlencode({'done': done, 'of': done_with})}")


async def _case_page(
    request: AnyRequest,
    video_id: str,
    moderation: Moderation,
    reporting: Reporting,
    playback: Playback,
    frame: Frame,
    asked: Asked,
    *,
    at: float = 0.0,
    error: StreamhostError | None = None,
    new_file: bool | None = None,
) -> Response[str]:
    user, viewer, now = user_of(request), viewer_of(request), frame.now()
    file = await moderation.desk.file(VideoId(video_id), new_file=new_file)
    reports = await reporting.of_video(file.video.id, viewer)
    order = await _free(moderation, user, asked)
    before, after = _neighbours(order, file.video.id)
    video, case, verdict = file.video, file.case, file.verdict
    held = case.held_by(now) if case else None
    policy = (verdict.policy if verdict else None) or await moderation.policies.get()
    last = file.standing
    # Of a new file, models saw frames from its first seconds to its last.
    duration = max((one.at for one in file.findings.frames), default=0.0) if file.new_file else video.duration or 0.0
    protection = video.protection if file.new_file else video.protection_in_use
    return await desk_page(
        request,
        frame,
        moderation,
        "moderation_case.html",
        **failing(error),
        video=video_view(video, viewer, playback),
        state_text=state_text(video),
        tags=video.tags,
        risk=(case.risk if case else last.judgement.risk if last else "unknown"),
        case=_CaseLine(why_text(case), moment(case.opened_at)) if case else None,
        holding="none" if case is None else "free" if held is None else "me" if held == user.id else "other",
        holder=case.reviewer if case and held else "",
        claimed_until=moment(case.claimed_until) if case and held and case.claimed_until else None,
        lease=CLAIM_SECONDS,
        lease_text=f"{CLAIM_SECONDS / 60:g} minutes",
        new_file=file.new_file,
        new_file_waits=file.new_file_waits,
        format="hls" if protection is Protection.AES_128 else "dash",
        at=round(at, 2),
        duration=duration,
        strips=strips(file.findings, policy.lines, duration, ASPECTS),
        pictures=picture_views(verdict, f"/api/v1/moderation/{video.id}/evidence/{verdict.id}") if verdict else [],
        texts=word_views(verdict) if verdict else [],
        looks=look_views(verdict) if verdict else [],
        gaps=gap_texts(verdict.gaps) if verdict else [],
        models=model_views(verdict) if verdict else [],
        nothing_found=nothing_text(file),
        changed=file.changed,
        version=file.version,
        history=[verdict_view(one) for one in file.history],
        may_undo=last is not None and last.by is By.PERSON and last.undone_at is None,
        reports=[report_view(one) for one in reports],
        open_reports=sum(one.closed_at is None for one in reports),
        previous=before,
        following=after,
        onward=after or before or "",
        kept=asked.query,
        templates=TEMPLATES,
        blank=Texts(),
    )


@dataclass(frozen=True, slots=True)
class _CaseLine:
    why: str
    opened: Moment


def _neighbours(order: Sequence[VideoId], here: VideoId) -> tuple[VideoId | None, VideoId | None]:
    """The case before and the one after; around one that is not in the list, the first of it comes after."""
    if here not in order:
        return None, order[0] if order else None
    place = order.index(here)
    return (order[place - 1] if place else None), (order[place + 1] if place + 1 < len(order) else None)


async def _reject_page(
    request: AnyRequest,
    frame: Frame,
    moderation: Moderation,
    file: CaseFile,
    form: Texts,
    error: StreamhostError | None = None,
) -> Response[str]:
    return await desk_page(
        request,
        frame,
        moderation,
        "moderation_reject.html",
        **failing(error),
        video_id=file.video.id,
        title=file.video.title,
        form=form,
        templates=TEMPLATES,
        onward=form["onward"],
        new_file=file.new_file,
    )


routes = [show_queue, begin, show_decided, show_case, show_reject, act]
