"""Password hashes: argon2id in worker threads, a few at a time."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from streamhost.features.accounts.errors import TooManyAttempts

MOST_AT_ONCE = 2
"""Each hash takes a core for a tenth of a second and tens of MiB. One core is left to everybody else: with 50 sign-ins
waiting on a busy two-core machine, other answers took several times longer with two hashes at once than with one."""
STEP_BACK = 12
"""How far threads that hash step back (nice value): whoever watches goes before whoever signs in. At 5 the slowest one
in a hundred segments took 4 times as long while 50 people signed in (bench_login). 12 is about where media processes
stand, so that a sign-in still gets its share of a machine that encodes."""
LAST_PLACE = 19
"""The highest nice value there is."""
LONGEST_QUEUE = 100
"""Hashes that may wait. At about seven a second and core the last waits 14 seconds; more would only give up."""
BUSY_SECONDS = 5.0
HASH_BYTES = 32
SALT_BYTES = 16

_T = TypeVar("_T")


def _nothing() -> None:
    """What is done before a hash unless somebody asks for more."""


class Passwords:
    """Makes and checks password hashes without holding up the event loop. Passwords are compared in NFKC."""

    def __init__(self, memory_kib: int, rounds: int, lanes: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=rounds,
            memory_cost=memory_kib,
            parallelism=lanes,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=Type.ID,
        )
        self._nobody = (
            f"$argon2id$v=19$m={memory_kib},t={rounds},p={lanes}$"
            f"{_unpadded(secrets.token_bytes(SALT_BYTES))}${_unpadded(secrets.token_bytes(HASH_BYTES))}"
        )
        at_once = max(1, min(MOST_AT_ONCE, (os.cpu_count() or 1) - 1))
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="password", initializer=_step_back)
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """A fresh salted hash of `password` in PHC form. Raises `TooManyAttempts` when far too many wait already."""
        return await self._in_thread(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, stored: str | None, password: str, *, before: Callable[[], None] = _nothing) -> bool:
        """Whether `password` is the one behind `stored`. For an account that is not there (None) the same work is done.

        `before` is called when the work's turn has come, and may refuse it by raising."""
        return await self._in_thread(lambda: self._verify(stored or self._nobody, password), before)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _bytes(password))
        except (Argon2Error, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], _T], before: Callable[[], None] = _nothing) -> _T:
        if self._waiting >= LONGEST_QUEUE:
            raise TooManyAttempts("The server is busy with other sign-ins.", retry_after=BUSY_SECONDS)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            before()
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._turns.release()


def _step_back() -> None:
    """Lower the priority of this thread; only Linux has priorities of single threads."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # From where the server stands: nobody but root may go further forward than that.
        present = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(present + STEP_BACK, LAST_PLACE))


def _bytes(password: str) -> bytes:
    """UTF-8 of the NFKC form, so that one password typed on two keyboards is one password."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")
