"""Run this environment's uv with what pip is configured with: `python scripts/uv.py build --wheel`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from prepare import ROOT, uv_environment


def program() -> str:
    """Where uv is: in this virtual environment, else on the PATH; raises SystemExit when there is none."""
    found = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not found:
        raise SystemExit("uv is missing; `make setup-test` installs it")
    return found


if __name__ == "__main__":
    uv = program()
    os.chdir(ROOT)
    os.execve(uv, [uv, *sys.argv[1:]], uv_environment([sys.executable, "-m", "pip"]))
