"""JPEG files into the numbers that a model takes. For the child only: pictures are of unknown origin.

Pictures are scaled by Pillow, as they were when these models were trained.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from streamhost.ml.manifest import PictureInput
from streamhost.model.moderation import Frame

Floats = NDArray[np.float32]
MOST_PIXELS = 4096 * 4096
BLUR = 12.0
"""Pixels of the radius by which the background of `pad-blur` is blurred: its colours stay, its shapes go."""


class Unreadable(Exception):
    """The frame is no JPEG picture."""


def read(frame: Frame) -> Image.Image:
    """Decode a frame as RGB. Raises `Unreadable`."""
    try:
        with open(frame.path, "rb") as file:
            file.seek(frame.offset)
            content = file.read() if frame.size is None else file.read(frame.size)
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Unreadable(f"{picture.width} x {picture.height} pixels")
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable(str(error)) from error


def blank() -> Image.Image:
    """A grey picture."""
    return Image.new("RGB", (320, 180), (128, 128, 128))


def numbers(picture: Image.Image, given: PictureInput) -> Floats:
    """A picture as the model wants it, without the batch: channels first or last, as `layout` says."""
    pixels: Floats = np.asarray(fitted(picture, given), np.float32)
    if given.channels == "bgr":
        pixels = pixels[..., ::-1]
    scaled = (pixels * given.scale - np.asarray(given.mean, np.float32)) / np.asarray(given.std, np.float32)
    if given.layout == "nchw":
        scaled = scaled.transpose(2, 0, 1)
    return np.ascontiguousarray(scaled, np.float32)


def fitted(picture: Image.Image, given: PictureInput) -> Image.Image:
    """The picture at the model's size, by its `fit`."""
    size = given.width, given.height
    if given.fit == "squash":
        return _scaled(picture, *size)
    if given.fit == "crop":
        return _cropped(picture, given)
    share = min(given.width / picture.width, given.height / picture.height)
    whole = _scaled(picture, max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    if whole.size == size:
        return whole
    ground = (
        _scaled(picture, *size).filter(ImageFilter.GaussianBlur(BLUR))
        if given.fit == "pad-blur"
        else Image.new("RGB", size)
    )
    ground.paste(whole, ((given.width - whole.width) // 2, (given.height - whole.height) // 2))
    return ground


def _cropped(picture: Image.Image, given: PictureInput) -> Image.Image:
    assert given.resize is not None, "a manifest with `crop` has it"
    share = given.resize / min(picture.size)
    scaled = _scaled(picture, round(picture.width * share), round(picture.height * share))
    left, top = (scaled.width - given.width) // 2, (scaled.height - given.height) // 2
    return scaled.crop((left, top, left + given.width, top + given.height))


def _scaled(picture: Image.Image, width: int, height: int) -> Image.Image:
    return picture if picture.size == (width, height) else picture.resize((width, height), Image.Resampling.BILINEAR)
