"""Secrets of webhooks at rest: AES-256-GCM (NIST SP 800-38D) under a key that only the data directory's files hold.

The text is the number of the key, a colon, and base64 of nonce, ciphertext and tag. What the secret is for is
authenticated with it, so that no row passes for another.
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamhost.late import late
from streamhost.model.errors import StreamhostError

if TYPE_CHECKING:
    from Crypto.Cipher import AES
else:
    AES = late("Crypto.Cipher.AES", without="cffi")

NONCE = 12
TAG = 16


class SecretUnreadable(StreamhostError):
    """A secret in the catalog cannot be opened."""

    code = "secret_unreadable"
    hint = "The catalog and the secrets of this instance do not belong together: restore both from the same backup."
    permanent = True


class Sealer:
    """Seals with the newest key of a ring, and opens with all of them. The keys have 32 bytes."""

    def __init__(self, ring: Mapping[int, bytes]) -> None:
        self._ring = ring

    def seal(self, about: str, text: str) -> str:
        """What the catalog may keep."""
        number = max(self._ring)
        cipher = AES.new(self._ring[number], AES.MODE_GCM, nonce=secrets.token_bytes(NONCE), mac_len=TAG)
        cipher.update(about.encode())
        sealed, tag = cipher.encrypt_and_digest(text.encode())
        return f"{number}:{b64encode(cipher.nonce + sealed + tag).decode()}"

    def open(self, about: str, sealed: str) -> str:
        """The secret. Raises `SecretUnreadable`, without a word of what was in it."""
        try:
            number, _, text = sealed.partition(":")
            raw = b64decode(text, validate=True)
            cipher = AES.new(self._ring[int(number)], AES.MODE_GCM, nonce=raw[:NONCE], mac_len=TAG)
            cipher.update(about.encode())
            return cipher.decrypt_and_verify(raw[NONCE:-TAG], raw[-TAG:]).decode()
        except (ValueError, KeyError):
            raise SecretUnreadable(f"It belongs to {about}.") from None
