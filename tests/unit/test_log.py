"""What the log says, and what it must not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamhost.log import redact

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


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/s/AQEAbase64-of_it/film/v720/0.m4s", "/s/[grant]/film/v720/0.m4s"),
        ("/o/grant/segment/AQEAbase64-of_it/film", "/o/grant/segment/[grant]/film"),
        ("/o/6a0b1c2d-abcdefghijklmnopqrstuv/videos/film/0.m4s", "/o/[grant]/videos/film/0.m4s"),
        ("/o/videos/film/pack/0.m4s", "/o/videos/film/pack/0.m4s"),
        ("https://cdn/a.m4s?md5=abc&expires=1", "https://cdn/a.m4s?md5=[redacted]&expires=1"),
        ("https://b/a.m4s?X-Amz-Signature=abc", "https://b/a.m4s?X-Amz-Signature=[redacted]"),
        ("/watch/film?link=abc.def", "/watch/film?link=[redacted]"),
    ],
)
def test_addresses_are_told_without_what_opens_them(said: str, kept: str) -> None:
    """Whoever may read the log may not play by it."""
    assert redact(None, "", {"event": "x", "path": said})["path"] == kept
