"""Run the tests on every supported Python of this machine, each in an environment of its own (`.venv-3.12`).

With `--lowest`: once, on the oldest supported Python found, with the oldest versions of the dependencies that
`pyproject.toml` allows (`.venv-lowest`). Other words go to pytest.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from prepare import ROOT, works

SUPPORTED = ("3.11", "3.12", "3.13")
PYTEST = ["-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", "--timeout", "600", "-q"]
NO_SYNCS = [path for path in [shutil.which("eatmydata")] if path]
"""As in the Makefile: nothing that tests write need be on the disk for good."""


def candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be: on the PATH, from the system, or put there by pyenv or uv."""
    name = f"python{version}"
    yield shutil.which(name) or name
    yield from (f"/usr/bin/{name}", f"/usr/local/bin/{name}")
    for pattern in (f".pyenv/versions/{version}.*/bin/{name}", f".local/share/uv/python/*/bin/{name}"):
        yield from map(str, sorted(Path.home().glob(pattern), reverse=True))


def find(version: str) -> str | None:
    """An interpreter of this version that runs, or None."""
    check = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    return next((python for python in candidates(version) if works(python, "-c", check)), None)


def tests(name: str, python: str, words: list[str], *more: str) -> str:
    """Make or renew one environment and run the tests in it; returns `passed` or `failed`, with the time it took."""
    started = time.monotonic()
    venv = ROOT / f".venv-{name}"
    prepare = [
        sys.executable,
        "scripts/prepare.py",
        "--venv",
        str(venv),
        "--python",
        python,
        "--group",
        "test",
        "--group",
        "docs",
    ]
    code = subprocess.run([*prepare, *more], cwd=ROOT).returncode
    if code == 0:
        code = subprocess.run([*NO_SYNCS, str(venv / "bin" / "pytest"), *PYTEST, *words], cwd=ROOT).returncode
    return f"{'failed' if code else 'passed'} after {time.monotonic() - started:.0f} s"


def main(words: list[str]) -> int:
    """Test, then tell the outcome of each; 0 only when there was something to test and all of it passed."""
    found = {version: python for version in SUPPORTED if (python := find(version))}
    if not found:
        print("no supported Python was found:", ", ".join(SUPPORTED), file=sys.stderr)
        return 1
    if "--lowest" in words:
        words.remove("--lowest")
        outcome = {"lowest": tests("lowest", next(iter(found.values())), words, "--lowest")}
    else:
        outcome = {version: tests(version, python, words) for version, python in found.items()}
    for name, said in outcome.items():
        print(f"{name:8} {said}")
    for version in SUPPORTED:
        if version not in found:
            print(f"{version:8} not installed here")
    return int(any(said.startswith("failed") for said in outcome.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
