"""Time and mail for tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from pyotp import TOTP

from streamhost.db.core import Connection


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """What the clock shows."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds


def altered(token: str) -> str:
    """A token with another letter near its end, where its signature is, and never by chance the same."""
    place = len(token) - 5
    return token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]


def code(secret: str, clock: Hands, later: int = 0) -> str:
    """What an app with this secret shows `later` steps from now."""
    return TOTP(secret).at(int(clock.now) + 30 * later)


def wrong_codes(secret: str, clock: Hands, number: int = 1) -> list[str]:
    """Codes that the app shows neither now nor a step before or after."""
    shown = {code(secret, clock, step) for step in (-1, 0, 1)}
    return [one for one in (f"{n:06}" for n in range(number + len(shown))) if one not in shown][:number]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that was to be sent."""

    kind: str
    to: str
    values: Mapping[str, str]
    trusted: bool = False

    @property
    def token(self) -> str:
        """The token in its link."""
        found = re.search(r"[?&](?:token|invitation)=([^&]+)", self.values["link"])
        assert found is not None, self.values["link"]
        return unquote(found[1])


class Postbox:
    """Keeps what was committed to be sent; a transaction that is rolled back takes its mail with it."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def enqueue(
        self, conn: Connection, kind: str, to: str, values: Mapping[str, str], *, trusted: bool = False
    ) -> None:
        """As the mail room does it."""
        letter = Letter(kind, to, dict(values), trusted)
        conn.after_commit(lambda: self.letters.append(letter))

    def take(self) -> Letter:
        """The only letter there is."""
        (letter,) = self.letters
        self.letters.clear()
        return letter
