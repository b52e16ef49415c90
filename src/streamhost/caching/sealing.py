"""What leaves the process is sealed: AES-256-GCM (NIST SP 800-38D), with the name of the entry authenticated.

So whoever can read the shared store learns nothing from it, and whoever can write to it cannot make this program
believe that they are somebody else. A seal that does not hold is a miss.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamhost.late import late

if TYPE_CHECKING:
    from Crypto.Cipher import AES
else:
    AES = late("Crypto.Cipher.AES", without="cffi")

NONCE = 12
TAG = 16


class Seal:
    """Seals with the newest key of a ring and opens with all. The keys have 32 bytes; their ids fit into one."""

    def __init__(self, ring: Mapping[int, bytes]) -> None:
        self._ring = ring

    def close(self, name: str, data: bytes) -> bytes:
        """What a store may keep under `name`: the key's id, a nonce, the ciphertext and the tag."""
        number = max(self._ring)
        cipher = AES.new(self._ring[number], AES.MODE_GCM, nonce=secrets.token_bytes(NONCE), mac_len=TAG)
        cipher.update(name.encode())
        sealed, tag = cipher.encrypt_and_digest(data)
        return bytes((number,)) + cipher.nonce + sealed + tag

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """The data; None if it was not sealed by this instance under this name."""
        if len(sealed) < 1 + NONCE + TAG or sealed[0] not in self._ring:
            return None
        cipher = AES.new(self._ring[sealed[0]], AES.MODE_GCM, nonce=sealed[1 : 1 + NONCE], mac_len=TAG)
        cipher.update(name.encode())
        try:
            return cipher.decrypt_and_verify(sealed[1 + NONCE : -TAG], sealed[-TAG:])
        except ValueError:
            return None
