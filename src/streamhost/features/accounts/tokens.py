"""The pieces of text that prove who is asking: access tokens, session cookies, refresh tokens, the set-up link."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streamhost.features.accounts.errors import InvalidToken
from streamhost.instance import Instance, Purpose
from streamhost.late import late
from streamhost.model.clock import MINUTE, Timestamp
from streamhost.model.ids import SessionId, UserId, is_id

if TYPE_CHECKING:
    import jwt
else:
    jwt = late("jwt")

ALGORITHM = "HS256"
AUDIENCE = "streamhost"
TYPE = "at+jwt"
"""The `typ` of access tokens (RFC 9068, 2.1), so that no other token we may sign one day passes for one."""
REQUIRED_CLAIMS = ("exp", "iat", "iss", "aud", "sub", "sid")
TOKEN_LENGTH = 2048
"""Ours have about 350 characters; longer ones are not worth parsing."""
CLOCK_SKEW = MINUTE
"""How far the clock may have been set back since a token was issued, in seconds."""
REFRESH_BYTES = 32
MAC_BYTES = 20
SETUP_BYTES = 24

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The secrets of this room, 32 bytes for each purpose; `instance` names the installation in its tokens."""

    instance: str
    access_token: bytes = field(repr=False)
    session_cookie: bytes = field(repr=False)
    setup_link: bytes = field(repr=False)
    links: bytes = field(repr=False)
    second_factors: Mapping[int, bytes] = field(repr=False)
    """By key id: the secrets of second factors outlive a change of the master secret."""

    @classmethod
    def of(cls, instance: Instance) -> AccountKeys:
        """The keys that `instance` has for this room."""
        derive = instance.keys.derive
        return cls(
            instance.id,
            derive(Purpose.ACCESS_TOKENS),
            derive(Purpose.COOKIES),
            derive(Purpose.SETUP),
            derive(Purpose.LINKS),
            instance.keys.ring(Purpose.SECOND_FACTORS),
        )


class AccessTokens:
    """Signed JWTs (RFC 7519) that name a user and a session. Only the exact form that `issue` writes is accepted."""

    def __init__(self, key: bytes, issuer: str, lifetime: float) -> None:
        self._key = key
        self._issuer = issuer
        self.lifetime = lifetime
        """Seconds."""

    def issue(self, user_id: UserId, session_id: SessionId, now: Timestamp) -> str:
        """A token for one session, good for `lifetime` seconds."""
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "iat": int(now),
            "exp": int(now + self.lifetime),
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": TYPE})

    def session_of(self, token: str, now: Timestamp) -> tuple[UserId, SessionId]:
        """The user and session that a token names. Raises `InvalidToken` for what we did not sign or what is over."""
        if len(token) > TOKEN_LENGTH or not _COMPACT.fullmatch(token) or not all(map(_canonical, token.split("."))):
            raise InvalidToken("It is malformed.")
        try:
            decoded = jwt.decode_complete(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": list(REQUIRED_CLAIMS),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken("It was not issued here.") from error
        if decoded["header"] != {"alg": ALGORITHM, "typ": TYPE}:
            raise InvalidToken("It was not issued here.")
        claims = decoded["payload"]
        user_id, session_id, issued, expires = (claims[name] for name in ("sub", "sid", "iat", "exp"))
        if not (isinstance(user_id, str) and isinstance(session_id, str) and is_id(user_id) and is_id(session_id)):
            raise InvalidToken("It is malformed.")
        if type(issued) is not int or type(expires) is not int or issued > now + CLOCK_SKEW:
            raise InvalidToken("It is malformed.")
        if now >= expires:
            raise InvalidToken("It has expired.")
        return UserId(user_id), SessionId(session_id)


class SignedNames:
    """A session's id with a MAC, so that reading the catalog is not enough to forge a cookie."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, session_id: SessionId) -> str:
        """The text for the cookie."""
        return f"{session_id}.{self._mac(session_id)}"

    def open(self, text: str) -> SessionId | None:
        """The id in a text that `seal` has made; None for any other text."""
        name, _, mac = text.partition(".")
        if not is_id(name) or not hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(name).encode()):
            return None
        return SessionId(name)

    def _mac(self, name: str) -> str:
        return _base64url(hmac.digest(self._key, name.encode(), "sha256")[:MAC_BYTES])


def new_secret_token() -> str:
    """256 random bits: a refresh token, the end of an API token, an invitation."""
    return secrets.token_urlsafe(REFRESH_BYTES)


def digest_of(token: str) -> str:
    """What the catalog keeps of such a token: SHA-256 in hex. It is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def setup_token_of(key: bytes) -> str:
    """The token of the one-time set-up link: always the same for one installation, so that it outlives restarts."""
    return _base64url(hmac.digest(key, b"first administrator", "sha256")[:SETUP_BYTES])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _canonical(part: str) -> bool:
    """Whether a part is the one base64url text of its bytes (RFC 4648, 3.5: no stray bits); parsers are lenient."""
    try:
        return _base64url(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) == part
    except (binascii.Error, ValueError):
        return False
