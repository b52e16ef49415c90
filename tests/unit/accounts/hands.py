"""Time and mail for tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

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
