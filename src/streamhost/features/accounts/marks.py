"""Marks of passwords: by which it is known again what a stranger chose for an address that was taken."""

from __future__ import annotations

import hmac
import unicodedata

MARK_BYTES = 2
"""Enough to tell one password from another nearly always; more would tell whoever steals the catalog with the keys
more about a password than its argon2 hash does."""


def mark_of(key: bytes, password: str) -> str:
    """A few keyed bits of a password: enough to answer in the same way again, too few to find the password by."""
    text = unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
    return hmac.digest(key, b"claim\n" + text, "sha256")[:MARK_BYTES].hex()
