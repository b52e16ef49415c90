"""Backups under a passphrase: who has the files and not the passphrase learns their sizes and no more.

- The passphrase (UTF-8) and 16 random bytes give a master key of 32 bytes by scrypt (RFC 7914); the salt and the cost
  stand in the manifest, so that a later version can ask for more.
- Every part has a key of its own: HMAC-SHA256(master, "streamhost backup part" || 0 || name). A part that is put in
  another's place does not open.
- A sealed part is the line `streamhost-sealed/1`, then chunks of 65,536 bytes, each encrypted by AES-256-GCM (NIST SP
  800-38D) with its tag of 16 bytes behind it. The nonce is the number of the chunk in 11 bytes, big endian, and one
  byte that is 1 for the last chunk (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015, as in
  age): no chunk can be left out, moved or cut off. An empty part is one empty chunk.
- The manifest is readable, and authenticated by HMAC-SHA256 with a key of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streamhost.features.backup.errors import BackupDamaged, WrongPassphrase
from streamhost.late import late

if TYPE_CHECKING:
    from Crypto.Cipher import AES
else:
    AES = late("Crypto.Cipher.AES", without="cffi")

SCHEME = "scrypt+aes-256-gcm/1"
MAGIC = b"streamhost-sealed/1\n"
CHUNK = 64 * 1024
TAG = 16
SALT_BYTES = 16
KEY_BYTES = 32
COST = 2**16
"""N of scrypt; with r = 8 one guess costs 64 MiB and about 0.2 s."""
BLOCK, LANES = 8, 1
"""r and p of scrypt."""
MOST_MEMORY = 1024**3
"""Bytes that a manifest may ask for: one that was tampered with must not use up the machine."""
_PART = b"streamhost backup part\x00"
_MANIFEST = b"streamhost backup manifest"
_CHECK = b"streamhost backup check"


@dataclass(frozen=True, slots=True)
class Seal:
    """The master key of one backup, and how it comes from the passphrase."""

    master: bytes = field(repr=False)
    salt: bytes
    cost: int = COST

    @classmethod
    def new(cls, passphrase: str) -> Seal:
        """A fresh one. Takes about a fifth of a second."""
        salt = secrets.token_bytes(SALT_BYTES)
        return cls(_master(passphrase, salt, COST), salt, COST)

    @classmethod
    def opening(cls, described: Any, passphrase: str) -> Seal:
        """The one that a manifest describes. Raises `WrongPassphrase`, and `BackupDamaged` for what is no
        description."""
        try:
            scheme, cost, salt = described["scheme"], int(described["cost"]), bytes.fromhex(described["salt"])
            check = bytes.fromhex(described["check"])
        except (KeyError, TypeError, ValueError) as error:
            raise BackupDamaged("Its manifest does not say how it is encrypted.") from error
        costs_too_much = not 2 <= cost <= MOST_MEMORY // (128 * BLOCK) or cost & (cost - 1)
        if scheme != SCHEME or costs_too_much:
            raise BackupDamaged("It is encrypted in a way that this version does not know.")
        seal = cls(_master(passphrase, salt, cost), salt, cost)
        if not hmac.compare_digest(seal._check(), check):
            raise WrongPassphrase
        return seal

    def described(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {"scheme": SCHEME, "salt": self.salt.hex(), "cost": self.cost, "check": self._check().hex()}

    def authenticate(self, text: bytes) -> str:
        """The code that goes with the manifest `text`."""
        return hmac.digest(hmac.digest(self.master, _MANIFEST, "sha256"), text, "sha256").hex()

    def shut(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The sealed form of a part's content."""
        key = self._key(name)
        yield MAGIC
        number, waiting = 0, bytearray()
        for piece in pieces:
            waiting += piece
            while len(waiting) > CHUNK:
                yield _sealed(key, number, bytes(waiting[:CHUNK]), last=False)
                del waiting[:CHUNK]
                number += 1
        yield _sealed(key, number, bytes(waiting), last=True)

    def open(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The content of a sealed part. Raises `BackupDamaged`; what came before must then not be used."""
        key = self._key(name)
        number, waiting, begun = 0, bytearray(), False
        for piece in pieces:
            waiting += piece
            if not begun and len(waiting) >= len(MAGIC):
                if not waiting.startswith(MAGIC):
                    raise BackupDamaged(f"{name} is not encrypted as it should be.")
                del waiting[: len(MAGIC)]
                begun = True
            while begun and len(waiting) > CHUNK + TAG:
                yield _opened(key, name, number, bytes(waiting[: CHUNK + TAG]), last=False)
                del waiting[: CHUNK + TAG]
                number += 1
        if not begun:
            raise BackupDamaged(f"{name} is cut off.")
        yield _opened(key, name, number, bytes(waiting), last=True)

    def _key(self, name: str) -> bytes:
        return hmac.digest(self.master, _PART + name.encode(), "sha256")

    def _check(self) -> bytes:
        return hmac.digest(self.master, _CHECK, "sha256")[:8]


def sealed_size(size: int) -> int:
    """How many bytes the sealed form of `size` bytes has."""
    return len(MAGIC) + size + TAG * max(1, -(-size // CHUNK))


def _master(passphrase: str, salt: bytes, cost: int) -> bytes:
    memory = 2 * 128 * BLOCK * cost
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=cost, r=BLOCK, p=LANES, maxmem=memory, dklen=KEY_BYTES)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _sealed(key: bytes, number: int, chunk: bytes, *, last: bool) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=_nonce(number, last=last), mac_len=TAG)
    text, tag = cipher.encrypt_and_digest(chunk)
    return text + tag


def _opened(key: bytes, name: str, number: int, chunk: bytes, *, last: bool) -> bytes:
    cipher = AES.new(key, AES.MODE_GCM, nonce=_nonce(number, last=last), mac_len=TAG)
    try:
        return cipher.decrypt_and_verify(chunk[:-TAG], chunk[-TAG:])
    except ValueError:
        raise BackupDamaged(f"{name} is not what was written.") from None
