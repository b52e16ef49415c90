"""Runs a module in a process of its own, with limits, and survives whatever becomes of it.

The module offers `main()`, which reads one JSON request from stdin and writes JSON lines to stdout: `{"progress": …,
"step": …}` on the way, lastly `{"result": …}` or `{"error": {"code", "detail", "permanent"}}`. What the process may do
is said in `sandbox_child`. `run` does one piece of work; who keeps a process for many pieces and speaks with it in
another way uses `spawn` and `end`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from streamhost import log, sandbox_child
from streamhost.model.errors import StreamhostError, known_errors
from streamhost.sandbox_process import ENVIRONMENT, Process, Start, Subprocess, import_path, python

MIB = 1024**2
_CHUNK = 64 * 1024
_MAX_LINE = 32 * MIB
"""Longest line: the facts of a day of video in 2-second segments stay below it."""
_MAX_OUTPUT = 128 * MIB
LINKS = 8
"""Errors that led to one another, at most, that are looked through."""
_STDERR_TAIL = 8 * 1024
_DRAIN_SECONDS = 5.0
"""A dead process's pipes end at once, unless (not on Linux) it left a child that holds them."""
_SIGNALS_OF_LIMITS = {
    signal.SIGXCPU: "It used more processor time than it may.",
    signal.SIGXFSZ: "It wrote a file larger than it may.",
}
_NO_MEMORY = "child_out_of_memory"

_logger = log.get("sandbox")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use: bytes of address space, processor seconds, bytes of one file, seconds without a message.

    `nice` is how far it steps back. `turn`: it makes way for one that waits after so many microseconds on a processor,
    where the kernel can do that (6.12 and later); 0: as everybody. `no_network` also denies new programs and
    processes. `strict`: where the system does not let it be confined, it does no work."""

    memory: int = 4096 * MIB
    cpu_seconds: int = 4 * 3600
    file_size: int = 65536 * MIB
    silence_seconds: float = 120.0
    nice: int = 10
    turn: int = 0
    no_network: bool = True
    strict: bool = True


class ChildError(StreamhostError):
    """The process that did the work did not finish it."""

    code = "child_error"
    retries: ClassVar[int | None] = 1
    """Once more in case the machine was to blame; a file that does it twice is the cause."""
    output: str = ""
    """The end of what it said beside its answer."""


def output_of(error: BaseException) -> str:
    """What a process said before it ended, by an error of it, or by one that it led to; empty if it said nothing."""
    found: BaseException | None = error
    for _ in range(LINKS):
        if isinstance(found, ChildError) and found.output:
            return found.output
        found = found.__cause__ if found is not None else None
    return ""


class ChildNotStarted(ChildError):
    """The process for the work could not be started."""

    code = "child_not_started"
    retries = None
    hint = "Look at free memory and at the limit on the number of processes."


class ChildNotConfined(ChildError):
    """The system did not let the process for the work be confined, so the file was not opened."""

    code = "child_not_confined"
    permanent = True
    hint = "Run streamhost on a kernel, and in a container, that allow seccomp filters; the detail names what failed."


class ChildCrashed(ChildError):
    """The process that did the work crashed."""

    code = "child_crashed"
    hint = "The file is probably damaged so that it breaks the decoder; convert it with another program and try again."


class ChildOutOfMemory(ChildError):
    """The process that did the work needed more memory than it may have."""

    code = _NO_MEMORY
    hint = "Raise the setting jobs.child_memory, or make the video smaller."


class ChildOverLimit(ChildError):
    """The process that did the work went over one of its limits."""

    code = "child_over_limit"
    hint = "Raise jobs.child_cpu_seconds or jobs.child_file_size if the file is to be trusted."


class ChildSilent(ChildError):
    """The process that did the work made no progress for too long and was ended."""

    code = "child_silent"
    hint = "Raise the setting jobs.child_silence_seconds if the machine is only slow."


class ChildFlooded(ChildError):
    """The process that did the work said more than can be listened to and was ended."""

    code = "child_flooded"


class ChildFailed(ChildError):
    """The process that did the work reported an error."""

    code = "child_failed"
    retries = None

    def __init__(self, code: str, detail: str = "", permanent: bool = False, hint: str | None = None) -> None:
        """`code`, `hint`, `permanent` are the child's; words that it left out come from the class with this code."""
        self.kind = next((kind for kind in known_errors() if kind.code == code), None)
        super().__init__(detail, hint=hint or (self.kind.hint if self.kind else None))
        self.code = code  # type: ignore[misc]  # this class stands for many errors
        self.permanent = permanent  # type: ignore[misc]  # as above

    def __str__(self) -> str:
        return f"{(self.kind or ChildFailed).title()} {self.detail}".strip()


async def run(
    module: str,
    request: Mapping[str, Any],
    *,
    limits: Limits,
    on_message: Callable[[dict[str, Any]], None],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    readable: Sequence[Path] = (),
    writable: Path | None = None,
    devices: Sequence[Path] = (),
    start: Start | None = None,
) -> dict[str, Any]:
    """Run `module.main()` on `request` and return its result; every message on the way goes to `on_message`.

    The process sees no environment but `env`, reads nothing but Python, the system's libraries and `readable`, and
    writes only below `writable` (an existing directory, also its working directory unless `cwd` says otherwise). It may
    also use `devices`, such as a graphics card's device files. `start` is how it is started; None: as a new Python.
    Raises `ChildFailed` with the error that the module reported, or another `ChildError`. Cancelling ends the process.
    """
    config = _config(module, limits, readable, writable, devices)
    process = await (start or start_python)(config, cwd or writable or Path("/"), _environment(env, writable))
    tail: deque[bytes] = deque()
    process.feed(json.dumps(request).encode())
    errors = asyncio.create_task(_keep_tail(process.stderr, tail))
    listener, text = _Listener(on_message), ""
    try:
        async with asyncio.timeout(limits.silence_seconds) as silence:
            loop = asyncio.get_running_loop()
            while chunk := await process.stdout.read(_CHUNK):
                if listener.hear(chunk):
                    silence.reschedule(loop.time() + limits.silence_seconds)
                await asyncio.sleep(0)
            await process.wait()
    except TimeoutError as error:
        if not silence.expired():
            raise
        raise ChildSilent(f"Nothing was heard for {limits.silence_seconds:g} seconds.") from error
    finally:
        await _finish(process, errors)
        if process.returncode != 0 and tail:
            text = b"".join(tail)[-_STDERR_TAIL:].decode(errors="replace")
            _logger.warning("A child process ended badly", module=module, status=process.returncode, stderr=text)
    try:
        return _outcome(listener.last, process.returncode or 0)
    except ChildError as error:
        error.output = text
        raise


async def spawn(
    module: str,
    limits: Limits,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    readable: Sequence[Path] = (),
    writable: Path | None = None,
    devices: Sequence[Path] = (),
    apart: bool = True,
) -> asyncio.subprocess.Process:
    """Begin a process that calls `module.main()` within `limits`, with pipes to and from it; the rest as for `run`.

    `apart`: in a session of its own. Kernels with autogroups share processor time out among sessions, whatever the nice
    values (sched(7)); a process that is not apart shares with this one, as its nice value says.
    Raises `ChildNotStarted`. Whoever begins one also calls `end`."""
    config = _config(module, limits, readable, writable, devices)
    return await _spawn(config, cwd or writable or Path("/"), _environment(env, writable), apart=apart)


async def _spawn(
    config: Mapping[str, Any], cwd: Path, env: Mapping[str, str], *, apart: bool = True
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *python(sandbox_child, {**config, "parent": os.getpid()}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=cwd,
            env=env,
            start_new_session=apart,
        )
    except OSError as error:
        raise ChildNotStarted(str(error)) from error


async def start_python(config: Mapping[str, Any], cwd: Path, env: Mapping[str, str]) -> Process:
    """Start a new Python: a `Start`."""
    return Subprocess(await _spawn(config, cwd, env))


def _config(
    module: str, limits: Limits, readable: Sequence[Path], writable: Path | None, devices: Sequence[Path]
) -> dict[str, Any]:
    """What `sandbox_child.begin` takes, but for the parent."""
    return {
        "module": module,
        "path": import_path(),
        "readable": [_absolute(path) for path in readable],
        "writable": [_absolute(writable)] if writable else [],
        "devices": [_absolute(path) for path in devices],
        "memory": limits.memory,
        "cpu_seconds": limits.cpu_seconds,
        "file_size": limits.file_size,
        "nice": limits.nice,
        "turn": limits.turn,
        "no_network": limits.no_network,
        "strict": limits.strict,
    }


def _environment(env: Mapping[str, str] | None, writable: Path | None) -> dict[str, str]:
    ours = {**ENVIRONMENT, **(env or {})}
    if writable:
        ours.setdefault("TMPDIR", _absolute(writable))
    return ours


def _absolute(path: str | Path) -> str:
    """The child works in another directory; nothing is looked up on disk here."""
    return os.path.abspath(path)


class _Listener:
    """Takes the output apart into lines; remembers the last answer."""

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        self.last: dict[str, Any] = {}
        self._on_message = on_message
        self._rest = bytearray()
        self._heard = 0

    def hear(self, chunk: bytes) -> bool:
        """Whether the chunk completed a message. Raises `ChildFlooded`."""
        self._heard += len(chunk)
        self._rest += chunk
        if self._heard > _MAX_OUTPUT or len(self._rest) > _MAX_LINE:
            raise ChildFlooded(f"It wrote {self._heard} bytes.")
        if b"\n" not in chunk:
            return False
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        messages = [self._line(line) for line in lines]
        return any(messages)

    def _line(self, line: bytes) -> bool:
        """A line that is no JSON object is some library talking, and counts for nothing."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(message, dict):
            return False
        if "result" in message or "error" in message:
            self.last = message
        else:
            self._on_message(message)
        return True


def _outcome(last: dict[str, Any], status: int) -> dict[str, Any]:
    if "error" in last and status >= 0:
        error = last["error"] if isinstance(last["error"], dict) else {}
        if error.get("code") == _NO_MEMORY:
            raise ChildOutOfMemory
        if error.get("code") == ChildNotConfined.code:
            raise ChildNotConfined(str(error.get("detail", "")))
        hint = error.get("hint")
        raise ChildFailed(
            str(error.get("code", ChildFailed.code)),
            str(error.get("detail", "")),
            error.get("permanent") is True,
            str(hint) if hint else None,
        )
    if status == 0 and "result" in last:
        result = last["result"]
        return result if isinstance(result, dict) else {"value": result}
    if status >= 0:
        raise ChildCrashed(f"It ended with status {status} and without an answer.")
    if -status in _SIGNALS_OF_LIMITS:
        raise ChildOverLimit(_SIGNALS_OF_LIMITS[signal.Signals(-status)])
    if -status == signal.SIGKILL:
        raise ChildOutOfMemory("The system ended it, most likely because the machine ran out of memory.")
    raise ChildCrashed(f"It was ended by {_signal_name(-status)}.")


def _signal_name(number: int) -> str:
    try:
        sort = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return f"{sort.name} ({signal.strsignal(sort)})"


async def _keep_tail(stderr: asyncio.StreamReader, tail: deque[bytes]) -> None:
    held = 0
    while chunk := await stderr.read(_STDERR_TAIL):
        tail.append(chunk)
        held += len(chunk)
        while held - len(tail[0]) > _STDERR_TAIL:
            held -= len(tail.popleft())


async def end(process: asyncio.subprocess.Process, *helpers: asyncio.Task[None]) -> None:
    """Kill what is left of the process and its group, reap it, let the pipes run dry; never half of that.

    `helpers`: tasks that read from it or write to it, all but the one that reads its output. They are over then too."""
    await _finish(Subprocess(process), *helpers)


async def _finish(process: Process, *helpers: asyncio.Task[None]) -> None:
    process.end()
    reaping = asyncio.ensure_future(_reap(process, *helpers))
    cancelled = False
    while not reaping.done():
        try:
            await asyncio.shield(reaping)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def _reap(process: Process, *helpers: asyncio.Task[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await process.stdout.read(_CHUNK):
                pass
    await process.wait()
    for helper in helpers:
        helper.cancel()
    await asyncio.gather(*helpers, return_exceptions=True)
    process.close()
