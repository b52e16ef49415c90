"""The links in mails: signed by itsdangerous, good for a while, and void once what they change has changed.

A token names a user and carries a fingerprint of what it was made for: the unverified address, the old password, the
old address. Whatever changes that voids every token made before, so each works once; nothing has to be remembered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer

from streamhost.features.accounts.errors import InvalidLink, LinkExpired, LinkUsed
from streamhost.model.clock import DAY, HOUR, MINUTE, Clock, Timestamp
from streamhost.model.ids import UserId, is_id

TOKEN_LENGTH = 2048
"""Ours have about 400 characters at most."""
FINGERPRINT_BYTES = 15


class LinkKind(StrEnum):
    """What a link is for: also the salt of its signature, so that no token serves for anything else."""

    VERIFY = "verify-email"
    RESET = "reset-password"
    CHANGE = "change-email"
    CODE = "code-of-second-factor"
    """In no mail: it stands in the form that asks for a code, and proves that the password was right."""


PATHS = {LinkKind.VERIFY: "/verify", LinkKind.RESET: "/reset", LinkKind.CHANGE: "/account/email/confirm"}
"""The pages that links lead to, with `?token=`."""
INVITATION_PATH = "/register"
"""The page for the invited, with `?invitation=`."""
FORGOT_PATH = "/forgot"
SIGN_IN_PATH = "/login"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a token says: it is signed by us and has not expired. Whether it still fits is for `Links.check` to say."""

    user_id: UserId
    fingerprint: str
    extra: str


class Links:
    """Makes links and opens them. `home` is the address of the site, without a slash at its end."""

    def __init__(self, key: bytes, clock: Clock, home: str) -> None:
        self._key = key
        self._clock = clock
        self.home = home

    def token(self, kind: LinkKind, user_id: UserId, bound_to: str, life: float, extra: str = "") -> str:
        """A token for `life` seconds, void once `bound_to` is no longer what it is now."""
        expires = int(self._clock() + life)
        return self._serializer(kind).dumps([user_id, expires, self._fingerprint(kind, bound_to), extra])

    def url(self, kind: LinkKind, token: str) -> str:
        """The link that goes into a mail."""
        return f"{self.home}{PATHS[kind]}?token={quote(token, safe='')}"

    def open(self, kind: LinkKind, token: str) -> OpenedLink:
        """Check signature and time. Raises `InvalidLink` or `LinkExpired`."""
        if len(token) > TOKEN_LENGTH:
            raise InvalidLink
        try:
            user_id, expires, fingerprint, extra = self._serializer(kind).loads(token.encode("utf-8", "replace"))
        except (BadData, ValueError, TypeError) as error:
            raise InvalidLink from error
        if not is_id(user_id):
            raise InvalidLink
        if self._clock() >= expires:
            raise LinkExpired
        return OpenedLink(UserId(user_id), fingerprint, extra)

    def check(self, kind: LinkKind, link: OpenedLink, bound_to: str) -> None:
        """Raise `LinkUsed` unless what the token was made for is still as it was."""
        if not hmac.compare_digest(link.fingerprint, self._fingerprint(kind, bound_to)):
            raise LinkUsed

    def _serializer(self, kind: LinkKind) -> URLSafeSerializer:
        signing = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self._key, salt=f"streamhost.{kind}", signer_kwargs=signing)

    def _fingerprint(self, kind: LinkKind, bound_to: str) -> str:
        """Keyed, so that a token tells nothing of what it is bound to."""
        mac = hmac.digest(self._key, f"{kind}\n{bound_to}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac[:FINGERPRINT_BYTES]).decode()


def span(seconds: Timestamp) -> str:
    """A span in words: `48 hours`, `60 minutes`, `7 days`."""
    for unit, words in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        count = round(seconds / unit)
        if count >= 2 or unit is MINUTE:
            return f"{max(count, 1)} {words}{'' if count <= 1 else 's'}"
    raise AssertionError
