"""What a process for password hashes does: one request a line, one answer a line, until its input ends.

Requests are `{"hash": password, "memory": KiB, "rounds", "lanes"}` and `{"verify": password, "stored": hash}`; answers
`{"hashed": hash}`, `{"fits": true or false}` or `{"failed": why}`, where why never holds what was sent. Started by
`streamhost.sandbox`, so it has no network and sees no files; it imports argon2 and nothing else of ours, so that it is
there within a tenth of a second and small.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import error_to_str

HASH_BYTES = 32
SALT_BYTES = 16
_STARVED = {error_to_str(number) for number in (-22, -33)}
"""What argon2 says when it gets no memory or no thread (argon2.h)."""
_PR_SET_DUMPABLE = 4  # linux/prctl.h


def main() -> int:
    """Answer until nobody asks any more."""
    _keep_to_itself()
    _say({"ready": True})
    for line in sys.stdin.buffer:
        _say(_answer(line))
    return 0


def _keep_to_itself() -> None:
    """End with the server, not with a signal to everything around it; and let nobody look into the memory.

    The limit on core files (`sandbox_child`) does not hold where the kernel hands them to a program: core(5)."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, *(ctypes.c_ulong(0) for _ in range(4)))


def _answer(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        if "hash" in request:
            return {"hashed": _hash(request)}
        return {"fits": _fits(request["stored"], request["verify"])}
    except Exception as error:
        # The words of an error may quote what was sent; its kind does not.
        return {"failed": type(error).__name__}


def _hash(request: dict[str, Any]) -> str:
    hasher = PasswordHasher(
        time_cost=request["rounds"],
        memory_cost=request["memory"],
        parallelism=request["lanes"],
        hash_len=HASH_BYTES,
        salt_len=SALT_BYTES,
        type=Type.ID,
    )
    return hasher.hash(request["hash"])


def _fits(stored: str, password: str) -> bool:
    """What is no hash at all fits nothing; but too little memory is no "no"."""
    try:
        return PasswordHasher().verify(stored, password)
    except InvalidHashError:
        return False
    except VerificationError as error:
        if str(error) in _STARVED:
            raise
        return False


def _say(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")
