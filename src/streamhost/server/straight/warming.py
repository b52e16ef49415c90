"""Whether the kernel has the bytes of a file in memory, and bringing them there: `sendfile` waits for the disk, and all
of the program would wait with it."""

from __future__ import annotations

import os

STRIDE = 128 * 1024
"""Bytes between two looks. The kernel reads ahead as much, and lets go of about as much at a time."""
PIECE = 1024**2


def resident(file: int, start: int, end: int) -> bool:
    """Whether the bytes from `start` to `end` can be had without waiting, as far as looks at every `STRIDE` tell.

    Half a microsecond a look. False where the file system cannot say.
    """
    byte = (bytearray(1),)
    try:
        for at in range(start, end, STRIDE):
            os.preadv(file, byte, at, os.RWF_NOWAIT)
        if end > start:
            os.preadv(file, byte, end - 1, os.RWF_NOWAIT)
    except OSError:
        return False
    return True


def read_through(file: int, start: int, end: int) -> None:
    """Have the kernel read these bytes, and wait until it has them: only in a thread. Raises `OSError`."""
    os.posix_fadvise(file, start, end - start, os.POSIX_FADV_WILLNEED)
    buffer = memoryview(bytearray(min(PIECE, end - start)))
    while start < end:
        count = os.preadv(file, [buffer[: end - start]], start)
        if count == 0:
            return
        start += count
