"""Which pictures are taken out of a video, and how what its chunks found is joined. Pure.

Everything follows from the length of the video, so that chunks agree without knowing of each other.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from streamhost.media.cuts import CUT, MIN_SCENE, Luma, kept_change, score
from streamhost.media.errors import PartsDoNotFit
from streamhost.media.ladder import even
from streamhost.model.stills import ChunkStills, Cut, Look, Still, Stills, Storyboard

TILE_EVERY = ((60, 1), (600, 2), (1800, 5), (4 * 3600, 10))
"""Up to so many seconds of video, a tile every so many seconds: finely where that costs little, never over 1,440."""
TILE_EVERY_LONG = 30
"""Seconds between tiles of what is longer still; 2,880 tiles for a day."""
TILE_SIDE = 192
"""Pixels of a tile's longer side: what a seek bar's preview shows, sharp enough on a dense screen."""
COLUMNS = ROWS = 5
"""Tiles on a full sheet: about 150 kB that arrive at once, and 25 previews further on none has to be fetched."""
MOST_SCREENED = 600
"""Frames to screen at regular times of any video; about as many may come at cuts."""
SCREEN_EVERY = Fraction(2)
"""Seconds between frames to screen while they are not too many."""
SCREEN_CUTS = Fraction(1)
"""Shortest distance in seconds between two cuts that are screened, while they are not too many."""
POSTER_SIDE = 1280
"""Pixels of a poster's longer side; it is shown at most about page-wide."""
POSTERS = 6
"""Poster candidates: one for each part of the video."""
POSTER_TRIES = 20
"""Pictures that are looked at for each candidate."""
SHORTEST_TRY = Fraction(1, 5)
"""Seconds between two of these at least: neighbours look alike."""
MOST_CUTS = 5000
"""Cuts kept of one video, the clearest ones."""
EDGE = Fraction(3, 100)
"""Share of the video at either end where a poster would show titles or credits."""
EDGE_WORTH = 0.5


@dataclass(frozen=True, slots=True)
class Sampling:
    """The times at which pictures of one video are taken, in seconds; ``try_every`` is for poster candidates."""

    duration: Fraction
    tile_every: Fraction
    screen_every: Fraction
    cut_every: Fraction
    try_every: Fraction

    def window(self, at: Fraction) -> int:
        """Return for which candidate the picture at ``at`` stands."""
        return min(POSTERS - 1, int(at * POSTERS / self.duration))

    def worth(self, at: Fraction) -> float:
        """Return what a place in the video is worth for a poster, 0..1."""
        return 1.0 if EDGE <= at / self.duration <= 1 - EDGE else EDGE_WORTH


def sampling(duration: Fraction) -> Sampling:
    """Return when pictures of a video of that length (seconds, above 0) are taken."""
    tile = next((every for longest, every in TILE_EVERY if duration <= longest), TILE_EVERY_LONG)
    spread = duration / MOST_SCREENED
    return Sampling(
        duration,
        Fraction(tile),
        max(SCREEN_EVERY, spread),
        max(SCREEN_CUTS, spread),
        max(SHORTEST_TRY, duration / (POSTERS * POSTER_TRIES)),
    )


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return an even size of the same shape whose longer side is at most ``longest``; never larger than the picture."""
    scale = min(Fraction(1), Fraction(longest, max(width, height)))
    return even(width * scale), even(height * scale)


def places(start: Fraction, end: Fraction, every: Fraction) -> range:
    """Return the numbers n for which n times ``every`` lies from ``start`` up to, not including, ``end``."""
    return range(-int(-start // every), -int(-end // every))


def merge(parts: Iterable[ChunkStills]) -> Stills:
    """Join what the chunks of a video found, given in any order.

    The best candidate of each part of the video becomes a poster candidate; a cut between two chunks is found by what
    both remember. Raises ``PartsDoNotFit`` where a chunk is missing in between.
    """
    chunks = sorted(parts, key=lambda part: part.start)
    if not chunks:
        return Stills()
    for before, after in pairwise(chunks):
        if before.end != after.start:
            raise PartsDoNotFit(f"Pictures end at {float(before.end):.3f} s and go on at {float(after.start):.3f} s.")
    times = sampling(chunks[-1].end)
    best: dict[int, Still] = {}
    for still in (still for chunk in chunks for still in chunk.posters):
        window = times.window(still.at)
        if window not in best or still.score > best[window].score:
            best[window] = still
    posters = tuple(best[window] for window in sorted(best))
    return Stills(_cuts(chunks), posters, tuple(still for chunk in chunks for still in chunk.screening))


def automatic(posters: Sequence[Still]) -> int | None:
    """Return the place of the candidate that makes the best poster; the earlier one of equals."""
    return max(range(len(posters)), key=lambda place: (posters[place].score, -place), default=None)


def layout(duration: Fraction, tile_size: tuple[int, int]) -> Storyboard:
    """Return the storyboard of a presentation that lasts ``duration`` seconds, its sheets not yet made."""
    every = int(sampling(duration).tile_every)
    count = max(1, -int(-duration // every))
    columns = min(count, COLUMNS)
    rows = min(-(-count // columns), ROWS)
    return Storyboard(every, count, *tile_size, columns, rows, ())


def look(luma: Luma, difference: float, at: Fraction) -> Look:
    """Return what is kept of a tiny grey picture."""
    return Look(base64.b64encode(luma.tobytes()).decode(), round(difference, 3), at)


def _cuts(chunks: Sequence[ChunkStills]) -> tuple[Cut, ...]:
    """Return all cuts; those of two chunks' border, which neither could see, are found here."""
    found = [cut for chunk in chunks for cut in chunk.cuts]
    for before, after in pairwise(chunks):
        across = kept_change(_luma(before.last), _luma(after.first))
        found.append(Cut(after.start, score(across, _recent(before.last, after.start))))
        found.append(Cut(after.first.at, score(after.first.change, across or _recent(before.last, after.first.at))))
    kept: list[Cut] = []
    for cut in sorted(found, key=lambda cut: cut.at):
        if cut.score >= CUT and (not kept or cut.at - kept[-1].at >= MIN_SCENE):
            kept.append(cut)
    clearest = sorted(kept, key=lambda cut: -cut.score)[:MOST_CUTS]
    return tuple(sorted(clearest, key=lambda cut: cut.at))


def _recent(of: Look, at: Fraction) -> float:
    """Return the difference that is remembered if it was there shortly before ``at``."""
    return of.change if at - of.at <= MIN_SCENE else 0.0


def _luma(of: Look) -> bytes:
    return base64.b64decode(of.luma)
