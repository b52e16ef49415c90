"""A key system of our own, for tests: a licence is keys sealed for one player, as those of commercial providers are."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from uuid import UUID

from Crypto.Cipher import AES

from streamhost.features.protection.errors import BadLicenceRequest
from streamhost.model.licensing import Licence, LicenceRequest
from streamhost.model.protection import Scheme

SYSTEM = "org.example.sealed"
SYSTEM_ID = UUID("6f1c3a52-0c39-4c6f-9a53-9d2a1f4be001")
SECRET = b"shared by player"


class SealedLicenceProxy:
    """Answers with the keys encrypted by a secret that only the player's module shares (AES-GCM)."""

    system = SYSTEM

    async def answer(self, request: LicenceRequest) -> Licence:
        """The keys that were asked for and may be had. Raises `BadLicenceRequest`."""
        try:
            asked = json.loads(request.challenge)["sealed"]
            kids = {str(kid) for kid in asked}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadLicenceRequest from error
        found = {key.kid: key.key for key in request.keys if key.kid in kids}
        cipher = AES.new(SECRET, AES.MODE_GCM)
        sealed, tag = cipher.encrypt_and_digest(json.dumps(found).encode())
        return Licence(cipher.nonce + tag + sealed, "application/octet-stream")

    def boxes(self, _scheme: Scheme, kids: Sequence[str]) -> Sequence[bytes]:
        """One box of version 1 (ISO/IEC 23001-7, 8.1) with the key ids, and a few bytes of the system's own."""
        ids = b"".join(map(bytes.fromhex, kids))
        body = b"\1\0\0\0" + SYSTEM_ID.bytes + struct.pack(">I", len(kids)) + ids + struct.pack(">I", 4) + b"seal"
        return (struct.pack(">I4s", 8 + len(body), b"pssh") + body,)


class SealedPlayer:
    """The other end."""

    def __init__(self) -> None:
        self.proxy = SealedLicenceProxy()

    def challenge(self, kids: Sequence[str]) -> bytes:
        """A request for these keys."""
        return json.dumps({"sealed": list(kids)}).encode()

    def keys(self, licence: bytes) -> dict[str, str]:
        """What is in a licence."""
        cipher = AES.new(SECRET, AES.MODE_GCM, nonce=licence[:16])
        found: dict[str, str] = json.loads(cipher.decrypt_and_verify(licence[32:], licence[16:32]))
        return found
