"""Pictures taken out of a video beside its renditions: the storyboard, scene cuts, poster candidates, frames to screen.

All of it is found by the decoding that feeds the encoders. Times are exact seconds of the presentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

STORYBOARD = "storyboard"
"""Folder of the storyboard's sheets at the top of a video's stream, and their DASH Representation id."""
STORYBOARD_TRACK = "storyboard.vtt"
"""Name of the WebVTT thumbnails track at the top of a video's stream."""
TILES = "tiles"
"""Folder, among the stills, of the tiles from which a storyboard is made; gone afterwards."""


def sheet_name(number: int) -> str:
    """File name of a sheet inside the storyboard's folder, counted from 1; the same in WebVTT and DASH."""
    return f"{number}.jpg"


@dataclass(frozen=True, slots=True)
class Storyboard:
    """Small pictures at regular times, pasted into sheets of ``columns`` by ``rows``, row by row.

    Tile n shows the picture at n times ``interval`` (whole seconds). All sheets have the same size in pixels; what is
    left on the last one is black. ``count`` is the number of tiles, ``sizes`` the bytes of each sheet.
    """

    interval: int
    count: int
    width: int
    height: int
    columns: int
    rows: int
    sizes: tuple[int, ...]

    @property
    def tiles(self) -> int:
        """How many tiles a sheet has room for."""
        return self.columns * self.rows

    @property
    def bandwidth(self) -> int:
        """Highest rate in bit/s at which sheets are fetched while playing."""
        return max((-(-size * 8 // (self.tiles * self.interval)) for size in self.sizes), default=0)

    def place(self, tile: int) -> tuple[int, int, int]:
        """Return the number of a tile's sheet, counted from 1, and the tile's left and top edge in it, in pixels."""
        sheet, rest = divmod(tile, self.tiles)
        row, column = divmod(rest, self.columns)
        return sheet + 1, column * self.width, row * self.height


@dataclass(frozen=True, slots=True)
class Still:
    """One picture in a file of several: ``size`` bytes of JPEG from ``offset`` on, shown at ``at`` seconds.

    ``score`` is 0..1: of a poster candidate how good a poster it makes, of a frame to screen how much of a cut it is.
    """

    at: Fraction
    file: str
    offset: int
    size: int
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A change of scene: the first picture of the new one is shown at ``at``. ``score`` is 0..1."""

    at: Fraction
    score: float


@dataclass(frozen=True, slots=True)
class Look:
    """What is remembered of the pictures at a border of two chunks, so that a cut between them is found as well.

    ``luma`` is a tiny grey picture (base64 of bytes); ``change`` is the difference, 0..255, from its neighbour within
    the chunk, and ``at`` when the later of the two is shown.
    """

    luma: str
    change: float
    at: Fraction


@dataclass(frozen=True, slots=True)
class ChunkStills:
    """What one chunk contributes. ``first_tile`` counts from the start of the video.

    The tiles lie in the file ``tiles`` (empty if there are none), one after the other, as planes of 4:2:0 (full range
    BT.601) of ``tile_size`` (width, height).
    """

    start: Fraction
    end: Fraction
    tile_size: tuple[int, int]
    tiles: str
    first_tile: int
    tile_count: int
    cuts: tuple[Cut, ...]
    posters: tuple[Still, ...]
    screening: tuple[Still, ...]
    first: Look
    last: Look


@dataclass(frozen=True, slots=True)
class Stills:
    """All of a video: what its chunks found, joined. ``posters`` and ``screening`` in order of time.

    ``posters`` are the candidates; ``screening`` are the frames that moderation looks at: at regular times and at cuts.
    """

    cuts: tuple[Cut, ...] = ()
    posters: tuple[Still, ...] = ()
    screening: tuple[Still, ...] = ()
    storyboard: Storyboard | None = None
