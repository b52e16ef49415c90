"""Licence requests of players, and the answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
