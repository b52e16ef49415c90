"""The example of a site with its media in a bucket does what it says."""

from __future__ import annotations

import subprocess
import sys

from tests.house.tree import ROOT
from tests.support.server import clean_environment


def test_the_example() -> None:
    """A real server comes up, takes the rules, and every step of the check works, with keys from Amazon's variables."""
    command = [sys.executable, str(ROOT / "examples" / "s3" / "try.py"), "--once"]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended
    for step in ("write", "list", "multipart", "signed", "cors", "delete"):
        assert any(line.startswith(step) and "works" in line for line in ended.stdout.splitlines()), ended.stdout
