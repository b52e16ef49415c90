"""Takes stills out of the pictures that are decoded for a chunk anyway: each at a rung's size, none decoded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from streamhost.media import jpeg, stills
from streamhost.media.cuts import LOOK_SIZE, CutFinder, Luma
from streamhost.model.stills import TILES, ChunkStills, Still
from streamhost.model.streaming import Plan

SCREEN_SIDE = 448
"""Pixels of the longer side of a frame to screen: twice what the models look at."""
SCREEN_QUALITY = 5
"""JPEG quantiser scale of those: artefacts well below what the models notice."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture at every rung's size, best first, its time in seconds, and how much it differs from the one before;
    ``decoded`` is what the rungs were made of."""

    at: Fraction
    sizes: Sequence[VideoFrame]
    change: float
    decoded: VideoFrame

    def smallest(self, longest: int) -> VideoFrame:
        """Return the smallest size whose longer side is at least ``longest`` pixels; the largest if none is."""
        return next((f for f in reversed(self.sizes) if max(f.width, f.height) >= longest), self.sizes[0])


class StillsTaker:
    """Looks at every picture of one chunk and keeps a few. ``see`` them in order, then ``finish``.

    ``whole`` makes a poster of a decoded picture where no rung is as large as that: beside a copy.
    """

    def __init__(
        self, plan: Plan, chunk: int, out_dir: Path, whole: Callable[[VideoFrame], VideoFrame] | None = None
    ) -> None:
        self._whole = whole
        part = plan.chunks[chunk]
        self._timescale = plan.timescale
        self._start = Fraction(plan.boundaries[part.first], plan.timescale)
        self._end = Fraction(plan.boundaries[part.last], plan.timescale)
        self._times = stills.sampling(Fraction(plan.boundaries[-1], plan.timescale))
        (out_dir / TILES).mkdir(exist_ok=True)
        self._tiles = Tiles(out_dir / TILES / f"{chunk}.yuv")
        self._posters = Reel(out_dir / f"posters-{chunk}.mjpeg")
        self._screening = Reel(out_dir / f"screening-{chunk}.mjpeg")
        self._cuts = CutFinder()
        self._to_look = VideoReformatter()
        self._last: Shown | None = None
        self._wanted: dict[str, Iterator[Fraction]] = {}
        self._next: dict[str, Fraction | None] = {}
        for name, every in (
            ("tile", self._times.tile_every),
            ("screen", self._times.screen_every),
            ("try", self._times.try_every),
        ):
            self._wanted[name] = iter([number * every for number in stills.places(self._start, self._end, every)])
            self._next[name] = next(self._wanted[name], None)
        self._first_tile = stills.places(self._start, self._end, self._times.tile_every).start
        self._screened_cut: Fraction | None = None
        self._best: tuple[int, float, Shown] | None = None

    def see(self, ticks: int, decoded: VideoFrame, sizes: Sequence[VideoFrame]) -> None:
        """Take the picture shown from ``ticks`` on: as it was decoded, and at every rung's size, best first, in the
        renditions' colours.
        """
        at = Fraction(ticks, self._timescale)
        self._take_until(at)
        cut = self._cuts.see(at, self._look(sizes[-1]))
        shown = Shown(at, sizes, 0.0 if self._last is None else self._cuts.last_change, decoded)
        if cut is not None and self._apart(at):
            self._screen(shown, cut.score)
            self._screened_cut = at
        self._last = shown

    def finish(self) -> ChunkStills | None:
        """Write what is left; return what was found, ``None`` if there was no picture at all."""
        self._take_until(self._end)
        self._keep_best()
        finder = self._cuts
        if self._last is None or finder.first is None or finder.last is None:
            return None
        return ChunkStills(
            start=self._start,
            end=self._end,
            tile_size=_tile_size(self._last),
            tiles=self._tiles.close(),
            first_tile=self._first_tile,
            tile_count=self._tiles.count,
            cuts=tuple(finder.cuts),
            posters=tuple(self._posters.close()),
            screening=tuple(self._screening.close()),
            first=stills.look(finder.first, finder.first_change, finder.first_change_at),
            last=stills.look(finder.last, finder.last_change, finder.last_change_at),
        )

    def _take_until(self, at: Fraction) -> None:
        """Take what was wanted at times before ``at``: the picture that has been shown up to now."""
        if self._last is None:
            return
        for _ in self._due("tile", at):
            self._tiles.add(self._last.smallest(stills.TILE_SIDE), _tile_size(self._last))
        for _ in self._due("screen", at):
            if self._last.at != self._screened_cut:
                self._screen(self._last, 0.0)
        for _ in self._due("try", at):
            self._try(self._last)

    def _due(self, name: str, before: Fraction) -> Iterator[Fraction]:
        """Yield the wanted times of one kind before ``before`` that have not come up yet."""
        while (wanted := self._next[name]) is not None and wanted < before:
            yield wanted
            self._next[name] = next(self._wanted[name], None)

    def _look(self, smallest: VideoFrame) -> Luma:
        tiny = self._to_look.reformat(smallest, *LOOK_SIZE, "gray", interpolation=Interpolation.AREA, threads=1)
        return jpeg.plane(tiny.planes[0]).copy()

    def _apart(self, at: Fraction) -> bool:
        return self._screened_cut is None or at - self._screened_cut >= self._times.cut_every

    def _screen(self, shown: Shown, score: float) -> None:
        picture = shown.smallest(SCREEN_SIDE)
        size = stills.fitted(picture.width, picture.height, SCREEN_SIDE)
        ready = jpeg.for_jpeg(picture, *size, Interpolation.BICUBIC)
        self._screening.add(jpeg.encode(ready, SCREEN_QUALITY), shown.at, score)

    def _try(self, shown: Shown) -> None:
        """Weigh a picture against the best one yet for its part of the video."""
        window = self._times.window(shown.at)
        if self._best is not None and self._best[0] != window:
            self._keep_best()
        worth = poster_worth(shown) * self._times.worth(shown.at)
        if self._best is None or worth > self._best[1]:
            self._best = window, worth, shown

    def _keep_best(self) -> None:
        if self._best is None:
            return
        _, worth, shown = self._best
        self._best = None
        picture = self._whole(shown.decoded) if self._whole else shown.sizes[0]
        size = stills.fitted(picture.width, picture.height, stills.POSTER_SIDE)
        ready = jpeg.for_jpeg(picture, *size, Interpolation.BICUBIC)
        self._posters.add(jpeg.encode(ready), shown.at, round(worth, 4))


def _tile_size(shown: Shown) -> tuple[int, int]:
    """The same for every picture of the video: of the shape of the best rung."""
    return stills.fitted(shown.sizes[0].width, shown.sizes[0].height, stills.TILE_SIDE)


def poster_worth(shown: Shown) -> float:
    """Return how good a poster a picture makes, 0..1: neither black nor white, with contrast, sharp, at rest, in
    colour.

    Each quality is measured on rows of the smallest rung, and none of them alone decides.
    """
    luma, blue, red = (jpeg.plane(p)[::WEIGHED] for p in shown.sizes[-1].planes)
    exposed = float(((luma > DARK) & (luma < BRIGHT)).mean())
    contrast = min(1.0, float(luma.std()) / GOOD_CONTRAST)
    edges = np.abs(np.diff(luma.astype(np.int16), axis=1))
    sharp = min(1.0, float(edges.mean()) / GOOD_EDGES) if edges.size else 0.0
    rest = 1.0 - min(1.0, shown.change / MUCH_CHANGE)
    tint = float(np.abs(blue.astype(np.int16) - 128).mean() + np.abs(red.astype(np.int16) - 128).mean())
    colour = min(1.0, tint / GOOD_TINT)
    return exposed * (0.2 + 0.8 * contrast) * (0.2 + 0.8 * sharp) * (0.4 + 0.6 * rest) * (0.7 + 0.3 * colour)


WEIGHED = 3
"""One row in so many is looked at, which tells as much in a third of the time: weighing was 1 % of a copy's work."""
DARK, BRIGHT = 32, 226
"""Luma (limited range) beyond which a pixel shows nothing."""
GOOD_CONTRAST = 50.0
"""Standard deviation of luma of a picture with light and shade."""
GOOD_EDGES = 8.0
"""Mean difference of neighbouring pixels of a sharp picture at about 240 lines."""
MUCH_CHANGE = 12.0
"""Mean difference from the picture before, in the tiny pictures, in the midst of a dissolve or of quick motion."""
GOOD_TINT = 24.0
"""Mean distance from grey, of both colour differences together, of a picture with colours."""


@dataclass(slots=True)
class Reel:
    """JPEG pictures one after the other in one file, which is made with the first of them."""

    path: Path
    _stills: list[Still] = field(default_factory=list, init=False)
    _file: BinaryIO | None = field(default=None, init=False)
    _size: int = field(default=0, init=False)

    def add(self, picture: bytes, at: Fraction, score: float) -> None:
        """Append a picture."""
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.write(picture)
        self._stills.append(Still(at, self.path.name, self._size, len(picture), score))
        self._size += len(picture)

    def close(self) -> list[Still]:
        """Return what lies in the file, in order of time."""
        if self._file is not None:
            self._file.close()
        return sorted(self._stills, key=lambda still: still.at)


@dataclass(slots=True)
class Tiles:
    """Tiles as bare planes, one after the other in one file: they are pasted together later."""

    path: Path
    count: int = field(default=0, init=False)
    _file: BinaryIO | None = field(default=None, init=False)

    def add(self, picture: VideoFrame, size: tuple[int, int]) -> None:
        """Append a picture at the size of a tile."""
        if self._file is None:
            self._file = self.path.open("wb")
        for part in jpeg.for_jpeg(picture, *size, Interpolation.AREA).planes:
            self._file.write(jpeg.plane(part).tobytes())
        self.count += 1

    def close(self) -> str:
        """Return the file's name; empty if there is no tile."""
        if self._file is None:
            return ""
        self._file.close()
        return f"{TILES}/{self.path.name}"
