"""The real models: downloaded once for all tests, with pip as it is configured here, and kept in `.cache`."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from PIL import Image

from streamhost.ml.install import install
from streamhost.ml.registry import Origin, Registry
from streamhost.model.moderation import Frame
from tests.support import stills

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "models"
PICTURES = ROOT / "tests" / "fixtures" / "moderation"


def real_models() -> Path:
    """The folder with every known model."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for model in Registry(CACHE).models():
            if model.origin is Origin.KNOWN:
                install(model)
    return CACHE


def lend(data: Path) -> None:
    """Put the real models into a data directory (as links where they may be)."""
    folder = data / "models"
    folder.mkdir(parents=True, exist_ok=True)
    for path in real_models().glob("*.onnx"):
        try:
            os.link(path, folder / path.name)
        except OSError:
            shutil.copyfile(path, folder / path.name)


def triggering(path: Path, *names: str, every: float = 2.0) -> tuple[Frame, ...]:
    """Frames of the fixtures' pictures, such as `gore`, one after the other in the file `path`."""
    pictures = [Image.open(PICTURES / f"{name}.png") for name in names]
    return stills.together(path, [(number * every, stills.jpeg(one)) for number, one in enumerate(pictures)])
