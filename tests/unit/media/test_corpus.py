"""Every file of the corpus, sent the whole way through a media child with limits: a package, or an error that tells."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streamhost import sandbox
from streamhost.media.errors import MediaError, TaskFailed
from streamhost.media.run import CHILD
from streamhost.model.errors import known_errors
from streamhost.sandbox_nursery import AVAILABLE, Nursery
from streamhost.sandbox_process import Start
from tests.support import broken, mutants

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
LIMITS = sandbox.Limits(
    memory=2048 * sandbox.MIB, cpu_seconds=120, file_size=256 * sandbox.MIB, silence_seconds=300, nice=0
)
"""What a file may cost is counted in processor time: how long that takes is a matter of who else wants it."""
KNOWN = frozenset(kind.code for kind in known_errors() if issubclass(kind, MediaError)) - {TaskFailed.code}
"""Codes that say what is wrong with a file, and whose hint says what its owner can do."""
REFUSED = {
    **dict.fromkeys(broken.OTHERS, frozenset({"not_media", "no_tracks"})),
    "65535 square.y4m": {"picture_too_large", "not_media"},
    "20000 square.mkv": {"picture_too_large"},
    "65535 square.gif": {"picture_too_large", "damaged_source"},
    "no index.mp4": {"damaged_source"},
    "pictures of a day.mp4": {"too_long"},
    "fragments far away.mp4": {"too_long"},
    "a reference.mov": {"not_media", "no_tracks"},
}
"""What must be refused, and with which codes; the others may also play as far as they go."""
PLAYS = {"one pixel.y4m", "half.webm", "half.ts", "half.mp4", "two films.webm",
         "a film and a song.ts", "a hundred megabytes of words.mp4"}  # fmt: skip
"""What must play."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start() -> AsyncIterator[Start | None]:
    """How children are started, as the server does; they find the module that goes the whole way."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "path", [str(mutants.HERE), *sys.path])
        nursery = Nursery([CHILD, "whole_way"])
        yield nursery.start if AVAILABLE else None
        await nursery.close()


@pytest.mark.parametrize("name", broken.CORPUS)
async def test_it_ends_well(name: str, start: Start | None, tmp_path: Path) -> None:
    """In a package without gaps or in an error with a code and a hint, within its limits, writing nothing elsewhere."""
    source = tmp_path / name
    source.write_bytes(broken.CORPUS[name]())
    out = tmp_path / "out"
    out.mkdir()
    outcome, detail = "", ""
    try:
        request = {"source": str(source), "out": str(out)}
        result = await sandbox.run(
            "whole_way", request, limits=LIMITS, on_message=lambda _: None,
            readable=[source, mutants.HERE], writable=out, start=start,
        )  # fmt: skip
        outcome = "plays"
        assert result["renditions"]
        assert not result["gaps"]
    except sandbox.ChildError as error:
        outcome, detail = error.code, str(error)
        assert error.hint
        assert outcome in KNOWN, detail
        assert str(tmp_path) not in detail
    assert outcome in REFUSED.get(name, KNOWN | {"plays"}), detail
    if name in PLAYS:
        assert outcome == "plays", detail
    assert {path.name for path in tmp_path.iterdir()} == {name, "out"}
