"""The storyboard: pastes tiles into sheets, and writes the WebVTT track that says what is where."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streamhost.media import jpeg
from streamhost.media.captions import clock
from streamhost.media.errors import PartsDoNotFit
from streamhost.media.progress import Progress, Report
from streamhost.media.tasks import MakeStoryboard
from streamhost.model.stills import STORYBOARD, STORYBOARD_TRACK, Storyboard, sheet_name

QUALITY = 5
"""JPEG quantiser scale of FFmpeg's encoder, 2 best: tiles are seen for moments."""
BLACK = (0, 128, 128)
"""In the full range of JPEG."""
MILLISECONDS = 1000


def make_storyboard(task: MakeStoryboard, report: Report) -> Storyboard:
    """Write every sheet and the track; return the facts with the sheets' sizes."""
    board, out_dir = task.board, Path(task.out_dir)
    progress = Progress(report, "storyboard")
    reader = TileReader(task)
    (out_dir / STORYBOARD).mkdir(exist_ok=True)
    sizes: list[int] = []
    for first in range(0, board.count, board.tiles):
        sheet = _blank(board)
        for tile in range(first, min(first + board.tiles, board.count)):
            _, left, top = board.place(tile)
            for number, (plane, part) in enumerate(zip(sheet, reader.tile(tile), strict=True)):
                halved = 1 if number else 0
                x, y = left >> halved, top >> halved
                plane[y : y + part.shape[0], x : x + part.shape[1]] = part
        data = jpeg.encode(_frame(sheet), QUALITY)
        sizes.append(len(data))
        (out_dir / STORYBOARD / sheet_name(len(sizes))).write_bytes(data)
        progress.at(first / board.count)
    (out_dir / STORYBOARD_TRACK).write_text(track(board, task.duration), "utf-8")
    return replace(board, sizes=tuple(sizes))


def track(board: Storyboard, duration: Fraction) -> str:
    """Return the thumbnails track: for each interval the place of its picture, as a media fragment (W3C, 4.2.2)."""
    lines = ["WEBVTT", ""]
    for tile in range(board.count):
        start, end = Fraction(tile * board.interval), min(Fraction((tile + 1) * board.interval), duration)
        sheet, left, top = board.place(tile)
        where = f"{STORYBOARD}/{sheet_name(sheet)}#xywh={left},{top},{board.width},{board.height}"
        lines += [f"{clock(round(start * MILLISECONDS))} --> {clock(round(end * MILLISECONDS))}", where, ""]
    return "\n".join(lines)


class TileReader:
    """Finds tiles in the files of all chunks; reads a file once, in order."""

    def __init__(self, task: MakeStoryboard) -> None:
        board = task.board
        self._shapes = [(board.height, board.width), *[(board.height // 2, board.width // 2)] * 2]
        self._sizes = [height * width for height, width in self._shapes]
        self._of = {
            reel.first + number: (Path(reel.path), number) for reel in task.tiles for number in range(reel.count)
        }
        if not self._of:
            raise PartsDoNotFit("There is no picture for the storyboard.")
        self._newest = self._of[min(self._of)]

    def tile(self, number: int) -> list[NDArray[np.uint8]]:
        """Return the planes of a tile, or of the one before where it is missing. Ask in order."""
        path, place = self._newest = self._of.get(number, self._newest)
        length = sum(self._sizes)
        with path.open("rb") as file:
            file.seek(place * length)
            data = file.read(length)
        if len(data) != length:
            raise PartsDoNotFit(f"Tile {number} is not in its file.")
        pixels = np.frombuffer(data, np.uint8)
        parts = np.split(pixels, np.cumsum(self._sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]


def _blank(board: Storyboard) -> list[NDArray[np.uint8]]:
    height, width = board.rows * board.height, board.columns * board.width
    shapes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)]
    return [np.full(shape, value, np.uint8) for shape, value in zip(shapes, BLACK, strict=True)]


def _frame(sheet: list[NDArray[np.uint8]]) -> VideoFrame:
    height, width = sheet[0].shape
    frame = VideoFrame(width, height, jpeg.PIXEL_FORMAT)
    for plane, pixels in zip(frame.planes, sheet, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : pixels.shape[1]] = pixels
        plane.update(rows.tobytes())
    return frame
