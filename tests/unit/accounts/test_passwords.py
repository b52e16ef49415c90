"""What this room makes of passwords before and after they are hashed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from streamhost.config import AccountSettings
from streamhost.features.accounts.errors import TooManyAttempts
from streamhost.features.accounts.passwords import MOST_PROCESSES, Passwords, processes_for
from streamhost.hashing import hashers

QUICK = AccountSettings(argon2_memory_kib=8192, argon2_rounds=1)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    room = Passwords(QUICK)
    yield room
    await room.close()


async def test_one_password_however_it_is_typed(passwords: Passwords) -> None:
    """Composed or not, wide or narrow: the same characters are the same password; half a surrogate does no harm."""
    stored = await passwords.hash("caf\u00e9 \uff11\uff12\uff13")
    assert await passwords.verify(stored, "cafe\u0301 123")
    assert not await passwords.verify(stored, "cafe 123")
    assert not await passwords.verify(stored, "caf\ud800 123")
    assert not await passwords.verify(None, "cafe 123")


async def test_hashes_are_outdated_when_a_setting_is_another(passwords: Passwords) -> None:
    """Each of the three parameters counts, and so do the lengths of salt and hash."""
    stored = await passwords.hash("correct horse battery")
    assert not passwords.outdated(stored)
    for change in ({"argon2_memory_kib": 8193}, {"argon2_rounds": 2}, {"argon2_lanes": 2}):
        assert Passwords(msgspec.structs.replace(QUICK, **change)).outdated(stored)
    assert passwords.outdated(stored[:-1])


async def test_a_full_queue_is_too_many_attempts(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds the queue full hears when to come again."""
    monkeypatch.setattr(hashers, "LONGEST_QUEUE", 0)
    with pytest.raises(TooManyAttempts, match="busy") as refusal:
        await passwords.hash("correct horse battery")
    assert refusal.value.retry_after == hashers.BUSY_SECONDS


def test_one_core_is_left_to_everybody_else() -> None:
    """But one process there is always, and on large machines no more than the settings ask for."""
    assert [processes_for(cores) for cores in (1, 2, 3, 64)] == [1, 1, 2, MOST_PROCESSES]
