"""The processes that make and check password hashes: begun when needed, kept while busy, ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamhost import log, sandbox
from streamhost.model.errors import StreamhostError

CHILD = "streamhost.hashing.child"
STEP_BACK = 12
"""How far a process that hashes steps back (nice value): whoever watches goes before whoever signs in. It stays in the
server's session, where that holds whether or not sessions are scheduled as groups; and about where media processes
stand, so that a sign-in gets its share of a machine that encodes."""
TURN = 100
"""Microseconds, the least that Linux knows. A process that hashes never waits for anything, so the kernel would let it
finish turns of milliseconds while a segment is due: the slowest wake-up in 200 beside it took 0.2 instead of 0.8 ms."""
KEPT_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
"""For glibc (mallopt(3)): memory is kept for the next hash. To get it anew each time took a tenth of the work."""
LONGEST_QUEUE = 100
"""Hashes that may wait. At about seven a second and core the last waits 14 seconds; more would only give up."""
IDLE_SECONDS = 30.0
"""After which a process with nothing to do is ended: it holds the memory of a hash and some 15 MiB, and another is
there in 0.1 seconds."""
START_SECONDS = 30.0
ANSWER_SECONDS = 60.0
"""Even a machine that encodes on all cores is done by then."""
TRIES = 2
"""A process that ends under the work may have been the one that the system ended for lack of memory: once more."""
BUSY_SECONDS = 5.0
_LEAST_MEMORY = 4096 * sandbox.MIB
_STDERR_TAIL = 8 * 1024
_NONSENSE = "It said something else than an answer."

_logger = log.get("hashing")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one hash takes: KiB of memory, passes, lanes."""

    memory_kib: int
    rounds: int
    lanes: int


class HashingUnavailable(StreamhostError):
    """Passwords cannot be checked at this moment."""

    code = "hashing_unavailable"
    hint = "Try again in a few seconds; if it stays, the server's log says what keeps it from hashing passwords."
    retry_after = BUSY_SECONDS


class HashingBusy(HashingUnavailable):
    """Too many passwords wait to be checked."""

    code = "hashing_busy"
    hint = f"Try again in {math.ceil(BUSY_SECONDS)} seconds."


class Hashers:
    """Argon2id in at most `most` processes, each with one hash at a time. Belongs to one event loop.

    Work that was begun is finished even if nobody waits for it any more: the process would have to be ended else."""

    def __init__(self, cost: Cost, most: int, idle_seconds: float = IDLE_SECONDS) -> None:
        self._cost = cost
        self._idle_seconds = idle_seconds
        memory = max(_LEAST_MEMORY, 2 * cost.memory_kib * 1024)
        # Not strict: nothing strange is opened there, and people must be able to sign in to see what the system lacks.
        self._limits = sandbox.Limits(memory=memory, file_size=0, nice=STEP_BACK, turn=TURN, strict=False)
        self._turns = asyncio.Semaphore(most)
        self._waiting = 0
        self._idle: dict[_Process, asyncio.TimerHandle] = {}
        """In the order in which they came to rest."""
        self._working: set[asyncio.Task[dict[str, Any]]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def hash(self, password: str, before: Callable[[], None]) -> str:
        """A fresh salted hash in PHC form. `before` is called when the turn has come, and may refuse it by raising.

        Raises `HashingBusy`, `HashingUnavailable`."""
        cost = self._cost
        request = {"hash": password, "memory": cost.memory_kib, "rounds": cost.rounds, "lanes": cost.lanes}
        return str((await self._answer(request, before))["hashed"])

    async def verify(self, stored: str, password: str, before: Callable[[], None]) -> bool:
        """Whether `password` is the one behind `stored`; takes as long as `stored` says. The rest as for `hash`."""
        return (await self._answer({"verify": password, "stored": stored}, before))["fits"] is True

    async def close(self) -> None:
        """End every process; work that still runs is cancelled."""
        self._closed = True
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        for process in list(self._idle):
            self._retire(process)
        await asyncio.gather(*self._ending)

    async def _answer(self, request: dict[str, Any], before: Callable[[], None]) -> dict[str, Any]:
        if self._waiting >= LONGEST_QUEUE:
            raise HashingBusy
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            before()
            work = asyncio.create_task(self._work(request))
        except BaseException:
            self._turns.release()
            raise
        self._working.add(work)
        work.add_done_callback(self._done)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled():
                raise HashingUnavailable from None
            raise

    def _done(self, work: asyncio.Task[dict[str, Any]]) -> None:
        self._turns.release()
        self._working.discard(work)
        if not work.cancelled():
            work.exception()  # looked at, also if whoever asked is gone

    async def _work(self, request: dict[str, Any]) -> dict[str, Any]:
        for _ in range(TRIES):
            if self._closed:
                break
            process = self._take() or await _Process.begin(self._limits)
            try:
                answer = await process.ask(request)
            except _Gone as gone:
                await process.end()
                _logger.warning("A process for password hashes was lost", action="hasher_lost", why=str(gone))
                continue
            except BaseException:
                await process.end()
                raise
            self._rest(process)
            if "failed" in answer:
                _logger.error("A password could not be hashed", action="hashing_failed", why=answer["failed"])
                raise HashingUnavailable
            return answer
        raise HashingUnavailable

    def _take(self) -> _Process | None:
        """The process that rested last, so that the others come to their end."""
        if not self._idle:
            return None
        process, end = self._idle.popitem()
        end.cancel()
        return process

    def _rest(self, process: _Process) -> None:
        loop = asyncio.get_running_loop()
        self._idle[process] = loop.call_later(self._idle_seconds, self._retire, process)

    def _retire(self, process: _Process) -> None:
        self._idle.pop(process).cancel()
        ending = asyncio.get_running_loop().create_task(process.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class _Gone(Exception):
    """The process ended, or talks nonsense."""


class _Process:
    """One process, which does one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._input, self._output = process.stdin, process.stdout
        self._said = b""
        self._listening = asyncio.create_task(self._listen(process.stderr))

    @classmethod
    async def begin(cls, limits: sandbox.Limits) -> _Process:
        """A process that is ready. Raises `HashingUnavailable`."""
        try:
            process = cls(await sandbox.spawn(CHILD, limits, env=KEPT_MEMORY, apart=False))
        except sandbox.ChildNotStarted as error:
            _logger.error("No process for password hashes", action="hasher_not_started", why=str(error))
            raise HashingUnavailable from error
        try:
            async with asyncio.timeout(START_SECONDS):
                first = await process._line()
        except (_Gone, TimeoutError) as error:
            await process.end()
            process._complain(str(error))
            raise HashingUnavailable from error
        except BaseException:
            await process.end()
            raise
        if "ready" not in first:
            await process.end()
            process._complain(str(first.get("error")))
            raise HashingUnavailable
        return process

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises `_Gone`; `HashingUnavailable` when it takes far too long."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                with contextlib.suppress(OSError):  # if it is gone, reading says so
                    self._input.write(json.dumps(request).encode() + b"\n")
                    await self._input.drain()
                return await self._line()
        except TimeoutError as error:
            _logger.error("A password hash took too long", action="hasher_silent", seconds=ANSWER_SECONDS)
            raise HashingUnavailable from error

    async def end(self) -> None:
        """End the process, and wait for its end."""
        self._input.close()
        await sandbox.end(self._process, self._listening)

    async def _line(self) -> dict[str, Any]:
        try:
            line = await self._output.readline()
            found = json.loads(line or "null")
        except ValueError:  # no JSON, or a line without an end
            raise _Gone(_NONSENSE) from None
        if not isinstance(found, dict):
            raise _Gone(_NONSENSE if line else "It ended.")
        return found

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(_STDERR_TAIL):
            self._said = (self._said + chunk)[-_STDERR_TAIL:]

    def _complain(self, why: str) -> None:
        """Log what a process said that never got ready: it has not seen a password yet."""
        said = self._said.decode(errors="replace")
        _logger.error("A process for password hashes did not start", action="hasher_not_started", why=why, stderr=said)
