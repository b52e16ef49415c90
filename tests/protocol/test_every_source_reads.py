"""Debian's FFmpeg reads both manifests of every class of source to the end, and has nothing to complain about."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.model.streaming import MANIFEST, MASTER_PLAYLIST
from tests.protocol.test_ffmpeg_reads import FFMPEGS, read
from tests.support.sources import SOURCES, packaged

NEEDS_THE_NEWEST = {"one picture"}
"""Debian's FFmpeg looks at no second rendition of a DASH manifest whose first has a single picture, and says so."""
STOPS_EARLY = {"slides": 4.0}
"""Seconds before the end at which it stops reading DASH: where the first rendition begins its last picture."""


@pytest.mark.parametrize("name", SOURCES)
def test_every_rendition_is_read_to_its_end(name: str, tmp_path: Path) -> None:
    """All tracks begin at 0 and end together, when the source does; and no word of warning."""
    package = packaged(name, tmp_path / "made")
    for manifest in (MASTER_PLAYLIST, MANIFEST):
        reader = "newest" if name in NEEDS_THE_NEWEST and manifest == MANIFEST else "debian"
        streams = read(FFMPEGS[reader], package / manifest)
        ends = [float(frames[-1][0] + frames[-1][1]) for frames in streams]
        assert all(frames[0][0] == 0 for frames in streams), manifest
        assert max(ends) == pytest.approx(SOURCES[name].seconds, abs=0.15), manifest
        assert max(ends) - min(ends) < (STOPS_EARLY.get(name, 0.0) if manifest == MANIFEST else 0.0) + 0.35, manifest
