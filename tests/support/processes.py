"""The processes that a test has started, apart from those that were there before: files of tests share a process, and
some keep a server for all that follow."""

from __future__ import annotations

import psutil

_before: set[psutil.Process] = set()


def count_from_now() -> None:
    """Whatever runs now is nobody's concern; the fixture `from_now` does this."""
    _before.clear()
    _before.update(psutil.Process().children(recursive=True))


def started() -> list[psutil.Process]:
    """Everything below this process that is younger than that."""
    return [one for one in psutil.Process().children(recursive=True) if one not in _before]
