"""The parts of the edit page about words: captions and chapters, which also have a page beside the player."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.config import Settings
from streamhost.features.captions import Captions
from streamhost.features.catalog import Catalog
from streamhost.features.playback import Playback
from streamhost.features.syndication.entries import watch_url
from streamhost.model import languages
from streamhost.model.captions import LABEL_LENGTH, Caption, Origin
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import CaptionId, VideoId
from streamhost.model.videos import ChapterMark, Video
from streamhost.server.auth import address_of, signed_in, viewer_of
from streamhost.server.home import home_of
from streamhost.server.pages.forms import see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.player_shapes import stream_view
from streamhost.server.pages.shapes import clock_text, video_view
from streamhost.server.pages.watching import format_of

AnyRequest = Request[Any, Any, Any]
STUDIO = "/studio"
PAGE = f"{STUDIO}/{{video_id:str}}"
ONE = f"{PAGE}/captions/{{caption_id:str}}"
_LINE = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?[ \t]+(.*)")


@dataclass(frozen=True, slots=True)
class CaptionView:
    """One caption track in the list."""

    id: str
    label: str
    language: str
    facts: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class WordsView:
    """What the edit page shows of captions and chapters; `chapters` as one line each, `error` about them."""

    captions: Sequence[CaptionView]
    chapters: str
    error: str
    saved: bool
    languages: Sequence[tuple[str, str]]
    label_length: int = LABEL_LENGTH


async def words_view(
    video: Video, captions: Captions, chapters: str | None = None, error: str = "", *, saved: bool = False
) -> WordsView:
    """Everything for these parts; `chapters` is what somebody typed, if that is not what is stored. `saved`: they have
    just been written."""
    text = chapters_text(video.chapters) if chapters is None else chapters
    known = sorted(languages.known(), key=lambda language: language[1].casefold())
    return WordsView([_view(one) for one in await captions.of(video)], text, error, saved, known)


def _view(caption: Caption) -> CaptionView:
    name = languages.name(caption.language)
    facts = [
        "" if name == caption.label or caption.language == languages.UNKNOWN else name,
        "out of the file" if caption.origin is Origin.FILE else "uploaded",
        "for what is said in another language" if caption.forced else "",
        "with sounds in words" if caption.hearing_impaired else "",
        "shown by default" if caption.is_default else "",
        "" if caption.package_id else "not in the player yet",
    ]
    said = ", ".join(fact for fact in facts if fact)
    return CaptionView(caption.id, caption.label, caption.language, said, caption.is_default)


def chapters_text(chapters: Sequence[ChapterMark]) -> str:
    """Chapters as people write them: `1:23 Title`, one a line."""
    return "\n".join(f"{_clock(mark.start)} {mark.title}" for mark in chapters)


def _clock(seconds: float) -> str:
    rest = f"{seconds % 1:.3f}".removeprefix("0").rstrip("0").rstrip(".")
    return clock_text(seconds) + rest


def chapters_of(text: str) -> list[dict[str, object]]:
    """What somebody wrote, one chapter a line. Raises `InvalidInput` naming the line that is none."""
    chapters: list[dict[str, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise InvalidInput(fields={"chapters": f"Line {number} does not begin with a time, such as 1:23 Title."})
        hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
        if seconds > 59 or (found[1] and minutes > 59):
            raise InvalidInput(fields={"chapters": f"Line {number}: there are 60 minutes and 60 seconds."})
        start = (hours * 60 + minutes) * 60 + seconds + int((found[4] or "0").ljust(3, "0")) / 1000
        chapters.append({"start": start, "title": found[5]})
    return chapters


@get(f"{PAGE}/chapters", guards=[signed_in], include_in_schema=False)
async def show_chapters(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    captions: NamedDependency[Captions],
    playback: NamedDependency[Playback],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """The chapters beside the player, so that one can begin where it stands."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    return await _beside_player(request, video, await words_view(video, captions), playback, settings, frame)


@post(f"{PAGE}/chapters", guards=[signed_in], include_in_schema=False)
async def write_chapters(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    captions: NamedDependency[Captions],
    playback: NamedDependency[Playback],
    settings: NamedDependency[Settings],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Save the chapters as they were written."""
    text = (await typed(request))["chapters"].replace("\r\n", "\n")
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    try:
        await catalog.edit(video.id, viewer_of(request), {"chapters": chapters_of(text)}, address_of(request))
    except InvalidInput as error:
        words = await words_view(video, captions, text, error.fields.get("chapters", str(error)))
        return await _beside_player(request, video, words, playback, settings, frame, 422)
    return see(f"{STUDIO}/{video_id}?done=chapters#chapters")


async def _beside_player(
    request: AnyRequest,
    video: Video,
    words: WordsView,
    playback: Playback,
    settings: Settings,
    frame: Frame,
    status: int = 200,
) -> Response[str]:
    viewer = viewer_of(request)
    return frame.page(
        request,
        "chapters.html",
        status,
        video=video_view(video, viewer, playback),
        words=words,
        format=format_of(video),
        stream=await stream_view(video, viewer, playback),
        address=watch_url(home_of(request, settings), video.id),
        embedded="beside",
    )


@post(ONE, guards=[signed_in], include_in_schema=False)
async def change_captions(
    request: AnyRequest, video_id: FromPath[str], caption_id: FromPath[str], captions: NamedDependency[Captions]
) -> Response[Any]:
    """Make captions those that are shown by default, or not any more."""
    changes = {"default": (await typed(request))["default"]}
    await captions.edit(VideoId(video_id), CaptionId(caption_id), viewer_of(request), changes)
    return see(f"{STUDIO}/{video_id}#captions")


@post(f"{ONE}/delete", guards=[signed_in], include_in_schema=False)
async def delete_captions(
    request: AnyRequest, video_id: FromPath[str], caption_id: FromPath[str], captions: NamedDependency[Captions]
) -> Response[Any]:
    """Remove captions."""
    await captions.delete(VideoId(video_id), CaptionId(caption_id), viewer_of(request))
    return see(f"{STUDIO}/{video_id}#captions")


routes = [show_chapters, write_chapters, change_captions, delete_captions]
