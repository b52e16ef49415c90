"""Sign-ins that wait for a code: the password was right, the second factor has not been asked for yet."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from streamhost.model.clock import MINUTE, Clock, Timestamp

WAIT_SECONDS = 5 * MINUTE
"""How long somebody may look for the phone."""
REMEMBERED = 1000
"""Sign-ins that wait at once; the oldest gives way."""
NAME_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Waiting:
    email: str
    sealed: bytes
    until: Timestamp


class HalfWay:
    """Keeps what was typed into the first form until the second one comes, so that nobody types a password twice.

    The password lies here only combined with a one-time pad, and the pad only in the page: neither a look at this
    memory nor at the page tells it. A restart forgets all; whoever waited signs in again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def keep(self, email: str, password: str) -> str:
        """The ticket for the form that asks for a code."""
        secret = password.encode("utf-8", "surrogatepass")
        pad = secrets.token_bytes(len(secret))
        name = secrets.token_hex(NAME_BYTES)
        self._waiting[name] = _Waiting(email, _combined(secret, pad), self._clock() + WAIT_SECONDS)
        if len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)
        return f"{name}.{pad.hex()}"

    def take(self, ticket: str) -> tuple[str, str] | None:
        """Address and password behind a ticket, once; None when it is none of ours or too old."""
        name, _, pad = ticket.partition(".")
        waiting = self._waiting.pop(name, None)
        if waiting is None or self._clock() >= waiting.until:
            return None
        try:
            secret = _combined(waiting.sealed, bytes.fromhex(pad))
            return waiting.email, secret.decode("utf-8", "surrogatepass")
        except ValueError:
            return None


def _combined(text: bytes, pad: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(text, pad, strict=True))
