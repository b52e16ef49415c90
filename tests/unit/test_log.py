"""What the log says, and what it must not."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from streamhost import log

log.configure("info", "{format}")
logger = log.get("test")

def sign_in(user, word):
    raise ValueError("refused")

try:
    sign_in("alice", "hunter2" * 2)
except ValueError as error:
    logger.exception("It failed", action="failed", password="hunter2hunter2", path="/verify?token=hunter2hunter2")
"""


@pytest.mark.parametrize("format", ["console", "json"])
def test_errors_are_told_without_secrets(format: str) -> None:
    """A traceback names files, lines and the error, but no values of variables; secrets by name are left out."""
    program = [sys.executable, "-c", PROGRAM.format(format=format)]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stderr
    assert "It failed" in said
    assert "ValueError: refused" in said
    assert "sign_in" in said
    assert "hunter2hunter2" not in said
    assert "[redacted]" in said
