"""What `sandbox` needs of a process that it has started, in whichever way, and what all ways of starting one share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
"""All that a child sees by itself."""


class Process(Protocol):
    """A process that has been started, which its starter has to reap."""

    @property
    def stdout(self) -> asyncio.StreamReader:
        """What it says."""
        ...

    @property
    def stderr(self) -> asyncio.StreamReader:
        """What its libraries say."""
        ...

    @property
    def returncode(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None until `wait` has returned."""
        ...

    def feed(self, data: bytes) -> None:
        """Give it all of its standard input; one that does not want it is its own problem."""
        ...

    def end(self) -> None:
        """Kill it and its group, now; nothing if it has ended."""
        ...

    async def wait(self) -> int:
        """Reap it and return its `returncode`."""
        ...

    def close(self) -> None:
        """Let go of its pipes, after `wait`."""
        ...


Start = Callable[[Mapping[str, Any], Path, Mapping[str, str]], Awaitable[Process]]
"""Starts a process: with what `sandbox_child.begin` takes, in a working directory, with an environment and nothing else
of ours. Raises `ChildNotStarted`."""


class Subprocess:
    """A process that asyncio has started, with pipes to and from it, as a `Process`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._stdin = process.stdin
        self.stdout = process.stdout
        self.stderr = process.stderr

    @property
    def returncode(self) -> int | None:
        """See `Process`."""
        return self._process.returncode

    def feed(self, data: bytes) -> None:
        """See `Process`."""
        self._stdin.write(data)
        self._stdin.close()

    def end(self) -> None:
        """See `Process`."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # one that is not apart leads no group before it has begun

    async def wait(self) -> int:
        """See `Process`."""
        return await self._process.wait()

    def close(self) -> None:
        """See `Process`; asyncio closes them."""


def python(script: ModuleType, config: Mapping[str, Any]) -> list[str]:
    """The command that runs a module's file by itself, with nothing of the user's or of ours around it."""
    assert script.__file__
    return [sys.executable, "-I", "-S", "-B", "-X", "utf8", script.__file__, json.dumps(config)]


def import_path() -> list[str]:
    """Where this process imports from; nothing is looked up on disk here."""
    return [os.path.abspath(entry) for entry in sys.path if entry]
