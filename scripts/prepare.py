#!/usr/bin/env python3
"""Set up a checkout for work: a virtual environment, the packages, the web UI and the programs that tests need.

Needs nothing but Python 3.11. It is safe and quick to repeat: what is installed is remembered in `.make/` by the
content of the files that decide it. Where pip is told of an index, certificates or local wheels, uv is told the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / ".make"
DECIDING = ("pyproject.toml", "constraints.txt", "scripts/prepare.py")
MINIMUM = (3, 11)

# What pip calls a setting, and the variable by which uv takes the same.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
}

# Debian's package for each program, by the work that needs it.
SYSTEM = {
    "test": {
        "caddy": "caddy",
        "chromium": "chromium",
        "curl": "curl",
        "eatmydata": "eatmydata",
        "ffmpeg": "ffmpeg",
        "ffprobe": "ffmpeg",
        "fish": "fish",
        "nginx": "nginx-light",
        "redis-server": "redis-server",
        "systemd-analyze": "systemd",
        "zsh": "zsh",
    },
    "bench": {"curl": "curl", "wrk": "wrk"},
}
# Minimal machines have no fonts at all, and a page without letters passes no browser test.
COMPANIONS = {"chromium": ["fonts-liberation"]}
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


class SetupFailed(Exception):
    """Something this machine lacks, in words for the person who typed `make`."""


def run(*command: str | Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command, showing it; raises SetupFailed when it fails."""
    words = [str(word) for word in command]
    if not quiet:
        print("setup:", " ".join(words), flush=True)
    if subprocess.run(words, cwd=ROOT, env=dict(env) if env else None, stdin=subprocess.DEVNULL).returncode:
        raise SetupFailed(f"this failed: {' '.join(words)}")


def works(*command: str | Path) -> bool:
    """Whether a command runs and says yes."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def digest(parts: Iterable[str]) -> str:
    """One hash over the deciding files and some words."""
    total = hashlib.sha256()
    for name in DECIDING:
        path = ROOT / name
        total.update(path.read_bytes() if path.exists() else b"")
    for part in parts:
        total.update(b"\0" + part.encode())
    return total.hexdigest()


def stamped(name: str, value: str) -> bool:
    """Whether this work was done before, for the same content."""
    try:
        return (STAMPS / name).read_text() == value
    except OSError:
        return False


def stamp(name: str, value: str) -> None:
    """Remember that this work is done."""
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def uv_environment(pip: list[str]) -> dict[str, str]:
    """The environment for uv, with what pip is configured with; what is set for uv itself wins."""
    env = dict(os.environ)
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True)
    for line in sorted(listed.stdout.splitlines(), key=lambda entry: entry.startswith(":env:")):
        name, _, value = line.partition("=")
        variable = PIP_TO_UV.get(name.rpartition(".")[2])
        text = " ".join(value.strip().strip("'\"").replace("\\n", " ").split())
        if variable and text and variable not in os.environ:
            separator = "," if variable == "UV_FIND_LINKS" else " "
            env[variable] = separator.join(text.split())
    if "UV_INDEX" in env:
        # pip looks at all its indexes and takes the newest; uv by default stops at the first that knows the name.
        env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def as_root(*command: str) -> None:
    """Run a command with the rights to install programs."""
    if os.geteuid() == 0:
        run(*command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    elif shutil.which("sudo"):
        run("sudo", "DEBIAN_FRONTEND=noninteractive", *command)
    else:
        raise SetupFailed(f"installing programs needs root; run this as root: {' '.join(command)}")


def apt_install(packages: Iterable[str]) -> None:
    """Install Debian packages, or say which are missing."""
    wanted = sorted(set(packages))
    if not shutil.which("apt-get"):
        raise SetupFailed(f"install these with your system's package manager, then try again: {' '.join(wanted)}")
    as_root("apt-get", "update", "-q")
    as_root("apt-get", "install", "-q", "-y", "--no-install-recommends", *wanted)


def system(purposes: Iterable[str]) -> None:
    """Install the programs that are missing for these purposes."""
    missing: list[str] = []
    for purpose in purposes:
        for program, package in SYSTEM[purpose].items():
            if not shutil.which(program, path=SYSTEM_PATH):
                missing += [package, *COMPANIONS.get(program, [])]
    if missing:
        apt_install(missing)


def create(venv: Path, python: str) -> Path:
    """The interpreter of a virtual environment that exists and has pip; makes it if need be."""
    inside = venv / "bin" / "python"
    check = f"import sys; sys.exit(sys.version_info < {MINIMUM})"
    if works(inside, "-c", check):
        return inside
    if not works(python, "-c", check):
        wanted = ".".join(map(str, MINIMUM))
        raise SetupFailed(f"{python} is not Python {wanted} or newer; name one: make PYTHON=/path/to/python3.12")
    if works(python, "-c", "import ensurepip, venv"):
        run(python, "-m", "venv", "--clear", venv)
    else:  # Debian packs these apart, one package a version
        version = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        ).stdout.strip()
        apt_install([f"python{version}-venv"])
        run(python, "-m", "venv", "--clear", venv)
    return inside


def packages(venv: Path, python: Path, groups: list[str], lowest: bool = False) -> None:
    """Install the project, editable, with what its development needs; `lowest`: in the oldest versions allowed."""
    key = digest([platform.machine(), str(python.resolve()), str(lowest), *groups])
    done = "-".join([venv.name, *groups])
    if stamped(done, key) and works(python, "-c", "import streamhost"):
        return
    constraints = ROOT / "constraints.txt"
    limits: list[str | Path] = ["--constraint", constraints] if constraints.exists() and not lowest else []
    if not works(python, "-m", "pip", "--version"):
        run(python, "-m", "ensurepip", "--upgrade")
    pip = [str(python), "-m", "pip"]
    uv = venv / "bin" / "uv"
    if not works(uv, "--version"):
        subprocess.run([*pip, "install", "--quiet", "uv"], cwd=ROOT, stdin=subprocess.DEVNULL)
    wanted: list[str | Path] = [word for group in groups for word in ("--group", f"pyproject.toml:{group}")]
    if works(uv, "--version"):
        order = ["--resolution", "lowest-direct"] if lowest else []
        run(uv, "pip", "install", "--python", python, *order, "-e", ".", *wanted, *limits, env=uv_environment(pip))
    elif lowest:
        raise SetupFailed("the oldest versions can only be resolved by uv, which is not to be had here")
    else:
        print("setup: uv is not to be had for this machine, so pip does the work (slower)", flush=True)
        run(*pip, "install", "--quiet", "--upgrade", "pip>=25.1")  # the first that knows --group
        run(*pip, "install", "--quiet", "-e", ".", *wanted, *limits)
    stamp(done, key)


def web(python: Path) -> None:
    """Build the pages' scripts and styles; the builder itself leaves alone what has not changed."""
    run(python, "hatch_build.py", "web", quiet=True)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="virtual environment (default: .venv)")
    parser.add_argument("--python", default=sys.executable, help="interpreter to make it from")
    parser.add_argument("--group", action="append", default=[], help="dependency group to install; may be repeated")
    parser.add_argument("--web", action="store_true", help="also build the web UI")
    parser.add_argument("--system", action="append", default=[], choices=sorted(SYSTEM), help="programs to install")
    parser.add_argument("--lowest", action="store_true", help="the oldest versions that pyproject.toml allows")
    asked = parser.parse_args()
    try:
        system(asked.system)
        python = create(asked.venv.absolute(), asked.python)
        packages(asked.venv.absolute(), python, asked.group, asked.lowest)
        if asked.web:
            web(python)
    except SetupFailed as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
