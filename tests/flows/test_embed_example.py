"""The example of a blog that shows a video does what it says."""

from __future__ import annotations

import subprocess
import sys

from tests.house.tree import ROOT
from tests.support.server import clean_environment


def test_the_example() -> None:
    """The blog finds the player by the address of the video's page alone, and its own page has the frame."""
    command = [sys.executable, str(ROOT / "examples" / "embed-page" / "try.py"), "--once"]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended
    assert "in a frame of 640 x 360." in ended.stdout
