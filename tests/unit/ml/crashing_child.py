"""The child, but for a model called `crash`, which reads address 0 as soon as it is loaded."""

from __future__ import annotations

import ctypes
from pathlib import Path

from streamhost.ml import child, looking, session
from streamhost.ml.manifest import Manifest


def load(manifest: Manifest, path: Path, threads: int) -> session.Session:
    """As the real one, unless the model is called `crash`."""
    if manifest.id == "crash":
        ctypes.string_at(0)
    return session.load(manifest, path, threads)


def main() -> int:
    """Carry out the work."""
    vars(looking)["load"] = load
    return child.main()
