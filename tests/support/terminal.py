"""A command at a terminal of its own, and somebody who answers what it asks."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence

PATIENCE = 120.0
"""Seconds for the next question, and for the end."""
_LEAD = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes what it was given the terminal of its session, as passwords are asked for there, and becomes the command."""


def answered(
    command: Sequence[str], answers: Sequence[tuple[str, str]], env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command (by its path) and type an answer whenever the next of the questions stands on the screen. Its exit
    code, and all that was to be seen."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _LEAD, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=None if env is None else dict(env),
    )
    os.close(theirs)
    try:
        screen, place = "", 0
        for question, answer in answers:
            while (found := screen.find(question, place)) < 0:
                part = _read(ours)
                assert part, f"it ended without asking {question!r}:\n{screen}"
                screen += part
            place = found + len(question)
            os.write(ours, f"{answer}\n".encode())
        while part := _read(ours):
            screen += part
        return process.wait(timeout=PATIENCE), screen.replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(ours: int) -> str:
    """What comes next; empty when the command has ended."""
    ready, _, _ = select.select([ours], [], [], PATIENCE)
    assert ready, "it neither says nor asks anything more"
    try:
        return os.read(ours, 4096).decode("utf-8", "replace")
    except OSError:  # on Linux, how a terminal says that nobody has it open any more
        return ""
