"""A picture that is to be a site's logo: written anew in every size that is used."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from streamhost.media import tasks
from streamhost.media.errors import NotPicture
from streamhost.media.execute import execute


def png(pixels: NDArray[np.uint8]) -> bytes:
    """The pixels as a PNG file, by somebody else's encoder."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def made(data: bytes, folder: Path) -> tuple[tasks.LogoMade, dict[str, Image.Image]]:
    """The answer, and the pictures by name."""
    (folder / "sent").write_bytes(data)
    answer = execute(tasks.ReadLogo(str(folder / "sent"), str(folder)))
    assert isinstance(answer, tasks.LogoMade)
    return answer, {name: Image.open(folder / name) for name in answer.names}


def test_every_size(tmp_path: Path) -> None:
    """The logo keeps its shape within its bounds; icons are squares with it in the middle; clear stays clear."""
    pixels = np.zeros((500, 1000, 4), np.uint8)
    pixels[100:400, 100:900] = (220, 30, 40, 255)
    answer, pictures = made(png(pixels), tmp_path)
    assert (answer.width, answer.height) == pictures["logo.png"].size == (320, 160)
    assert [pictures[name].size for name in answer.names[1:]] == [(side, side) for side in (32, 180, 192, 512)]
    large = np.asarray(pictures["icon-512.png"])
    assert tuple(large[256, 256]) == pytest.approx((220, 30, 40, 255), abs=2)
    assert (large[10, 256, 3], large[256, 2, 3]) == (0, 0)
    home = np.asarray(pictures["icon-180.png"])
    assert tuple(home[2, 2]) == (255, 255, 255, 255), "home screens get white instead"


def test_no_dark_edges(tmp_path: Path) -> None:
    """Where white fades into clear black, nothing grey comes of it."""
    pixels = np.zeros((64, 65, 4), np.uint8)
    pixels[:, :33] = 255
    _, pictures = made(png(pixels), tmp_path)
    small = np.asarray(pictures["icon-32.png"])
    seen = small[small[..., 3] > 40]
    assert seen[:, :3].min() >= 245


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"GIF89a" + bytes(40)]
)
def test_other_files(tmp_path: Path, data: bytes) -> None:
    """Nothing but PNG, JPEG and WebP is opened at all: a drawing could carry scripts."""
    with pytest.raises(NotPicture):
        made(data, tmp_path)


def test_an_extreme_shape(tmp_path: Path) -> None:
    """A line is not blown up into a giant square on the way."""
    answer, pictures = made(png(np.full((2, 8000, 4), 200, np.uint8)), tmp_path)
    assert (answer.width, answer.height) == (640, 1)
    assert pictures["icon-512.png"].size == (512, 512)
