"""The seam for key systems: who answers licence requests.

Clear Key is built in. A commercial provider (Widevine, PlayReady, FairPlay) is another `LicenceProxy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamhost.model.grants import Grant
from streamhost.model.protection import ContentKey


@dataclass(frozen=True, slots=True)
class LicenceRequest:
    """What a player's content decryption module asks, for whom, and the keys that it may have.

    `challenge` are the bytes of the request as they came (at most 64 KiB), `content_type` what the player called them
    (often nothing)."""

    challenge: bytes = field(repr=False)
    content_type: str
    keys: Sequence[ContentKey]
    grant: Grant


@dataclass(frozen=True, slots=True)
class Licence:
    """The answer, and its media type."""

    body: bytes = field(repr=False)
    media_type: str


class LicenceProxy(Protocol):
    """Answers the licence requests of one key system, by itself or by asking a provider of licences.

    Called only with a grant that holds, at any time and several at once. It must answer for no key that is not in the
    request's `keys`. Raises `StreamhostError`s; what a provider said in confidence must not stand in their words.
    """

    @property
    def system(self) -> str:
        """Name of the key system as browsers know it, such as `org.w3.clearkey`."""
        ...

    async def answer(self, request: LicenceRequest) -> Licence:
        """The licence."""
        ...
