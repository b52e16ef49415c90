"""Do what the first tutorial tells a newcomer to do first, and tell how long it took: `make newcomer`.

This commit is cloned into a folder of its own, and the commands of the step *Start the server* are typed there: the
whole set-up is made anew, from the network as far as nothing is cached. The printed link must open; Ctrl-C must end it
all; typed again, the same command must be quick. What follows in the tutorial is walked by `test_first_video.py`.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from prepare import ROOT

TUTORIAL = ROOT / "docs" / "tutorials" / "first-video.md"
SOURCE = "<the repository>"
LINK = re.compile(r"http://\S+/setup\?token=\S+")
PATIENCE = 1800.0
"""Seconds for a set-up: a slow line has much to bring."""
QUICK = 60.0
"""Seconds in which a repeated start must be there, also on a busy machine."""


def commands() -> list[str]:
    """The lines that the tutorial lets somebody type first."""
    block = re.search(r"^```sh\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if block is None:
        raise SystemExit(f"{TUTORIAL} has no commands any more.")
    return block[1].replace(SOURCE, str(ROOT)).splitlines()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(lines: list[str], folder: Path) -> float:
    """Type the lines until the printed link opens, then press Ctrl-C; the seconds until then. Raises `SystemExit`."""
    # Neither an environment that is active nor settings of whoever asks: a newcomer has none.
    inherited = ("STREAMHOST_", "VIRTUAL_ENV", "MAKE", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    log, begin = folder / "log", time.monotonic()
    with log.open("wb") as out:
        script = "\n".join(["set -e", *lines])
        typed = subprocess.Popen(
            ["bash", "-c", script], cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        while not (link := LINK.search(log.read_text("utf-8", "replace"))):
            if typed.poll() is not None or time.monotonic() - begin > PATIENCE:
                raise SystemExit(f"No server came up:\n{log.read_text('utf-8', 'replace')[-4000:]}")
            time.sleep(0.2)
        with urllib.request.urlopen(link[0], timeout=PATIENCE) as page:
            if b"Create account" not in page.read():
                raise SystemExit(f"{link[0]} is no page to make an account.")
        took = time.monotonic() - begin
        os.killpg(typed.pid, signal.SIGINT)
        typed.wait(QUICK)
        return took
    finally:
        try:
            os.killpg(typed.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        else:
            if sys.exc_info()[0] is None:
                raise SystemExit("Ctrl-C has left processes behind.")


def main() -> None:
    """Start twice, and say how long each took."""
    clone, enter, *serve = commands()
    serve = [f"{line} PORT={free_port()}" if line.startswith("make serve") else line for line in serve]
    with tempfile.TemporaryDirectory(prefix="newcomer-") as name:
        folder = Path(name)
        first = started([clone, enter, *serve], folder)
        print(f"From the clone to the page of the first account: {first:.0f} s", flush=True)
        again = started([enter, *serve], folder)
        print(f"Started again: {again:.1f} s")
    if again > QUICK:
        raise SystemExit(f"That should take no more than {QUICK:.0f} s.")


if __name__ == "__main__":
    main()
