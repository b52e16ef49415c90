"""Clips and packages that several tests look at, made once for all of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from streamhost.testing import clips
from tests.unit.media import workshop

MARKED = clips.Clip(seconds=12, width=320, height=180, gop=50)
"""Twelve seconds, keyframes every two, B-frames, a burst each second: borders of segments and chunks everywhere."""


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that players take as it is."""
    return clips.make(tmp_path_factory.mktemp("clips") / "marked.mp4", MARKED)


@pytest.fixture(scope="session")
def copied(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """That clip, copied, with lower rungs encoded in chunks."""
    return workshop.package(marked, tmp_path_factory.mktemp("packages") / "copied")


@pytest.fixture(scope="session")
def encoded(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """That clip, encoded in chunks."""
    return workshop.package(marked, tmp_path_factory.mktemp("packages") / "encoded", encode=True)


@pytest.fixture(scope="session")
def ntsc(tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """A clip at 30000/1001 pictures a second whose picture and sound begin at different times, encoded in chunks."""
    clip = clips.Clip(seconds=10, fps=Fraction(30000, 1001), gop=45, first_picture=Fraction(2, 100))
    folder = tmp_path_factory.mktemp("ntsc")
    return workshop.package(clips.make(folder / "ntsc.mp4", clip), folder / "package", encode=True)
