"""Measures the models of pictures on harmless clips and photographs: `python scripts/measure_models.py DATA FOLDER`.

DATA is a data directory with the models, FOLDER holds clips and pictures that nobody would mind. Two frames of each
second, and each picture, are screened as the server does it; printed is how many score at or over a line.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
from PIL import Image

from streamhost.config import load
from streamhost.features.models import Models
from streamhost.model.moderation import Aspect, Findings, Frame, Material

LINES = (0.35, 0.5, 0.7, 0.85)
EVERY = Fraction(1, 2)
SIDE = 448
QUALITY = 85


def pictures(path: Path) -> Iterator[Image.Image]:
    """Those of a clip, two a second; or the one picture."""
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        yield Image.open(path).convert("RGB")
        return
    wanted = Fraction(0)
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= wanted:
                wanted += EVERY
                yield Image.fromarray(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))


def frames(folder: Path, out: Path) -> list[Frame]:
    """Frames of everything in a folder, at the size of frames to screen, in one file."""
    found: list[Frame] = []
    place = 0
    with out.open("wb") as file:
        for path in sorted(folder.iterdir()):
            for picture in pictures(path):
                picture.thumbnail((SIDE, SIDE))
                content = io.BytesIO()
                picture.save(content, "JPEG", quality=QUALITY)
                file.write(content.getvalue())
                found.append(Frame(float(len(found)), str(out), place, content.tell()))
                place += content.tell()
    return found


class Watch:
    """Looks how much memory the children of this process hold at most."""

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for child in psutil.Process().children(recursive=True):
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:
                    continue


def over(found: Findings, aspect: Aspect, line: float, *, sure: bool) -> int:
    """How many frames score at or over a line."""
    scores = [score for one in found.frames for score in one.scores if score.aspect is aspect]
    return sum((score.sure if sure else score.possible) >= line for score in scores)


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    models = Models(load(Path(words[0])))
    with tempfile.TemporaryDirectory() as folder:
        there = frames(Path(words[1]), Path(folder) / "frames")
        begin = time.perf_counter()
        with Watch() as watch:
            found = asyncio.run(models.classifier.screen(Material(tuple(there)), lambda _share: None))
        seconds = time.perf_counter() - begin
    print(f"{len(there)} frames of {len(list(Path(words[1]).iterdir()))} clips and pictures")
    print("| score from | " + " | ".join(map(str, LINES)) + " |")
    print("|---" * (len(LINES) + 1) + "|")
    rows = (
        ("nudity, both models", Aspect.NUDITY, True),
        ("nudity, one of them", Aspect.NUDITY, False),
        ("gore", Aspect.GORE, True),
    )
    for name, aspect, sure in rows:
        print(f"| {name} | " + " | ".join(str(over(found, aspect, line, sure=sure)) for line in LINES) + " |")
    each, most = seconds / len(there) * 1000, watch.most / 1e6
    print(f"{each:.1f} ms a frame in all, process start included; {most:.0f} MB at most")
    for model in models.registry.models():
        print(f"{model.id}: {asyncio.run(models.verify(model)):.2f} ms a look, one thread")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
