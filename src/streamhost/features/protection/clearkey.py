"""Clear Key licences: the JSON of W3C Encrypted Media Extensions, sections 9.1.3 and 9.1.4."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from streamhost.features.protection.errors import BadLicenceRequest, NoSuchKey
from streamhost.model.licensing import Licence, LicenceRequest
from streamhost.model.protection import BLOCK, ContentKey, Scheme

SYSTEM = "org.w3.clearkey"
MOST_KIDS = 64
"""Key ids in one request; a presentation has two."""
TYPES = ("temporary", "persistent-license")
_LENGTH = 22
"""Of 16 bytes in base64url without padding."""


class ClearKeyLicenceProxy:
    """Hands the keys out in the clear to whoever has a grant: access control, not copy protection."""

    system = SYSTEM

    async def answer(self, request: LicenceRequest) -> Licence:
        """The keys that were asked for by id. Raises `BadLicenceRequest` and `NoSuchKey`."""
        kids, kind = _asked(request.challenge)
        keys: Mapping[str, ContentKey] = {key.kid: key for key in request.keys}
        missing = [kid for kid in kids if kid not in keys]
        if missing:
            raise NoSuchKey(f"{len(missing)} of the key ids.")
        found = [{"kty": "oct", "k": _text(keys[kid].key), "kid": _text(kid)} for kid in kids]
        return Licence(json.dumps({"keys": found, "type": kind}).encode(), "application/json")

    def boxes(self, _scheme: Scheme, _kids: Sequence[str]) -> Sequence[bytes]:
        """None: the common one, which every package has, is Clear Key's too."""
        return ()


def _asked(challenge: bytes) -> tuple[list[str], str]:
    """The key ids of a request as hex, and the kind of licence."""
    try:
        content: Any = json.loads(challenge)
        kids, kind = content["kids"], content.get("type", TYPES[0])
        if not isinstance(kids, list) or not 0 < len(kids) <= MOST_KIDS or kind not in TYPES:
            raise BadLicenceRequest
        return [_kid(text) for text in dict.fromkeys(kids)], TYPES[0]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadLicenceRequest from error


def _kid(text: Any) -> str:
    if not isinstance(text, str) or not text.isascii() or len(text) != _LENGTH:
        raise ValueError("no key id")
    raw = urlsafe_b64decode(text + "==")
    if len(raw) != BLOCK:
        raise ValueError("no key id")
    return raw.hex()


def _text(digits: str) -> str:
    return urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()
