"""Pictures become the numbers that models were trained on: compared with another way of working them out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from streamhost.ml import pictures
from streamhost.ml.manifest import PictureInput, read
from streamhost.ml.registry import KNOWN
from streamhost.model.moderation import Frame
from tests.support import stills

Floats = NDArray[np.float64]
ROUNDING = 1.01
"""Pillow rounds after each direction of scaling."""


def scaled(pixels: Floats, length: int, axis: int) -> Floats:
    """Scale one direction by a triangle as wide as the step (anti-aliased bilinear), worked out by matrices."""
    size = pixels.shape[axis]
    step = size / length
    reach = max(1.0, step)
    centres = (np.arange(length) + 0.5) * step - 0.5
    weights = np.maximum(0.0, 1 - np.abs(np.arange(size)[None, :] - centres[:, None]) / reach)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.moveaxis(np.tensordot(weights, pixels, (1, axis)), 0, axis)


def resized(pixels: Floats, width: int, height: int) -> Floats:
    """Scale a picture."""
    return scaled(scaled(pixels, width, 1), height, 0)


@pytest.fixture
def picture() -> Image.Image:
    """Soft shapes in colours, 320 x 180."""
    y, x = np.mgrid[0:180, 0:320].astype(np.float64)
    waves = [np.sin(x / 17) * 90 + 128, np.cos(y / 11 + x / 40) * 90 + 128, np.sin((x + y) / 29) * 90 + 128]
    return Image.fromarray(np.stack(waves, -1).round().astype(np.uint8))


def given_of(name: str) -> PictureInput:
    """What a known model wants."""
    found = read(KNOWN / f"{name}.toml").picture
    assert found is not None
    return found


def test_open_nsfw(picture: Image.Image) -> None:
    """The shorter side to 256, the middle 224 squares, blue first, minus the means of Caffe's training; rows first."""
    ours = pictures.numbers(picture, given_of("open-nsfw"))
    whole = resized(np.asarray(picture, np.float64), round(320 * 256 / 180), 256)
    left, top = (whole.shape[1] - 224) // 2, 16
    theirs = whole[top : top + 224, left : left + 224, ::-1] - [104.0, 117.0, 123.0]
    assert ours.shape == (224, 224, 3)
    assert np.abs(ours - theirs).max() <= ROUNDING


def test_image_safety_classifier(picture: Image.Image) -> None:
    """All of the picture in the middle, 0..255, channels first; beside it its own colours, without edges."""
    ours = pictures.numbers(picture, given_of("image-safety-classifier-s"))
    assert ours.shape == (3, 224, 224)
    theirs = resized(np.asarray(picture, np.float64), 224, 126).transpose(2, 0, 1)
    assert np.abs(ours[:, 49:175] - theirs).max() <= ROUNDING
    above = ours[:, :49]
    assert abs(above.mean() - ours.mean()) < 30
    assert np.abs(np.diff(above, axis=1)).max() < np.abs(np.diff(theirs, axis=1)).max()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (224, 224), (17, 4000)])
@pytest.mark.parametrize("fit", ["squash", "crop", "pad", "pad-blur"])
def test_any_shape(size: tuple[int, int], fit: str) -> None:
    """A picture of one colour stays so in every fit, however odd its shape; a bar at its side may be black."""
    base = msgspec.to_builtins(given_of("open-nsfw")) | {"fit": fit, "resize": 256 if fit == "crop" else None}
    given = msgspec.convert(base | {"mean": (0, 0, 0)}, PictureInput)
    found = pictures.numbers(Image.new("RGB", size, (200, 100, 50)), given)
    assert found.shape == (224, 224, 3)
    assert set(np.unique(found)) <= {200.0, 100.0, 50.0, 0.0}


def test_frames_in_one_file(tmp_path: Path) -> None:
    """A frame is read from its place in a file of many."""
    frames = stills.pack(tmp_path / "frames.jpgs", [(0, (250, 0, 0)), (1, (0, 0, 250))])
    colours = [np.asarray(pictures.read(frame)).mean(axis=(0, 1)).round(-1).tolist() for frame in frames]
    assert colours == [[250, 0, 0], [0, 0, 250]]
    last = Frame(1, frames[1].path, frames[1].offset)
    assert pictures.read(last).size == stills.SIZE


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_jpeg(tmp_path: Path, content: bytes) -> None:
    """Anything but a JPEG picture is unreadable, whatever else a library could make of it."""
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(pictures.Unreadable):
        pictures.read(Frame(0, str(tmp_path / "x")))
    with pytest.raises(pictures.Unreadable):
        pictures.read(Frame(0, str(tmp_path / "missing")))


def test_half_a_picture(tmp_path: Path) -> None:
    """A picture that is cut off is unreadable, not half grey."""
    content = stills.jpeg(Image.effect_noise((200, 200), 80))
    (tmp_path / "x").write_bytes(content[: len(content) // 2])
    with pytest.raises(pictures.Unreadable):
        pictures.read(Frame(0, str(tmp_path / "x")))
