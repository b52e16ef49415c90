"""Where viewers get segments: from this server, or sent on to an address at the CDN."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from streamhost import log
from streamhost.model.cdn import Onward, Way, shared_expiry
from streamhost.model.clock import MINUTE, Clock, Timestamp
from streamhost.ports import Cdn

REMEMBERED_SECONDS = MINUTE
"""For how long a browser may take the same way again without asking: shorter than any address lives."""
COMPLAIN_EVERY = MINUTE
"""Seconds between two lines in the log about a CDN that gives no addresses: every segment would be one."""


class Addresses:
    """Makes addresses at the CDN, the same for everybody who asks within one window of time."""

    def __init__(self, cdn: Cdn, clock: Clock, window: float) -> None:
        """`window` in seconds; an address lives for one to two of them."""
        self._cdn = cdn
        self._clock = clock
        self._window = window
        self._complained = 0.0
        self._log = log.get("cdn")

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

    def onward(self, key: str) -> Onward | None:
        """Where to get an object at the CDN; None where it gives no address, so that the film plays on from here."""
        now = self._clock()
        until = shared_expiry(now, self._window)
        age = min(REMEMBERED_SECONDS, self._window / 2)
        try:
            url: Any = self._cdn.url(key, until)
            wrong = "" if _is_address(url) else f"What it gives is no address: {str(url)[:100]!r}"
        except Exception as error:  # a plugin's, which may raise anything
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            self._complain(now, wrong)
            return None
        return Onward(url, int(age))

    def _complain(self, now: Timestamp, words: str) -> None:
        if now - self._complained >= COMPLAIN_EVERY:
            self._complained = now
            self._log.error("The CDN gives no addresses; segments come from here", action="cdn_failed", error=words)


def _is_address(url: Any) -> bool:
    """Whether a browser can be sent there, and nothing else than an address gets into the answer's head."""
    if not isinstance(url, str):
        return False
    return url.isascii() and url.isprintable() and " " not in url and url.startswith(("http://", "https://"))
