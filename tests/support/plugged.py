"""An environment beside this one in which plugins are installed, as people do it, but without a network."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import clean_environment

ROOT = Path(__file__).resolve().parents[2]
TOOL = [sys.executable, str(ROOT / "scripts" / "uv.py")]
FIRST_PARTY = tuple(sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")))
"""The project's own plugins."""


class PluginEnvironment:
    """A virtual environment that finds all that this one has, and in which more can be installed."""

    def __init__(self, place: Path) -> None:
        self.place = place
        subprocess.run([*TOOL, "venv", "--quiet", "--python", sys.executable, str(place)], check=True)
        [site] = (place / "lib").glob("python*/site-packages")
        ours = sysconfig.get_paths()["purelib"]
        (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.place / "bin" / "python")

    def install(self, *packages: Path) -> None:
        """Build and install packages, each alone, with what is there already."""
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--offline", "--python", self.python]
        subprocess.run([*TOOL, "pip", "install", *options, *map(str, packages)], check=True)

    def streamhost(self, *words: str, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of streamhost there."""
        return self.run("-m", "streamhost", *words, cwd=cwd, settings=settings)

    def run(
        self, *words: str, cwd: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run its Python."""
        command = [self.python, *words]
        environment = clean_environment(**(settings or {}))
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
