"""Where viewers get segments: from this server, or sent on to an address at the CDN."""

from __future__ import annotations

from urllib.parse import urlsplit

from streamhost.model.cdn import Onward, Way, shared_expiry
from streamhost.model.clock import MINUTE, Clock
from streamhost.ports import Cdn

REMEMBERED_SECONDS = MINUTE
"""For how long a browser may take the same way again without asking: shorter than any address lives."""


class Addresses:
    """Makes addresses at the CDN, the same for everybody who asks within one window of time."""

    def __init__(self, cdn: Cdn, clock: Clock, window: float) -> None:
        """`window` in seconds; an address lives for one to two of them."""
        self._cdn = cdn
        self._clock = clock
        self._window = window

    @property
    def sends_on(self) -> bool:
        """Whether viewers are sent on to the CDN for each segment."""
        return self._cdn.way is Way.REDIRECT

    @property
    def stream_root(self) -> str:
        """What stands before the path of a stream: the CDN's address if it honours grants, else nothing."""
        return self._cdn.base_url if self._cdn.way is Way.GRANT else ""

    @property
    def site(self) -> str:
        """The origin (scheme, host and port) that players' requests go to besides this server's; empty for none."""
        if not self._cdn.base_url:
            return ""
        parts = urlsplit(self._cdn.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def onward(self, key: str) -> Onward:
        """Where to get an object at the CDN. Raises `CdnRefused` for what is no object of a video."""
        now = self._clock()
        until = shared_expiry(now, self._window)
        age = min(REMEMBERED_SECONDS, self._window / 2)
        return Onward(self._cdn.url(key, until), int(age))
