"""A large file and a package of segments into a bucket and back, against curl on the same server.

The server is SeaweedFS on this machine, so what counts is how much the client costs, not the network. curl sends the
large file in one request and small ones sixteen at a time, and checks nothing; ours asks the server afterwards what it
has.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from streamhost.storage.s3 import S3Storage  # noqa: E402 -- after the path to the tests
from tests.support.s3 import BUCKET, KEYS, S3Server, s3_server  # noqa: E402 -- likewise

LARGE = 256 * 1024**2
SMALL, FILES = 256 * 1024, 400
ROUNDS = 3
SIGN = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEYS.access_key_id}:{KEYS.secret_access_key}"]


def curl(*words: str) -> None:
    """Run curl; raises when it fails."""
    subprocess.run(
        ["curl", "-sSf", "--no-progress-meter", *SIGN, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest round."""
    times = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        work()
        times.append(time.monotonic() - began)
    return min(times)


def fresh(folder: Path, size: int, number: int = 1) -> Path:
    """A folder of files of random bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for one in range(number):
        (folder / f"{one}.m4s").write_bytes(os.urandom(size))
    return folder


def figure(name: str, ours: float, peer: float, size: int) -> None:
    """Print one, in MB a second."""
    mine, theirs = size / ours / 1e6, size / peer / 1e6
    print(json.dumps({"name": name, "unit": "MB/s", "ours": round(mine), "peer": round(theirs),
                      "ratio": round(mine / theirs, 3), "aim": ">= 0.8x"}))  # fmt: skip


class Memory:
    """The most memory that this process has had while it was watched, in MB."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.before = self.most = self._process.memory_info().rss
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.most = max(self.most, self._process.memory_info().rss)

    def grown(self) -> float:
        """End the watch; how much more than at its begin."""
        self._stop.set()
        self._thread.join()
        return (self.most - self.before) / 1e6


def run(server: S3Server, folder: Path) -> None:
    """All figures."""
    storage = S3Storage(server.bucket("bench", timeout=60))
    base = f"{server.url}/{BUCKET}/peer"
    source = fresh(folder / "large", LARGE) / "0.m4s"
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Awaitable[object]]) -> None:
        async def once() -> None:
            began = time.monotonic()
            await work()
            seconds[name] = min(seconds.get(name, 1e9), time.monotonic() - began)

        asyncio.run(once())

    memory = Memory()
    for _ in range(ROUNDS):
        copy = folder / "copy"
        os.link(source, copy)
        timed("up", partial(storage.put_file, "large", copy))
        place = fresh(folder / "down", 0, 0)
        timed("down", partial(storage.fetch, "large", place))
    print(f"{memory.grown():.0f} MB more memory than before, for {LARGE / 1e6:.0f} MB")
    figure("256 MiB into the bucket", seconds["up"], best(lambda: curl("-T", str(source), f"{base}/large")), LARGE)
    down = best(lambda: curl("-o", str(folder / "got"), f"{base}/large"))
    figure("256 MiB out of the bucket", seconds["down"], down, LARGE)

    for _ in range(ROUNDS):
        tree = fresh(folder / "tree", SMALL, FILES)
        timed("tree", partial(storage.put_tree, "tree/", tree))
    tree = fresh(folder / "tree", SMALL, FILES)
    names = "{" + ",".join(str(tree / f"{one}.m4s") for one in range(FILES)) + "}"
    peer = best(lambda: curl("-Z", "--parallel-max", "16", "-T", names, f"{base}/"))
    figure("400 segments of 256 KiB into the bucket", seconds["tree"], peer, SMALL * FILES)


def main() -> None:
    """Start a server, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder, s3_server() as server:
        run(server, Path(folder))


if __name__ == "__main__":
    main()
