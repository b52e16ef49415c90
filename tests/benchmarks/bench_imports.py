"""A library of 10,000 files: the first search, and one that finds nothing changed, against `find` asking for the same
facts. `python tests/benchmarks/bench_imports.py [files]`.

What is measured is the search, which opens none of the files. Half of them have captions beside.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from streamhost.config import load
from streamhost.host import assemble
from streamhost.instance import open_instance
from streamhost.model.imports import Wishes

FILES = 10_000
IN_A_FOLDER = 50
ROUNDS = 3
MIB = 1024**2


def library(folder: Path, files: int) -> None:
    """So many films in folders of fifty, captions beside every second one."""
    for number in range(files):
        place = folder / f"{number // IN_A_FOLDER:04}"
        if number % IN_A_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"film {number:05}.mp4").write_bytes(b"x" * (number % 7 + 1))
        if number % 2:
            (place / f"film {number:05}.en.srt").write_bytes(b"x")


def find(folder: Path) -> float:
    """Seconds that `find` takes to tell size and time of every file."""
    begun = time.perf_counter()
    command = ["find", str(folder), "-type", "f", "-printf", "%p %i %s %T@\n"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


async def measure(data: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds of the first search, of the quickest later one, and by how many MiB the process grew."""
    settings = load(data, {})
    host = await assemble(settings, open_instance(data))
    process = psutil.Process()
    try:
        before = process.memory_info().rss
        begun = time.perf_counter()
        first = await host.imports.scan(folder, Wishes(), lambda _files: None)
        seconds = time.perf_counter() - begun
        assert first.news == first.files
        again = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            found = await host.imports.scan(folder, Wishes(), lambda _files: None)
            again.append(time.perf_counter() - begun)
            assert (found.files, found.news) == (first.files, 0)
        grown = (process.memory_info().rss - before) / MIB
    finally:
        await host.close()
    return seconds, min(again), grown


def figure(name: str, ours: float, peer: float | None, unit: str, aim: str) -> None:
    """One figure for `run.py`."""
    ratio = round(peer / ours, 3) if peer else None
    shown = round(peer, 3) if peer else None
    print(json.dumps({"name": name, "ours": round(ours, 3), "peer": shown, "ratio": ratio, "unit": unit, "aim": aim}))


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with tempfile.TemporaryDirectory() as room:
        folder = Path(os.path.realpath(room)) / "library"
        library(folder, files)
        first, again, grown = asyncio.run(measure(Path(room) / "data", folder))
        peer = min(find(folder) for _ in range(ROUNDS))
    scale = FILES / files
    figure("first search of 10,000 files", first * scale, None, "s", "<= 30")
    figure("search of 10,000 unchanged files", again * scale, peer * scale, "s", "<= 2")
    figure("memory that this takes", grown, None, "MiB", "<= 64")


if __name__ == "__main__":
    main()
