"""Checksums of one request's bytes (tus 1.0.0, extension "Checksum")."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from streamhost.features.uploads.errors import UnknownChecksum

ALGORITHMS = ("sha1", "sha256", "sha512", "md5")
"""The names that clients may use; the protocol asks for sha1 at least."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of a request must hash to. Raises `UnknownChecksum` for an algorithm not in `ALGORITHMS`."""

    algorithm: str
    digest: bytes

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise UnknownChecksum(f"`{self.algorithm}` is not one of {', '.join(ALGORITHMS)}.")

    def hasher(self) -> hashlib._Hash:
        """A fresh hash of this kind; it guards against accidents, not against attackers."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def fits(self, hasher: hashlib._Hash) -> bool:
        """Whether everything fed to `hasher` is what was announced."""
        return hmac.compare_digest(hasher.digest(), self.digest)
