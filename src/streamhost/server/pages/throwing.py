"""The list of one's own videos, what is done to many of them at once, and the trash."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.catalog import MOST, Catalog, Outcome, Trash
from streamhost.features.moderation import Moderation
from streamhost.features.playback import Playback
from streamhost.features.quota import Quotas
from streamhost.model.accounts import Viewer
from streamhost.model.clock import DAY
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.ids import VideoId, is_id
from streamhost.model.videos import Video
from streamhost.server.auth import address_of, signed_in, user_of, viewer_of
from streamhost.server.errors import status_of
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import complaint, safe_next, see
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import Moment, moment, usage_text
from streamhost.server.pages.shapes import VideoView, bytes_text, video_view
from streamhost.server.pages.studio import STUDIO, tags_of
from streamhost.server.trash import done_to_many

AnyRequest = Request[Any, Any, Any]
TRASH = f"{STUDIO}/trash"
DONE = {
    "saved": "Your changes are saved.",
    "deleted": "The video is deleted. Its files go in the background.",
    "emptied": "The trash is empty. The files go in the background.",
}
"""What a list says after something was done on another page."""
COUNTED = {
    "edit": ("1 video is changed.", "{} videos are changed."),
    "trash": ("1 video is in the trash.", "{} videos are in the trash."),
    "restore": ("1 video is back, as it was.", "{} videos are back, as they were."),
    "delete": ("1 video is deleted.", "{} videos are deleted."),
}
"""The same of several, by what was done."""


@dataclass(frozen=True, slots=True)
class TrashedView:
    """A video in the trash: since when, until when, and whether its owner has put it there."""

    video: VideoView
    owner_id: str
    since: Moment
    until: Moment
    by_owner: bool


def trashed_views(videos: Sequence[Video], viewer: Viewer, playback: Playback, keep: float) -> list[TrashedView]:
    """What lies in the trash, for a template. `keep`: seconds until it goes."""
    return [
        TrashedView(
            video=video_view(video, viewer, playback),
            owner_id=video.owner_id,
            since=moment(video.deleted_at or 0.0),
            until=moment((video.deleted_at or 0.0) + keep),
            by_owner=video.deleted_by in (None, video.owner_id),
        )
        for video in videos
    ]


def said_of(done: str, ids: str) -> tuple[str | None, list[str]]:
    """What to say of what was done, and of what the trash can be taken back."""
    if done in DONE:
        return DONE[done], []
    videos = [one for one in ids.split(".") if is_id(one)][:MOST]
    if done not in COUNTED or not videos:
        return None, []
    one, many = COUNTED[done]
    return one if len(videos) == 1 else many.format(len(videos)), videos if done == "trash" else []


@get(STUDIO, guards=[signed_in], include_in_schema=False)
async def studio(
    request: AnyRequest,
    catalog: NamedDependency[Catalog],
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    moderation: NamedDependency[Moderation],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
    ids: FromQuery[str] = "",
) -> Response[str]:
    """Everything of one's own, in every state."""
    flash, undo = said_of(done, ids)
    return await _list(request, catalog, trash, playback, moderation, frame, cursor, flash=flash, undo=undo)


async def _list(
    request: AnyRequest,
    catalog: Catalog,
    trash: Trash,
    playback: Playback,
    moderation: Moderation,
    frame: Frame,
    cursor: str | None = None,
    status: int = 200,
    **said: Any,
) -> Response[str]:
    viewer, owner = viewer_of(request), user_of(request).id
    page = await catalog.owned(owner, cursor)
    reasons = await moderation.desk.reasons([video.id for video in page.items])
    return frame.page(
        request,
        "studio.html",
        status,
        videos=[video_view(video, viewer, playback) for video in page.items],
        reasons=Texts({str(name): words for name, words in reasons.items()}),
        own_tags=await catalog.tags(owner) if page.items else [],
        trashed=bool((await trash.listed(owner, limit=1)).items),
        keeps=bool(trash.keep),
        next_url=following(STUDIO, page.next_cursor),
        **{"flash": None, "undo": [], "failed": [], "error": None, **said},
    )


@post(f"{STUDIO}/many", guards=[signed_in], include_in_schema=False)
async def many(
    request: AnyRequest,
    catalog: NamedDependency[Catalog],
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    moderation: NamedDependency[Moderation],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Do something to all the videos that are ticked."""
    form = await request.form()
    ids = [str(one) for one in form.getall("video", [])]
    said = Texts({name: value for name, value in form.items() if isinstance(value, str)})
    viewer, action = viewer_of(request), said["do"] if said["do"] in COUNTED else "edit"
    try:
        outcomes = await done_to_many(
            catalog, trash, viewer, address_of(request), ids, action, _changes(said) if action == "edit" else {}
        )
    except StreamhostError as error:
        wrong = complaint(error) or {"text": " ".join(error.fields.values()), "hint": ""}
        return await _list(request, catalog, trash, playback, moderation, frame, status=status_of(error), error=wrong)
    failed = [one for one in outcomes if one.error is not None]
    if failed:
        return await _list(
            request,
            catalog,
            trash,
            playback,
            moderation,
            frame,
            status=409,
            failed=[await _why(catalog, one) for one in failed],
            flash=said_of(action, ".".join(one.video_id for one in outcomes if one.error is None))[0],
        )
    # Where there is no trash, what was to go there is deleted.
    was = "delete" if action == "trash" and not trash.keep else action
    back = safe_next(said["next"], STUDIO)
    return see(f"{back}?{urlencode({'done': was, 'ids': '.'.join(dict.fromkeys(ids))})}")


async def _why(catalog: Catalog, outcome: Outcome) -> str:
    """Which video could not be changed, and why."""
    video = await catalog.known(outcome.video_id)
    error = outcome.error
    said = " ".join(error.fields.values()) if error and error.fields else str(error)
    return f"“{video.title}”: {said}" if video and not isinstance(error, NotFound) else said


def _changes(said: Texts) -> dict[str, Any]:
    """What the form wants of every video; a field that was left alone changes nothing."""
    changes: dict[str, Any] = {name: said[name] for name in ("visibility", "protection") if said[name]}
    changes |= {name: tags_of(said[name]) for name in ("add_tags", "remove_tags") if said[name].strip()}
    if said["allow_download"]:
        changes["allow_download"] = said["allow_download"] == "yes"
    if not changes:
        raise InvalidInput(fields={"changes": "Choose what is to change."})
    return changes


@get(TRASH, guards=[signed_in], include_in_schema=False)
async def show_trash(
    request: AnyRequest,
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    quotas: NamedDependency[Quotas],
    frame: NamedDependency[Frame],
    cursor: FromQuery[str | None] = None,
    done: FromQuery[str] = "",
    ids: FromQuery[str] = "",
) -> Response[str]:
    """What was thrown away, and can still come back."""
    viewer, user = viewer_of(request), user_of(request)
    page = await trash.listed(user.id, cursor)
    usage = await quotas.usage(user.id)
    return frame.page(
        request,
        "trash.html",
        rows=trashed_views(page.items, viewer, playback, trash.keep),
        days=f"{trash.keep / DAY:g}",
        size=bytes_text(usage.trash_bytes),
        count=usage.trash_videos,
        usage=usage_text(usage),
        next_url=following(TRASH, page.next_cursor),
        flash=said_of(done, ids)[0],
    )


@get(f"{TRASH}/empty", guards=[signed_in], include_in_schema=False)
async def confirm_empty(
    request: AnyRequest, quotas: NamedDependency[Quotas], frame: NamedDependency[Frame]
) -> Response[str]:
    """Ask once more, for browsers without script."""
    count = (await quotas.usage(user_of(request).id)).trash_videos
    return frame.page(request, "delete.html", what=TRASH, back=TRASH, count=count, video=None, keeps=False)


@post(f"{TRASH}/empty", guards=[signed_in], include_in_schema=False)
async def empty(request: AnyRequest, trash: NamedDependency[Trash]) -> Response[Any]:
    """Delete everything in the trash for good."""
    await trash.empty(user_of(request).id)
    return see(f"{TRASH}?done=emptied")


@get(f"{TRASH}/{{video_id:str}}/delete", guards=[signed_in], include_in_schema=False)
async def confirm_delete_for_good(
    request: AnyRequest,
    video_id: FromPath[str],
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
    back: FromQuery[str] = "",
) -> Response[str]:
    """Ask once more, for browsers without script."""
    video = await trash.find(VideoId(video_id), viewer_of(request))
    view = video_view(video, viewer_of(request), playback)
    return frame.page(request, "delete.html", what=TRASH, back=safe_next(back, TRASH), count=1, video=view, keeps=False)


@post(f"{TRASH}/{{video_id:str}}/delete", guards=[signed_in], include_in_schema=False)
async def delete_for_good(
    request: AnyRequest, video_id: FromPath[str], trash: NamedDependency[Trash], back: FromQuery[str] = ""
) -> Response[Any]:
    """Delete a video in the trash for good. `back`: the page that it was asked on, if not one's own trash."""
    video = await trash.find(VideoId(video_id), viewer_of(request))
    await trash.delete(video.id, viewer_of(request), address_of(request))
    return see(f"{safe_next(back, TRASH)}?done=deleted")


@get(f"{STUDIO}/{{video_id:str}}/delete", guards=[signed_in], include_in_schema=False)
async def confirm_delete(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    trash: NamedDependency[Trash],
    playback: NamedDependency[Playback],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Ask once more, for browsers without script."""
    viewer = viewer_of(request)
    view = video_view(await catalog.managed(VideoId(video_id), viewer), viewer, playback)
    days = f"{trash.keep / DAY:g}"
    return frame.page(
        request, "delete.html", what=STUDIO, back=STUDIO, count=1, video=view, keeps=bool(trash.keep), days=days
    )


@post(f"{STUDIO}/{{video_id:str}}/delete", guards=[signed_in], include_in_schema=False)
async def delete(request: AnyRequest, video_id: FromPath[str], trash: NamedDependency[Trash]) -> Response[Any]:
    """Move a video to the trash, or delete it where there is none."""
    kept = await trash.put(VideoId(video_id), viewer_of(request), address_of(request))
    return see(f"{STUDIO}?{urlencode({'done': 'trash', 'ids': video_id} if kept else {'done': 'deleted'})}")


routes = [
    studio,
    many,
    show_trash,
    confirm_empty,
    empty,
    confirm_delete_for_good,
    delete_for_good,
    confirm_delete,
    delete,
]
