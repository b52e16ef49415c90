"""What is kept in the repository: nothing private to a machine, nothing huge, nothing odd."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.house.tree import ROOT, kept_files, short

LARGEST = 512 * 1024
BINARY = {".png", ".jpg", ".ico", ".mp4", ".webm", ".onnx", ".m4a", ".bin", ".gz", ".woff2"}

# Spelled in two halves, so that this file does not name what it forbids.
HOSTS = ["py" + "pi.org", "pythonhost" + "ed.org", "npm" + "js.org", "npm" + "js.com", "yarnpkg" + ".com"]
HOSTS += ["deb.deb" + "ian.org", "crates" + ".io", "proxy.gol" + "ang.org"]
PATHS = [r"/wo" + r"rk/(main|shared|\.library)", r"/ro" + r"ot/\S", r"/tmp/te" + "am", r"/opt/py" + "pi", r"/home/\w"]
KEYS = [r"-----BEGIN [A-Z ]*PRIVATE" + " KEY-----", r"\bAKIA" + r"[0-9A-Z]{16}\b", r"\bghp" + r"_\w{36}\b"]


def texts() -> list[tuple[str, str]]:
    """Name and content of every text file that is kept."""
    return [
        (short(path), path.read_text("utf-8", errors="replace"))
        for path in kept_files()
        if path.suffix not in BINARY and short(path) != "LICENSE"
    ]


def local_hosts() -> list[str]:
    """Hosts of package indexes and proxies that this very machine is configured with."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings = [listed, *(v for k, v in os.environ.items() if re.search(r"index|proxy|registry", k, re.IGNORECASE))]
    found = {host for text in settings for host in re.findall(r"https?://(?:[^@/\s']*@)?([^/:\s']+)", text)}
    return sorted(found - {"localhost", "127.0.0.1"})


def lines_with(pattern: str) -> list[str]:
    """Where a pattern occurs in the kept files."""
    search = re.compile(pattern, re.IGNORECASE).search
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if search(line)
    ]


def test_no_package_index_is_named() -> None:
    """Where packages come from is the business of each machine's own configuration."""
    assert lines_with("|".join(map(re.escape, HOSTS + local_hosts()))) == []


def test_no_path_of_one_machine() -> None:
    """Nothing refers to a directory that only its author has."""
    assert lines_with("|".join(PATHS)) == []


def test_no_secrets() -> None:
    """No private key and no token lies in the repository."""
    assert lines_with("|".join(KEYS)) == []


def test_files_are_small() -> None:
    """Media and models are made or fetched, not committed."""
    big = {short(path): size for path in kept_files() if (size := path.stat().st_size) > LARGEST}
    assert big == {}


def test_texts_are_plain() -> None:
    """UTF-8, line feeds, a line feed at the end."""
    odd = [name for name, text in texts() if "\r" in text or "\ufffd" in text or (text and not text.endswith("\n"))]
    assert odd == []


def test_the_first_things_are_there() -> None:
    """What a newcomer looks for at the top of a repository."""
    names = {short(path) for path in kept_files()}
    wanted = {"README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "pyproject.toml"}
    assert wanted - names == set()
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")
