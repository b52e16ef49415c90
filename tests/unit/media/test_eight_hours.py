"""Eight hours: copied and planned in little memory, with manifests of bearable size, each chunk found by seeking."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamhost import sandbox
from streamhost.media import dash, hls, ladder, tasks, timeline, wire
from streamhost.media.run import run_task
from streamhost.model.streaming import MediaInfo, Plan
from streamhost.testing import clips
from streamhost.testing.clips import Clip
from tests.unit.media.content import looped

pytestmark = pytest.mark.slow
HOURS = 8
SECONDS = HOURS * 3600
LOOP = Clip(seconds=8, fps=Fraction(5), gop=10, width=96, height=54, b_frames=0, sample_rate=24_000, layout="mono")
LIMITS = sandbox.Limits(memory=768 * sandbox.MIB, silence_seconds=300, nice=0)
"""Address space of the child, libraries included: an hour's worth of anything kept would not fit twice."""
ONE_MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same eight seconds, over and over."""
    folder = tmp_path_factory.mktemp("eight")
    return looped(clips.make(folder / "loop.mp4", LOOP), folder / "eight.mp4", SECONDS)


async def do(task: tasks.Task, out: Path) -> tasks.Answer:
    """Run a task in a child."""
    return await run_task(task, lambda _share, _step: None, out, LIMITS)


async def test_it_is_copied(film: Path, tmp_path: Path) -> None:
    """Sound and picture become segments of usual length to the end; the manifests stay below a megabyte."""
    found = await do(tasks.Probe(str(film)), tmp_path)
    assert isinstance(found, MediaInfo)
    assert abs(found.duration - SECONDS) < 10
    answer = await do(tasks.CopyTracks(str(film), str(tmp_path), found), tmp_path)
    assert isinstance(answer, tasks.Copied)
    assert answer.obstacle is None
    # Eight seconds are no whole number of AAC frames: where one turn of the loop ends, two of them overlap.
    assert answer.warnings == ("The sound is encoded, though the picture is copied. The sound has gaps or overlaps.",)
    [video] = [rendition for rendition in answer.renditions if rendition.width]
    assert abs(len(video.segments) - SECONDS / 4) < 10
    presentation = timeline.presentation(answer.renditions)
    for text in (dash.manifest(presentation), *hls.playlists(presentation).values()):
        assert len(text) < ONE_MEBIBYTE


async def test_it_is_encoded_in_chunks(film: Path, tmp_path: Path) -> None:
    """The plan has a chunk for each minute; one from the middle and the last show the pictures that belong there."""
    found = await do(tasks.Probe(str(film)), tmp_path)
    assert isinstance(found, MediaInfo)
    plan = await do(
        tasks.MakePlan(str(film), found, ladder.ladder(found), tasks.Encoding(preset="ultrafast")), tmp_path
    )
    assert isinstance(plan, Plan)
    assert abs(len(plan.chunks) - HOURS * 60) <= 8
    assert len(wire.dumps(plan)) < ONE_MEBIBYTE
    for number in (len(plan.chunks) // 2, len(plan.chunks) - 1):
        out = tmp_path / str(number)
        out.mkdir()
        answer = await do(tasks.EncodeChunk(str(film), str(out), found, plan, number), out)
        assert isinstance(answer, tasks.Encoded)
        [made] = answer.renditions
        parts = [out / made.name / "init.mp4", *(out / made.name / f"{s.start}.m4s" for s in made.segments)]
        (out / "whole.mp4").write_bytes(b"".join(part.read_bytes() for part in parts))
        with av.open(str(out / "whole.mp4")) as container:
            shown = [clips.read_counter(frame) for frame in container.decode(video=0)]
        first = round(plan.boundaries[plan.chunks[number].first] * 5 / plan.timescale)
        assert shown == [(first + n) % LOOP.pictures for n in range(len(shown))]
        assert answer.repeated == 0
