"""Password hashes make way for whoever watches, and are done in the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamhost.features.accounts import passwords as module
from streamhost.features.accounts.passwords import LAST_PLACE, STEP_BACK, Passwords

LEAST_KIB = 8192
STOOD_BACK = 3
LIKE_MEDIA = 10
"""How far media processes step back."""
PATIENCE = 120


def places_of_hashing_threads(start: int, hashes: int = 1) -> list[tuple[int, int]]:
    """Hash in a thread at the nice value `start`; scheduling policy and nice value of each thread that this began."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), start)
    before = set(os.listdir("/proc/self/task"))
    passwords = Passwords(LEAST_KIB, 1, 1)
    try:
        for _ in range(hashes):
            asyncio.run(passwords.hash("correct horse battery"))
        begun = sorted(int(thread) for thread in set(os.listdir("/proc/self/task")) - before)
        return [(os.sched_getscheduler(thread), os.getpriority(os.PRIO_PROCESS, thread)) for thread in begun]
    finally:
        passwords.close()


def places(start: int, hashes: int = 1) -> list[tuple[int, int]]:
    """The same, in a thread of its own, so that no other test stands back."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(places_of_hashing_threads, start, hashes).result()


def test_threads_step_behind_everything_else() -> None:
    """What they take is what nobody else wants; it needs no privilege."""
    assert {policy for policy, _ in places(0)} == {os.SCHED_IDLE}


def test_threads_step_back_where_they_cannot_step_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """From where the server stands, never forward, which only root may: a server started with `nice` could let nobody
    sign in."""

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    for start, expected in ((STOOD_BACK, STOOD_BACK + STEP_BACK), (LAST_PLACE, LAST_PLACE)):
        assert set(places(start)) == {(os.SCHED_OTHER, expected)}


def test_threads_come_closer_after_a_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a hash had to wait for the processor too long, the next is not so far back."""
    monkeypatch.setattr(module, "STANDSTILL", -1.0)
    first, second = places(0, hashes=2)
    assert first[0] == os.SCHED_IDLE
    assert second == (os.SCHED_OTHER, STEP_BACK)


@pytest.fixture
def busy() -> Iterator[None]:
    """As many processes as there are processors, that compute without end where media processes stand."""
    program = f"import os; os.nice({LIKE_MEDIA})\nwhile True: pass"
    working = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(os.cpu_count() or 1)]
    yield
    for process in working:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("busy")
async def test_a_machine_that_encodes_lets_people_sign_in() -> None:
    """However long media processes compute, every hash is done, at the default cost too."""
    passwords = Passwords(65536, 3, 1)
    try:
        async with asyncio.timeout(PATIENCE):
            stored = await passwords.hash("correct horse battery")
            fits = await asyncio.gather(*[passwords.verify(stored, "correct horse battery") for _ in range(3)])
        assert fits == [True, True, True]
    finally:
        passwords.close()
