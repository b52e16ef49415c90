"""The tutorial for plugin authors, done as a newcomer would: its commands are run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.plugged import ROOT, PluginEnvironment
from tests.support.ports import free_port
from tests.support.server import clean_environment

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "tutorials" / "first-plugin.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = ("8000", "9000")
OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
FILM = Clip(seconds=2.0, width=160, height=90)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The programs of an environment in which streamhost is installed, and packages without a network."""
    made = PluginEnvironment(tmp_path / "venv")
    for name, module in (("streamhost", "streamhost"), ("pytest", "pytest"), ("pip", "pip")):
        program = tmp_path / "venv" / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {made.python} -m {module} "$@"\n')
        program.chmod(0o755)
    return tmp_path / "venv" / "bin"


def test_the_tutorial_works_as_it_stands(programs: Path, tmp_path: Path) -> None:
    """From `plugins new` to a line in `heard.txt` that tells of the film; only the ports are others."""
    text = PAGE.read_text("utf-8")
    for port in PORTS:
        text = text.replace(port, str(free_port()))
    place = tmp_path / "empty"
    place.mkdir()
    shutil.copyfile(cached(FILM, ".mp4"), place / "film.mp4")
    script = ["set -e", "trap 'kill $(jobs -p); wait' EXIT"]
    for language, block in BLOCK.findall(text):
        if language == "python":
            name = re.match(r"# (\S+\.py)\n", block)
            assert name, block
            (place / name.group(1)).write_text(block)
        else:
            script.append(block)
    assert len(script) >= 7
    environment = clean_environment(**OFFLINE) | {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=place, env=environment, capture_output=True, text=True, timeout=400
    )
    logs = [path.read_text() for path in place.glob("*.txt")]
    assert ran.returncode == 0, "\n".join([ran.stdout, ran.stderr, *logs])
    assert ran.stdout.count(" passed") == 1
    assert "'sent': True" in ran.stdout
    test, film = (place / "heard.txt").read_text().splitlines()
    assert test.startswith("Ding dong! ")
    assert film.startswith("Ding dong! ") and "My film" in film and "/watch/" in film
