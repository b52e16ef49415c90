"""Password hashes make way for whoever watches."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from streamhost.features.accounts.passwords import LAST_PLACE, STEP_BACK, Passwords

LEAST_KIB = 8192
STOOD_BACK = 3


def places_of_hashing_threads(start: int) -> set[int]:
    """Hash once in a thread at the nice value `start`; the nice values of the threads that this began."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), start)
    before = set(os.listdir("/proc/self/task"))
    passwords = Passwords(LEAST_KIB, 1, 1)
    try:
        asyncio.run(passwords.hash("correct horse battery"))
        begun = set(os.listdir("/proc/self/task")) - before
        return {os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in begun}
    finally:
        passwords.close()


def test_threads_step_back_from_where_the_server_stands() -> None:
    """Never forward, which only root may: a server started with `nice` could let nobody sign in."""
    for start, expected in ((STOOD_BACK, STOOD_BACK + STEP_BACK), (LAST_PLACE, LAST_PLACE)):
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(places_of_hashing_threads, start).result()
        assert found == {expected}
