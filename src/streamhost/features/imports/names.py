"""What a name says: whether a file is a video, and what lies beside it. Pure; names as `os.fsdecode` gives them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streamhost.model import languages
from streamhost.model.captions import LABEL_LENGTH
from streamhost.model.imports import SidecarKind, shown

_MEDIA = """
    mp4 m4v mov qt mkv webm avi wmv asf flv f4v mpg mpeg m2v vob ts mts m2ts m2t mxf ogv ogm 3gp 3g2 dv divx rm rmvb
    mp3 m4a m4b aac flac ogg oga opus wav aif aiff wma mka ac3 eac3 dts alac ape wv
"""
MEDIA = frozenset(_MEDIA.split())
"""Endings of files that are looked into; what they really are their content tells."""
_TEMPORARY = "part partial crdownload download opdownload tmp temp !qb !ut filepart aria2 swp bak"
TEMPORARY = frozenset(_TEMPORARY.split())
"""Endings of files that are being written or were put aside."""
SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "__macosx"}
)
CAPTION_ENDINGS = frozenset({"srt", "vtt"})
PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp")
PICTURE_MARKS = ("", "-poster", "-thumb", ".poster", ".thumb")
"""What may stand between a video's name and the ending of its picture."""
FOLDER_PICTURES = ("poster", "folder", "cover")
"""Pictures of a folder; they are for the video of a folder that has but one."""
DETAIL_ENDINGS = (".json", ".info.json", ".nfo")
"""In the order in which they count, the first most: our own, what yt-dlp writes, what Kodi and Jellyfin write."""
FORCED, DEFAULT, IMPAIRED = "forced", "default", frozenset({"sdh", "cc"})


class Beside(NamedTuple):
    """A file beside a video."""

    kind: SidecarKind
    name: str


class CaptionWords(NamedTuple):
    """What the name of a caption file says: its language (None: nothing), and how it is meant."""

    language: str | None
    label: str
    forced: bool
    hearing_impaired: bool
    default: bool


def ignored_folder(name: str) -> bool:
    """Whether a folder is nobody's videos: hidden ones, and those that systems keep for themselves."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def ignored_file(name: str) -> bool:
    """Whether a name is that of a hidden, temporary or backup file."""
    return name.startswith((".", "~", "#")) or name.endswith("~") or _ending(name) in TEMPORARY


def is_media(name: str) -> bool:
    """Whether a file is to be looked into."""
    return not ignored_file(name) and _ending(name) in MEDIA


def beside(names: Iterable[str]) -> dict[str, list[Beside]]:
    """The media files among the names in one folder, each with what lies beside it.

    A media file whose download is not over yet (a `.aria2` or `.part` of its own beside it) is left out."""
    known = set(names)
    media = sorted(name for name in known if is_media(name) and not known & {f"{name}.{end}" for end in TEMPORARY})
    stems = {name: name.rpartition(".")[0] for name in media}
    captions = _captions(known, stems.values())
    return {
        name: [
            *_details(known, name, stem),
            *(Beside(SidecarKind.CAPTIONS, one) for one in captions.get(stem, ())),
            *_picture(known, stem, alone=len(media) == 1),
        ]
        for name, stem in stems.items()
    }


def _details(known: set[str], name: str, stem: str) -> list[Beside]:
    for ending in DETAIL_ENDINGS:
        for whose in (stem, name):
            if whose + ending in known:
                return [Beside(SidecarKind.DETAILS, whose + ending)]
    return []


def _captions(known: set[str], stems: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Caption files by the longest stem that their names begin with."""
    of: dict[str, list[str]] = defaultdict(list)
    every = set(stems)
    for name in sorted(known):
        if _ending(name) not in CAPTION_ENDINGS or ignored_file(name):
            continue
        stem = name.rpartition(".")[0]
        while stem and stem not in every:
            stem = stem.rpartition(".")[0]
        if stem:
            of[stem].append(name)
    return of


def _picture(known: set[str], stem: str, *, alone: bool) -> list[Beside]:
    lower = {name.lower(): name for name in sorted(known, reverse=True)}
    wanted = [f"{stem}{mark}.{ending}" for mark in PICTURE_MARKS for ending in PICTURE_ENDINGS]
    if alone:
        wanted += [f"{name}.{ending}" for name in FOLDER_PICTURES for ending in PICTURE_ENDINGS]
    found = next((name for one in wanted if (name := one if one in known else lower.get(one.lower()))), None)
    return [Beside(SidecarKind.POSTER, found)] if found else []


def caption_words(media: str, caption: str) -> CaptionWords:
    """What stands between the video's name and the ending: `film.pt-BR.forced.srt`, `film.en.Director.vtt`."""
    stem = media.rpartition(".")[0]
    words = [word for word in caption.rpartition(".")[0][len(stem) :].split(".") if word]
    lower = [word.lower() for word in words]
    # `hi` is Hindi, unless a language is named besides: then it is "hearing impaired".
    spoken = [word for word in words if languages.tag(word) and word.lower() not in (FORCED, DEFAULT, *IMPAIRED)]
    if len(spoken) > 1 and "hi" in lower:
        spoken = [word for word in spoken if word.lower() != "hi"]
    language = next((word for word in spoken if _known(word)), None)
    flags = {FORCED, DEFAULT, "hi" if language and language.lower() != "hi" else "", *IMPAIRED}
    label = " ".join(shown(word) for word in words if word != language and word.lower() not in flags)
    return CaptionWords(
        language=languages.tag(language),
        label=label[:LABEL_LENGTH].strip(),
        forced=FORCED in lower,
        hearing_impaired=bool(IMPAIRED & set(lower)) or ("hi" in lower and "hi" in flags),
        default=DEFAULT in lower,
    )


def _known(word: str) -> bool:
    """Whether a word is a language that has a name: `Cut` could be a code, too."""
    tag = languages.tag(word)
    return tag is not None and languages.name(tag) != tag


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
