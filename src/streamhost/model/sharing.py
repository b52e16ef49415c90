"""Opening a video to somebody without other rights: share links, and the passes that links and passwords become.

A pass says: whoever shows this, and is in that session if it names one, may watch this video until then. It is what a
browser keeps (in a cookie) or a program sends (in a header) instead of the password or the link. Whether the password
is still the same, and the link still open, is looked at every time.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from streamhost.model.clock import Timestamp
from streamhost.model.ids import LinkId, SessionId, UserId, VideoId

MAC_BYTES = 16
"""128 bits of HMAC-SHA256, as in grants."""
ANYBODY = "0"
"""Stands for the session in a pass that was given to somebody who is not signed in."""
BY_PASSWORD, BY_LINK = "p", "l"

_TEXT = re.compile(r"([pl])\.([A-Za-z0-9]{1,64})\.([A-Za-z0-9]{1,64})\.([A-Za-z0-9]{1,64})\.([0-9]{1,12})\.([\w-]{22})")
_LINK = re.compile(r"([A-Za-z0-9]{1,64})\.([\w-]{22})")


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link that opens one video until it expires, is used up (`most_uses`; None: any number) or is taken back."""

    id: LinkId
    video_id: VideoId
    created_at: Timestamp
    expires_at: Timestamp
    note: str = ""
    most_uses: int | None = None
    uses: int = 0
    created_by: UserId | None = None
    revoked_at: Timestamp | None = None

    def stands(self, now: Timestamp) -> bool:
        """Whether who has opened the video by it may still watch."""
        return self.revoked_at is None and now < self.expires_at

    def open(self, now: Timestamp) -> bool:
        """Whether it may be used once more."""
        return self.stands(now) and (self.most_uses is None or self.uses < self.most_uses)


@dataclass(frozen=True, slots=True)
class Admission:
    """Why somebody may watch what is not open to them otherwise: by a link (else a password), and until when."""

    until: Timestamp
    link_id: LinkId | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says. `reference` is the link's id, or the mark of the password that was given."""

    kind: str
    video_id: VideoId
    reference: str
    session: str
    until: int


def sealed(key: bytes, claims: Pass) -> str:
    """The text of a pass."""
    words = f"{claims.kind}.{claims.video_id}.{claims.reference}.{claims.session}.{claims.until}"
    return f"{words}.{_mac(key, 'pass ' + words)}"


def opened(key: bytes, text: str) -> Pass | None:
    """The pass that `text` is; None if it is none of ours. Whether it has run out is not looked at here."""
    found = _TEXT.fullmatch(text)
    if found is None or not hmac.compare_digest(_mac(key, "pass " + text[: found.start(6) - 1]), found[6]):
        return None
    return Pass(found[1], VideoId(found[2]), found[3], found[4], int(found[5]))


def held_by(claims: Pass, session_id: SessionId | None) -> bool:
    """Whether somebody in that session may show it."""
    return claims.session in (ANYBODY, session_id)


def link_token(key: bytes, link_id: LinkId) -> str:
    """The text that stands in a share link's address."""
    return f"{link_id}.{_mac(key, 'link ' + link_id)}"


def link_of(key: bytes, token: str) -> LinkId | None:
    """The id in a share link's text; None if it is none of ours."""
    found = _LINK.fullmatch(token)
    if found is None or not hmac.compare_digest(_mac(key, "link " + found[1]), found[2]):
        return None
    return LinkId(found[1])


def password_mark(key: bytes, password_hash: str) -> str:
    """A mark that changes with the password and says nothing about it: 32 hex digits."""
    return hmac.digest(key, f"password {password_hash}".encode(), "sha256")[:16].hex()


def _mac(key: bytes, words: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, words.encode(), "sha256")[:MAC_BYTES]).rstrip(b"=").decode()
