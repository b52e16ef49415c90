"""What the child that runs models is asked, and what it answers. Plain data; importing this costs nothing."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from streamhost.ml.manifest import Manifest
from streamhost.model.moderation import Frame, Span, Text

READING = "reading"
"""The step in which words are read out of pictures, in the place of a model's id."""
UNREADABLE = "frame_unreadable"
"""Code of the gap that a picture leaves which cannot be decoded."""


class ModelFile(Struct, frozen=True):
    """A model to run: its description and where its file lies."""

    manifest: Manifest
    path: str


class Rules(Struct, frozen=True):
    """How to run models: processor threads of one, pictures at once; whether words are read out of pictures."""

    threads: int = 1
    batch: int = 4
    read_pictures: bool = False


class Work(Struct, frozen=True):
    """A screening: every model looks at what concerns it, one after the other."""

    models: tuple[ModelFile, ...]
    frames: tuple[Frame, ...] = ()
    texts: tuple[Text, ...] = ()
    legible: tuple[Frame, ...] = ()
    rules: Rules = Rules()
    trial: bool = False
    """Instead of all that, let each model look at something empty, and tell how long that takes."""


class Looked(Struct, frozen=True):
    """What one model said: a row for each frame or text, a number for each of the manifest's `counts`.

    `spans` has a row for each text. Frames that are no JPEG picture have an empty row."""

    model: str
    rows: tuple[tuple[float, ...], ...]
    spans: tuple[tuple[Span, ...], ...] = ()


class Tried(Struct, frozen=True):
    """A model that works, and how many milliseconds a look takes."""

    model: str
    milliseconds: float


class Failed(Struct, frozen=True):
    """A model, or the reading of words (`model` is empty), that did not do its part, and why."""

    model: str
    code: str
    detail: str = ""


def plain(value: object) -> Any:
    """As dicts, lists, strings and numbers, for JSON."""
    return msgspec.to_builtins(value)
