"""What an earlier stream left in a folder that another one now fills: files of our names that nobody names any more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from streamhost.model.stills import STORYBOARD, STORYBOARD_TRACK, Storyboard, sheet_name
from streamhost.model.streaming import (
    CAPTIONS_FILE,
    CAPTIONS_FOLDER,
    IFRAME_PLAYLIST,
    INIT_SEGMENT,
    MANIFEST,
    MASTER_PLAYLIST,
    MEDIA_PLAYLIST,
    POSTER,
    Rendition,
    segment_name,
)


def _one_of(*names: str) -> str:
    return "|".join(map(re.escape, names))


_OURS = re.compile(
    "|".join(
        (
            _one_of(MASTER_PLAYLIST, MANIFEST, POSTER, STORYBOARD_TRACK),
            rf"(v\d+|a-[A-Za-z0-9-]+)/(\d+\.m4s|{_one_of(INIT_SEGMENT, MEDIA_PLAYLIST, IFRAME_PLAYLIST)})",
            rf"{CAPTIONS_FOLDER}/s\d+/({_one_of(CAPTIONS_FILE, MEDIA_PLAYLIST)})",
            rf"{STORYBOARD}/(\d+\.jpg|{_one_of(MEDIA_PLAYLIST, IFRAME_PLAYLIST)})",
        )
    )
)
"""Every name, below the folder, under which a stream has a file."""


def media_files(renditions: Iterable[Rendition], storyboard: Storyboard | None) -> set[str]:
    """The files that manifests name, by relative path, without captions and the manifests themselves."""
    found = {
        f"{r.name}/{name}" for r in renditions for name in (INIT_SEGMENT, *(segment_name(s.start) for s in r.segments))
    }
    sheets = range(1, len(storyboard.sizes) + 1) if storyboard else ()
    return found | {f"{STORYBOARD}/{sheet_name(number)}" for number in sheets}


def sweep(out: Path, kept: set[str]) -> None:
    """Remove from the folder `out` whatever has a stream's file name, unless its relative path is in `kept`.

    Files with other names, and links, are somebody else's and stay; folders go only once they are empty."""
    emptied: set[Path] = set()
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if name in kept or path.is_symlink() or not path.is_file():
            continue
        if _OURS.fullmatch(name):
            path.unlink()
            emptied |= {parent for parent in path.parents if parent.is_relative_to(out) and parent != out}
    for folder in sorted(emptied, key=lambda one: len(one.parts), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
