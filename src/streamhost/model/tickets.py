"""Tickets: signed addresses of single objects, `/o/<ticket>/<key>`, for caches that cannot ask whether a grant counts.

A ticket is good for one object until a moment, for whoever has it. It also names how often the video was withdrawn
(the moment of the last time), so that closing a video ends every ticket for it, and tickets given later have other
addresses, of which no cache has a copy.

Layout of the text: the moment in seconds since 1970 as hexadecimal digits, `-`, then the first 16 bytes of HMAC-SHA256
over moment, withdrawal and key as base64url without padding.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable

from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import StreamhostError

OBJECTS = "/o/"
"""Where the addresses of single objects begin."""
SIGNATURE_BYTES = 16
"""128 bits of HMAC-SHA256, as in grants."""
TICKET = re.compile(r"([0-9a-f]{8,11})-[A-Za-z0-9_-]{22}")

Withdrawn = Callable[[str], Timestamp]
"""When a video was last withdrawn, by its id; 0 for never (or so long ago that no ticket is left of that time)."""


class InvalidTicket(StreamhostError):
    """This address is not good for this object, or no longer."""

    code = "invalid_ticket"
    permanent = True


class Tickets:
    """Makes tickets and checks them, with one key of the instance."""

    def __init__(self, key: bytes, clock: Clock, withdrawn: Withdrawn = lambda _video_id: 0.0) -> None:
        self._key = key
        self._clock = clock
        self._withdrawn = withdrawn

    def path(self, key: str, expires_at: Timestamp) -> str:
        """The path of an object until `expires_at` (whole seconds)."""
        moment = f"{int(expires_at):08x}"
        return f"{OBJECTS}{moment}-{self._signature(moment, key)}/{key}"

    def check(self, ticket: str, key: str) -> float:
        """For how many more seconds the ticket is good for the object. Raises `InvalidTicket`."""
        found = TICKET.fullmatch(ticket)
        if found is None:
            raise InvalidTicket
        moment = found[1]
        left = int(moment, 16) - self._clock()
        expected = f"{moment}-{self._signature(moment, key)}"
        if not hmac.compare_digest(expected.encode(), ticket.encode()) or left <= 0:
            raise InvalidTicket
        return left

    def _signature(self, moment: str, key: str) -> str:
        withdrawn = round(self._withdrawn(_video_of(key)) * 1000)
        text = f"{moment}\n{withdrawn}\n{key}".encode()
        digest = hmac.digest(self._key, text, "sha256")[:SIGNATURE_BYTES]
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _video_of(key: str) -> str:
    """The id of the video that an object belongs to, `videos/<id>/…`."""
    parts = key.split("/", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "videos" else ""
