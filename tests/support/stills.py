"""Frames as screening gets them: JPEG pictures one after the other in a file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from streamhost.model.moderation import Frame

SIZE = (64, 36)
Colour = tuple[int, int, int]


def jpeg(picture: Image.Image) -> bytes:
    """A picture as a JPEG file without visible loss."""
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def together(path: Path, pictures: Iterable[tuple[float, bytes]]) -> tuple[Frame, ...]:
    """Write files one after the other into one; each with its time."""
    frames: list[Frame] = []
    place = 0
    with path.open("wb") as file:
        for at, content in pictures:
            file.write(content)
            frames.append(Frame(at, str(path), place, len(content)))
            place += len(content)
    return tuple(frames)


def pack(path: Path, colours: Sequence[tuple[float, Colour]]) -> tuple[Frame, ...]:
    """Plain pictures at these times."""
    return together(path, [(at, jpeg(Image.new("RGB", SIZE, colour))) for at, colour in colours])
