"""The processes that a test has started, apart from those that were there before: files of tests share a process, and
some keep a server for all that follow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_before: set[psutil.Process] = set()


def count_from_now() -> None:
    """Whatever runs now is nobody's concern; the fixture `from_now` does this."""
    _before.clear()
    _before.update(psutil.Process().children(recursive=True))


def started() -> list[psutil.Process]:
    """Everything below this process that is younger than that."""
    return [one for one in psutil.Process().children(recursive=True) if one not in _before]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those of these that still run."""
    return [one for one in processes if _runs(one)]


def at_ease(pid: int) -> None:
    """Wait until a process has done what it has to do: at some looks in a row none of its threads has the processor,
    wants it, or waits for a disk. However long it is held up, it is not taken for one that is done."""
    deadline, calm = time.monotonic() + 150, 0
    while calm < 10:
        assert time.monotonic() < deadline, "it never came to rest"
        time.sleep(0.02)
        calm = calm + 1 if _states(pid) == {"S"} else 0


def _states(pid: int) -> set[str]:
    """The states of its threads (proc(5))."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return found


def _runs(process: psutil.Process) -> bool:
    try:
        # Of one whose parent is gone, a container may have nobody who hears of its end.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
