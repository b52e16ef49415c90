"""Starts sandboxed children without loading their libraries each time: they are forked from a process that has them.

Loading PyAV and NumPy costs a third of a second of a processor; the work itself is often shorter. The forking process
(`sandbox_forker`) lives while there is work, and a little longer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from streamhost import sandbox_forker
from streamhost.sandbox import MIB, ChildNotStarted
from streamhost.sandbox_process import ENVIRONMENT, Process, import_path, python

AVAILABLE = sys.platform == "linux"
"""Elsewhere a child could not tell that its parent has ended, and libraries do not survive a fork."""
LOADING_SECONDS = 90.0
"""How long it may take to load everything; half a second is usual."""
IDLE_SECONDS = 20.0
"""How long the forking process waits for more work: it holds some 60 MB."""
_ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""A process that forks must not have threads, and OpenBLAS would start some."""
_TUNED = {"hugetlb": 1, "mmap_threshold": 32 * MIB, "trim_threshold": 256 * MIB}
_LARGE_PAGES = {"GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}={value}" for name, value in _TUNED.items())}
"""Children take and leave pictures by the hundred: what memory they have had stays theirs, in pages of 2 MiB where the
kernel gives such on request. That is 2 to 4 % of the time of encoding. Only the GNU C library reads it."""


@dataclass(slots=True)
class Usage:
    """What all children together have used: processor seconds, and the most memory (bytes) of any of them."""

    cpu: float = 0.0
    peak: int = 0


class Nursery:
    """Starts children for `sandbox.run(…, start=nursery.start)`, all in one event loop."""

    def __init__(self, preload: Sequence[str], *, nice: int = 0, idle_seconds: float = IDLE_SECONDS) -> None:
        """`preload` are the modules to load before any fork; `nice` is how far the forking process steps back."""
        self.usage = Usage()
        self._preload = tuple(preload)
        self._nice = nice
        self._idle_seconds = idle_seconds
        self._opening: asyncio.Task[socket.socket] | None = None
        self._control: socket.socket | None = None
        self._forker: asyncio.subprocess.Process | None = None
        self._ending: set[asyncio.Task[int]] = set()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, config: Mapping[str, Any], cwd: Path, env: Mapping[str, str]) -> Process:
        """Start a child; see `sandbox_process.Start`."""
        request = json.dumps({**config, "cwd": str(cwd), "env": dict(env)}).encode()
        self._running += 1
        self._keep()
        try:
            child, given = await _Forked.prepared()
            try:
                await self._ask(request, given)
            except BaseException:
                child.close()
                raise
            finally:
                for file in given:
                    os.close(file)
        except BaseException as error:
            self._ended(None)
            if isinstance(error, OSError):
                raise ChildNotStarted(str(error)) from error
            raise
        child.watch(self._ended)
        return child

    async def close(self) -> None:
        """End the forking process, and every child that still runs."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        self._retire()
        await asyncio.gather(*self._ending)

    async def _ask(self, request: bytes, files: Sequence[int]) -> None:
        """Have a child forked; if the forking process has died meanwhile, by a new one. Raises `OSError`."""
        if self._control is not None:
            try:
                socket.send_fds(self._control, [request], files)
            except OSError:
                self._retire()
            else:
                return
        socket.send_fds(await self._opened(), [request], files)

    async def _opened(self) -> socket.socket:
        """The way to a forking process that has loaded everything. It comes also when who asked first is cancelled:
        others wait for the same. Raises `OSError`."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._opening)

    async def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        config = {
            "control": theirs.fileno(),
            "parent": os.getpid(),
            "path": import_path(),
            "preload": self._preload,
            "nice": self._nice,
            "keep": not sys.dont_write_bytecode,
        }
        try:
            with theirs:
                self._forker = await asyncio.create_subprocess_exec(
                    *python(sandbox_forker, config),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    env={**ENVIRONMENT, **_ALONE, **_LARGE_PAGES},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            async with asyncio.timeout(LOADING_SECONDS):
                said = await asyncio.get_running_loop().sock_recv(ours, len(sandbox_forker.READY))
            if said != sandbox_forker.READY:
                raise ConnectionResetError("The process that starts children ended at once.")
        except BaseException:
            ours.close()
            self._retire()
            raise
        self._control = ours
        self._rest()
        return ours

    def _retire(self) -> None:
        """Let the forking process end, which it does when nobody can ask it any more."""
        self._keep()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._forker is not None:
            self._ending.add(ending := asyncio.create_task(self._forker.wait()))
            ending.add_done_callback(self._ending.discard)
            self._forker = None

    def _ended(self, used: Usage | None) -> None:
        """A child has ended, or none was started."""
        self._running -= 1
        if used is not None:
            self.usage = Usage(self.usage.cpu + used.cpu, max(self.usage.peak, used.peak))
        self._rest()

    def _rest(self) -> None:
        """Without any work the forking process becomes idle."""
        if self._running == 0 and self._control is not None:
            self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)

    def _keep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Forked:
    """A child that another process has forked, and that process's word on how it ended: a `sandbox_process.Process`."""

    def __init__(
        self,
        stdin: asyncio.WriteTransport,
        outputs: Sequence[tuple[asyncio.StreamReader, asyncio.ReadTransport]],
        leash: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._stdin = stdin
        (self.stdout, _), (self.stderr, _) = outputs
        self._outputs = [transport for _, transport in outputs]
        self._said, self._leash = leash
        self._status: int | None = None
        self._watching: asyncio.Task[int] | None = None

    @classmethod
    async def prepared(cls) -> tuple[_Forked, list[int]]:
        """A child yet to be forked, and the files to give it: input, output, errors, leash. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        ends = [os.pipe() for _ in range(3)]
        ours, theirs = socket.socketpair()
        (read, write), *outputs = ends
        stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, _given(loop, write, "wb"))
        readers = [await _reader(loop, end) for end, _ in outputs]
        leash = await asyncio.open_unix_connection(sock=ours)
        return cls(stdin, readers, leash), [read, *(end for _, end in outputs), theirs.detach()]

    @property
    def returncode(self) -> int | None:
        """See `sandbox_process.Process`."""
        return self._status

    def watch(self, ended: Callable[[Usage], None]) -> None:
        """Wait for its end from now on."""
        self._watching = asyncio.create_task(self._watch(ended))

    def feed(self, data: bytes) -> None:
        """See `sandbox_process.Process`."""
        self._stdin.write(data)
        self._stdin.close()

    def end(self) -> None:
        """Drop the leash: the process that forked it kills it, unless it has ended."""
        if self._status is None and not self._leash.transport.is_closing():
            self._leash.write_eof()

    async def wait(self) -> int:
        """See `sandbox_process.Process`."""
        assert self._watching is not None, "it was started"
        return await asyncio.shield(self._watching)

    def close(self) -> None:
        """See `sandbox_process.Process`."""
        for transport in (self._stdin, *self._outputs, self._leash.transport):
            transport.close()

    async def _watch(self, ended: Callable[[Usage], None]) -> int:
        try:
            told = json.loads(await self._said.read())
        except (OSError, ValueError):
            # The forking process is gone, and the kernel has killed all of its children.
            told = {"status": -signal.SIGKILL, "cpu": 0.0, "peak": 0}
        self._status = int(told["status"])
        ended(Usage(told["cpu"], told["peak"]))
        return self._status


async def _reader(loop: asyncio.AbstractEventLoop, file: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), _given(loop, file, "rb"))
    return reader, transport


def _given(loop: asyncio.AbstractEventLoop, file: int, mode: str) -> IO[bytes]:
    """A pipe's end as a file for the loop, which closes it. One on libuv (uvloop) closes the number by itself; closing
    the file after that could hit what another thread has opened in between."""
    return os.fdopen(file, mode, 0, closefd=not type(loop).__module__.startswith("uvloop"))
