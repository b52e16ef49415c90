"""Gives memory back to the system while nobody asks for anything.

What was freed is kept by the C library for whatever comes next: after a page was compiled, or a film that everybody
watched has left the memory, megabytes of it lie between things that stay, and would count as the server's for ever.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from typing import Any

from streamhost.measures import Measures

QUIET_SECONDS = 3.0
"""Without a request for so long it is given back: half a millisecond, a twentieth where there is nothing to give."""


async def rest(measures: Measures) -> None:
    """Do so at every quiet time, until cancelled. Ends at once where the C library keeps nothing, or does not tell."""
    give_back: Callable[[int], Any] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    before = -1
    while give_back is not None:
        await asyncio.sleep(QUIET_SECONDS)
        now = measures.asked
        if now == before:
            give_back(0)
        before = now
