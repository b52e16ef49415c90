"""Content keys at rest: AES-256-GCM (NIST SP 800-38D) under a key that only the data directory's files hold.

The text is base64 of a random nonce of 12 bytes, the 32 bytes of key and initialization vector encrypted, and the tag
of 16 bytes. Key id and package are authenticated with it, so that no row passes for another. Under one wrapping key
2^32 random nonces are safe (section 8.3).
"""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from streamhost.late import late
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId
from streamhost.model.protection import BLOCK, ContentKey

if TYPE_CHECKING:
    from Crypto.Cipher import AES
else:
    AES = late("Crypto.Cipher.AES", without="cffi")

NONCE = 12
TAG = 16


class KeyUnreadable(StreamhostError):
    """A content key cannot be unwrapped."""

    code = "key_unreadable"
    hint = "The catalog and the secrets of this instance do not belong together: restore both from the same backup."
    permanent = True


def wrap(secret: bytes, package_id: PackageId, key: ContentKey) -> str:
    """Encrypt a key with the 32 bytes of `secret`. Its `iv` is kept with it."""
    cipher = AES.new(secret, AES.MODE_GCM, nonce=secrets.token_bytes(NONCE), mac_len=TAG)
    cipher.update(_context(package_id, key.kid))
    sealed, tag = cipher.encrypt_and_digest(bytes.fromhex(key.key + (key.iv or "")))
    return b64encode(cipher.nonce + sealed + tag).decode()


def unwrap(secret: bytes, package_id: PackageId, kid: str, text: str) -> ContentKey:
    """The key out of `text`. Raises `KeyUnreadable`, without a word of what was in it."""
    try:
        raw = b64decode(text, validate=True)
        cipher = AES.new(secret, AES.MODE_GCM, nonce=raw[:NONCE], mac_len=TAG)
        cipher.update(_context(package_id, kid))
        opened = cipher.decrypt_and_verify(raw[NONCE:-TAG], raw[-TAG:])
    except ValueError:
        raise KeyUnreadable(f"Key {kid}.") from None
    return ContentKey(kid, opened[:BLOCK].hex(), opened[BLOCK:].hex() or None)


def _context(package_id: PackageId, kid: str) -> bytes:
    return f"streamhost content key {package_id} {kid}".encode()
