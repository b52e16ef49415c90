"""Passwords as this room sees them: in NFKC, and with the same work for accounts that are not there."""

from __future__ import annotations

import contextlib
import os
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator

from streamhost.config import AccountSettings
from streamhost.features.accounts.errors import TooManyAttempts
from streamhost.hashing.hashers import BUSY_SECONDS, Cost, Hashers, HashingBusy

MOST_PROCESSES = 4
"""Unless the settings want more: some 30 sign-ins a second, and 320 MiB while they last."""
HASH_BYTES = 32
SALT_BYTES = 16


def _nothing() -> None:
    """What is done before a hash unless somebody asks for more."""


class Passwords:
    """Makes and checks password hashes without holding up anybody else. Passwords are compared in NFKC."""

    def __init__(self, settings: AccountSettings) -> None:
        cost = Cost(settings.argon2_memory_kib, settings.argon2_rounds, settings.argon2_lanes)
        self._form = f"$argon2id$v=19$m={cost.memory_kib},t={cost.rounds},p={cost.lanes}$"
        salt, digest = (_unpadded(secrets.token_bytes(size)) for size in (SALT_BYTES, HASH_BYTES))
        self._nobody = f"{self._form}{salt}${digest}"
        self.at_once = settings.hashing_processes or processes_for(len(os.sched_getaffinity(0)))
        """How many passwords are hashed at the same time, at most."""
        self._hashers = Hashers(cost, self.at_once)

    async def hash(self, password: str) -> str:
        """A fresh salted hash of `password` in PHC form. Raises `TooManyAttempts` when far too many wait already, and
        `HashingUnavailable` when the machine cannot make one."""
        with _patience():
            return await self._hashers.hash(_typed(password), _nothing)

    async def verify(self, stored: str | None, password: str, *, before: Callable[[], None] = _nothing) -> bool:
        """Whether `password` is the one behind `stored`. For an account that is not there (None) the same work is done.

        `before` is called when the work's turn has come, and may refuse it by raising. Raises as `hash` does."""
        with _patience():
            return await self._hashers.verify(stored or self._nobody, _typed(password), before)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return not stored.startswith(self._form) or len(stored) != len(self._nobody)

    async def close(self) -> None:
        """End the processes."""
        await self._hashers.close()


def processes_for(cores: int) -> int:
    """How many processes hash on a machine with so many cores. One core is left to everybody else: with 50 sign-ins
    waiting on two cores, other answers took several times longer with two hashes at once than with one."""
    return max(1, min(cores - 1, MOST_PROCESSES))


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """A full queue as the error that people hear."""
    try:
        yield
    except HashingBusy as busy:
        raise TooManyAttempts("The server is busy with other sign-ins.", retry_after=BUSY_SECONDS) from busy


def _typed(password: str) -> str:
    """The NFKC form, so that one password typed on two keyboards is one password, without what UTF-8 cannot hold."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")
