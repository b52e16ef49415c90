"""The link at the end of every mail of notices: it ends them without signing in (RFC 8058)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from urllib.parse import quote

from streamhost.features.notifications.errors import InvalidUnsubscribeLink
from streamhost.features.notifications.kinds import KINDS
from streamhost.model.ids import UserId, is_id
from streamhost.model.notices import NoticeKind

PATH = "/unsubscribe"
MAC_BYTES = 18
ALL = "all"
LENGTH = 200


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who wants no more mail, and about what; None: about anything."""

    user_id: UserId
    kind: NoticeKind | None


class Unsubscribing:
    """Makes such links and opens them. They work for ever: whoever finds an old mail may want to end it too."""

    def __init__(self, key: bytes, home: str) -> None:
        self._key = key
        self._home = home

    def url(self, user_id: UserId, kind: str | None) -> str:
        """The link of somebody for one kind of notices, or for all."""
        return f"{self._home}{PATH}?token={quote(self.token(user_id, kind), safe='')}"

    def token(self, user_id: UserId, kind: str | None) -> str:
        """What names them in the link."""
        about = f"{user_id}.{kind if kind in KINDS else ALL}"
        return f"{about}.{self._mac(about)}"

    def open(self, token: str) -> Leaving:
        """What a link says. Raises `InvalidUnsubscribeLink`."""
        about, _, mac = token[:LENGTH].rpartition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(about).encode()):
            raise InvalidUnsubscribeLink
        user_id, _, kind = about.partition(".")
        if not is_id(user_id) or (kind != ALL and kind not in KINDS):
            raise InvalidUnsubscribeLink
        return Leaving(UserId(user_id), None if kind == ALL else NoticeKind(kind))

    def _mac(self, about: str) -> str:
        mac = hmac.digest(self._key, about.encode("utf-8", "replace"), "sha256")[:MAC_BYTES]
        return base64.urlsafe_b64encode(mac).decode()
