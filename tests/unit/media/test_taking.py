"""Stills out of real files: each shows what was on screen at its time, and none costs another decoding."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import imageio_ffmpeg  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streamhost.media import ladder, pictures, stills, tasks
from streamhost.media.execute import execute
from streamhost.model.stills import STORYBOARD, STORYBOARD_TRACK, Still, Stills, Storyboard, sheet_name
from streamhost.model.streaming import Plan, Rung
from streamhost.testing import clips
from tests.unit.media import workshop
from tests.unit.media.content import big_buck_bunny, looped


@dataclass(frozen=True, slots=True)
class Taken:
    """Everything that came out beside the renditions."""

    folder: Path
    plan: Plan
    found: Stills
    parts: list[tasks.Encoded]
    board: Storyboard
    out: Path

    def jpeg(self, still: Still) -> VideoFrame:
        """One picture out of its file, decoded."""
        data = (self.folder / still.file).read_bytes()[still.offset : still.offset + still.size]
        return decoded(data)

    def tile(self, number: int) -> NDArray[np.uint8]:
        """The luma of a tile, cut out of its sheet."""
        sheet, left, top = self.board.place(number)
        luma = decoded((self.out / STORYBOARD / sheet_name(sheet)).read_bytes()).to_ndarray(format="gray")
        return np.ascontiguousarray(luma[top : top + self.board.height, left : left + self.board.width], np.uint8)

    def counters(self) -> list[int | None]:
        """The picture numbers that the tiles show."""
        return [
            clips.read_counter(VideoFrame.from_ndarray(self.tile(number), "gray")) for number in range(self.board.count)
        ]


def decoded(data: bytes) -> VideoFrame:
    """The one picture of a JPEG file."""
    with av.open(BytesIO(data), format="jpeg_pipe") as container:
        assert isinstance(container, InputContainer)
        [frame] = container.decode(video=0)
    return frame


def take(
    source: Path, folder: Path, *, rungs: tuple[Rung, ...] | None = None, encoding: tasks.Encoding = workshop.QUICK
) -> Taken:
    """Encode a clip in chunks as the pipeline does, with its stills, and make the storyboard."""
    info = workshop.probe(source)
    chosen = ladder.ladder(info, workshop.SMALL) if rungs is None else rungs
    plan = execute(tasks.MakePlan(str(source), info, chosen, encoding))
    assert isinstance(plan, Plan)
    aside, out = folder / "stills", folder / "out"
    parts = []
    for place in (aside, out):
        place.mkdir()
    for number in range(len(plan.chunks)):
        part = execute(tasks.EncodeChunk(str(source), str(out), info, plan, number, stills_dir=str(aside)))
        assert isinstance(part, tasks.Encoded)
        parts.append(part)
    made = [part.stills for part in parts if part.stills is not None]
    tiles = tuple(tasks.Tiles(str(aside / m.tiles), m.first_tile, m.tile_count) for m in made if m.tiles)
    board = stills.layout(plan.duration, made[0].tile_size)
    whole = execute(tasks.MakeStoryboard(tiles, str(out), board, plan.duration))
    assert isinstance(whole, Storyboard)
    return Taken(aside, plan, stills.merge(made), parts, whole, out)


@pytest.fixture(scope="module")
def taken(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The stills of a clip that counts its pictures, from chunks of four seconds."""
    return take(marked, tmp_path_factory.mktemp("taken"))


def test_tiles_show_the_picture_of_their_time(taken: Taken) -> None:
    """Tile n is the picture on screen at n times the interval, in every chunk and right at its borders."""
    assert len(taken.plan.chunks) > 2
    assert taken.board.interval == 1
    assert taken.counters() == [n * 25 for n in range(12)]


def test_sheets_and_track_lie_where_they_are_looked_for(taken: Taken) -> None:
    """The track names sheets that exist, of the size that the facts say."""
    named = {line.partition("#")[0] for line in (taken.out / STORYBOARD_TRACK).read_text().splitlines() if "#" in line}
    assert named == {f"{STORYBOARD}/{sheet_name(n)}" for n in range(1, len(taken.board.sizes) + 1)}
    assert [(taken.out / name).stat().st_size for name in sorted(named)] == list(taken.board.sizes)
    sheet = decoded((taken.out / sorted(named)[0]).read_bytes())
    board = taken.board
    assert (sheet.width, sheet.height) == (board.columns * board.width, board.rows * board.height)


@pytest.mark.parametrize("name", ["variable", "upright", "late"])
def test_tiles_show_their_time_in_any_clip(tmp_path: Path, name: str) -> None:
    """Also where pictures come at irregular times, are turned, or begin late."""
    clip = {
        "variable": clips.Clip(seconds=5, gop=30, gaps=(1, 2, 1)),
        "upright": clips.Clip(seconds=3, width=180, height=320, rotation=90),
        "late": clips.Clip(seconds=3, fps=Fraction(30000, 1001), first_picture=Fraction(2, 10)),
    }[name]
    made = take(clips.make(tmp_path / "clip.mp4", clip), tmp_path)
    if name == "upright":
        assert (made.board.width, made.board.height) == (192, 108)
        return
    origin = Fraction(0)
    times = [time - origin for time in clip.picture_times()]
    for tile, counter in enumerate(made.counters()):
        at = tile * made.board.interval
        on_screen = max((n for n, time in enumerate(times) if time <= at), default=0)
        assert counter is not None
        assert abs(counter - on_screen) <= 1, f"tile {tile}"


def test_nothing_is_decoded_for_stills(marked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without stills, the same packets are decoded, and each chunk opens the source once."""
    seen: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., object]:
        real = getattr(pictures, name)

        def counted(*args: object, **kwargs: object) -> object:
            seen[name] += 1
            return real(*args, **kwargs)

        return counted

    for name in ("decode", "opened"):
        monkeypatch.setattr(pictures, name, counting(name))
    info = workshop.probe(marked)
    plan = execute(tasks.MakePlan(str(marked), info, ladder.ladder(info, workshop.SMALL), workshop.QUICK))
    assert isinstance(plan, Plan)
    counts = []
    for aside in (None, tmp_path / "stills"):
        seen.clear()
        out = tmp_path / f"out-{aside is None}"
        for place in filter(None, (aside, out)):
            place.mkdir()
        for number in range(len(plan.chunks)):
            wanted = str(aside) if aside else None
            execute(tasks.EncodeChunk(str(marked), str(out), info, plan, number, stills_dir=wanted))
        counts.append(dict(seen))
    assert counts[0] == counts[1]
    assert counts[0]["opened"] == len(plan.chunks)
    # A chunk reads on until it sees the first picture of the next one.
    assert 12 * 25 <= counts[0]["decode"] <= 12 * 25 + 12 * len(plan.chunks)


def test_a_copied_source_without_rungs_is_decoded_for_stills_alone(marked: Path, tmp_path: Path) -> None:
    """A small source that is only repackaged gets its storyboard, cuts and candidates too, and no rendition more."""
    info = workshop.probe(marked)
    (tmp_path / "copy").mkdir()
    copied = execute(tasks.CopyTracks(str(marked), str(tmp_path / "copy"), info, (), workshop.QUICK))
    assert isinstance(copied, tasks.Copied)
    assert copied.plan is not None
    assert copied.plan.rungs == ()
    made = take(marked, tmp_path, rungs=())
    assert [part.renditions for part in made.parts] == [()] * len(made.parts)
    assert made.counters() == [n * 25 for n in range(12)]


def test_frames_to_screen_are_spread_and_small(taken: Taken) -> None:
    """One every two seconds beside those at cuts, each a JPEG no larger than a model needs, showing its time."""
    frames = taken.found.screening
    assert [frame.at for frame in frames if not frame.score] == [Fraction(n) for n in range(0, 12, 2)]
    for frame in frames:
        picture = taken.jpeg(frame)
        assert max(picture.width, picture.height) <= 448
        assert clips.read_counter(picture) == frame.at * 25


def test_candidates_are_spread_over_the_video(taken: Taken) -> None:
    """Six candidates, one of each sixth, each showing the picture of its time."""
    candidates = taken.found.posters
    assert [int(still.at / 2) for still in candidates] == list(range(6))
    assert [clips.read_counter(taken.jpeg(still)) for still in candidates] == [still.at * 25 for still in candidates]


def test_candidates_are_as_large_as_the_source(tmp_path: Path) -> None:
    """Also beside a copy, where what is encoded is smaller: it is from the decoded picture that they are made."""
    source = clips.make(tmp_path / "clip.mp4", clips.Clip(seconds=2, width=640, height=360))
    made = take(source, tmp_path, rungs=ladder.lower_rungs(workshop.probe(source), workshop.SMALL))
    assert made.plan.rungs[0].height == 180
    posters = [made.jpeg(still) for still in made.found.posters]
    assert {(poster.width, poster.height) for poster in posters} == {(640, 360)}
    assert [clips.read_counter(poster) for poster in posters] == [round(still.at * 25) for still in made.found.posters]


def test_a_clip_of_one_picture_has_stills(tmp_path: Path) -> None:
    """The shortest video has a tile, a candidate and a frame to screen."""
    made = take(clips.make(tmp_path / "one.mp4", clips.Clip(seconds=0.04)), tmp_path)
    assert made.board.count == len(made.found.posters) == len(made.found.screening) == 1
    assert made.counters() == [0]


def test_cuts_are_those_that_ffmpeg_finds(tmp_path: Path) -> None:
    """On real content that starts anew every 5.28 seconds, FFmpeg's scdet and we agree, across chunks too."""
    source = looped(big_buck_bunny(), tmp_path / "looped.mp4", 12)
    small = tmp_path / "small.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    shrink = ["-vf", "scale=320:180", "-an", "-preset", "ultrafast", "-g", "25", str(small)]
    subprocess.run([ffmpeg, "-v", "error", "-i", str(source), *shrink], check=True, timeout=240)
    looked = subprocess.run(
        [ffmpeg, "-v", "info", "-i", str(small), "-vf", "scdet=t=10", "-f", "null", "-"],
        check=True, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    theirs = [
        float(line.rpartition("lavfi.scd.time: ")[2]) for line in looked.stderr.splitlines() if "scd.time" in line
    ]
    made = take(small, tmp_path, encoding=tasks.Encoding(preset="ultrafast", segment=1, chunk=3))
    assert len(theirs) == 2
    assert [float(cut.at) for cut in made.found.cuts] == pytest.approx(theirs, abs=0.021)
    screened = {frame.at for frame in made.found.screening if frame.score}
    assert screened == {cut.at for cut in made.found.cuts}


def test_a_black_opening_is_no_poster(tmp_path: Path) -> None:
    """Where part of the video is black, another picture of that part, or of another part, is the best."""
    path = tmp_path / "black.mp4"
    command = [
        "-f",
        "lavfi",
        "-i",
        "color=black:s=320x180:d=2:r=25",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:d=2:r=25",
    ]
    join = ["-filter_complex", "[0][1]concat=n=2", "-pix_fmt", "yuv420p", "-g", "25", str(path)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *command, *join], check=True, timeout=150)
    made = take(path, tmp_path)
    best = stills.automatic(made.found.posters)
    assert best is not None
    assert made.found.posters[best].at >= 2
    assert made.found.posters[0].score == 0
