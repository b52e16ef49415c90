"""Names of files: what is kept of them, and what they are called as videos."""

from __future__ import annotations

import re

from streamhost.model.ids import VideoId
from streamhost.model.videos import TITLE_LENGTH, source_prefix
from streamhost.model.words import printable

NAME_LENGTH = 255
UNTITLED = "Untitled"
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,8})$")


def file_name(given: str) -> str:
    """The last part of a name as any system writes paths, without control signs."""
    last = re.split(r"[/\\]", given)[-1]
    return printable(last).strip()[:NAME_LENGTH]


def readable(name: str) -> str:
    """A title from a file name: no extension, and spaces where a name uses other signs for them."""
    text = _EXTENSION.sub("", name).replace("_", " ").replace("+", " ")
    text = re.sub(r"(?<!\d)\.(?!\s)|\.(?!\d)", " ", text)
    if " " not in text.strip():
        text = re.sub(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])", " ", text)
    text = " ".join(text.split())[:TITLE_LENGTH].strip()
    if text == text.lower():
        text = text[:1].upper() + text[1:]
    return text or UNTITLED


def source_key(video_id: VideoId, name: str) -> str:
    """Where the file is stored: a name of our own, and the extension because people and tools like to see it."""
    found = _EXTENSION.search(name)
    return f"{source_prefix(video_id)}source{'.' + found[1].lower() if found else ''}"
