"""Seconds from the command to the first answer, and the memory of the whole process tree when nothing happens.

    .venv/bin/python tests/benchmarks/bench_start.py [--rounds 5]

The first start of a data directory (which makes the catalog) is measured beside later ones. The answer waited for is
`/readyz` with 200: catalog, storage and worker in order. Memory is the resident set of the process and all its
children, ten seconds after the start, with the front page fetched once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

MEGA = 1e6
SETTLE_SECONDS = 10
LIMIT_SECONDS = 60


def main() -> None:
    """Run and print: one JSON line for each figure, then words."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        first = statistics.median(_start(Path(folder) / str(number))[0] for number in range(rounds))
        again = statistics.median(_start(Path(folder) / "0")[0] for _ in range(rounds))
        memory = statistics.median(_start(Path(folder) / "0", settle=SETTLE_SECONDS)[1] for _ in range(rounds))
    _tell("start to first answer", again, "s", "<= 1.5")
    _tell("first start of a new instance to first answer", first, "s", "<= 1.5")
    _tell("idle memory of the process tree", memory / MEGA, "MB", "<= 100")
    print(f"ready after {again:.2f} s, {first:.2f} s with a new catalog; idle {memory / MEGA:.0f} MB")


def _tell(name: str, ours: float, unit: str, aim: str) -> None:
    figure = {"name": name, "ours": round(ours, 2), "peer": None, "ratio": None, "unit": unit, "aim": aim}
    print(json.dumps(figure))


def _start(data: Path, settle: float = 0) -> tuple[float, int]:
    """Start, wait for readiness, perhaps let it settle, stop: seconds until ready, and bytes resident at the end."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMHOST_")}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamhost", "serve", "--data", str(data), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        while not _ready(f"{url}/readyz"):
            if process.poll() is not None or time.perf_counter() - begin > LIMIT_SECONDS:
                sys.exit("the server did not start")
            time.sleep(0.005)
        seconds = time.perf_counter() - begin
        memory = 0
        if settle:
            _ready(f"{url}/")
            time.sleep(settle)
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            memory = sum(one.memory_info().rss for one in family)
        return seconds, memory
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _ready(url: str) -> bool:
    with contextlib.suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
