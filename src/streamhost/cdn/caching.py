"""CDNs that fetch what they do not have: filled by asking them, and emptied by a request to an address of theirs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamhost.cdn.asking import Asking
from streamhost.cdn.keys import check_object, check_prefix
from streamhost.model.cdn import Way, shared_expiry
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.tickets import Tickets

LONGEST_LIST = 100
"""Prefixes told in one request to drop copies."""


@dataclass(frozen=True, slots=True)
class Purging:
    """How copies are dropped: by a POST of `{"prefixes": [...]}` to `url`, with `token` as its bearer token."""

    url: str
    token: str = field(default="", repr=False)


class CdnThatCaches:
    """What pull CDNs have in common; how their addresses are made is theirs."""

    way: Way = Way.REDIRECT

    def __init__(self, base_url: str, clock: Clock, window: float, asking: Asking, purging: Purging | None) -> None:
        """`window` in seconds: addresses made within it are the same for all. Without `purging`, copies stay until the
        CDN drops them by itself."""
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        self._window = window
        self._asking = asking
        self._purging = purging

    def url(self, key: str, expires_at: Timestamp) -> str:
        """Where anybody gets the object until then."""
        return f"{self.base_url}/{check_object(key)}"

    async def push(self, keys: Sequence[str]) -> None:
        """Ask for each object by the address that viewers get at the moment, and throw the bytes away."""
        until = shared_expiry(self._clock(), self._window)
        addresses = [self.url(key, until) for key in keys]
        try:
            async with asyncio.TaskGroup() as group:
                for address in addresses:
                    group.create_task(self._asking.ask("GET", address))
        except ExceptionGroup as failures:
            # One tells enough; the others were given up when it failed.
            raise failures.exceptions[0] from None

    async def purge(self, prefixes: Sequence[str]) -> None:
        """Tell the CDN's address for that, if it has one."""
        checked = [check_prefix(prefix) for prefix in prefixes]
        if self._purging is None:
            return
        headers = {"Content-Type": "application/json"}
        if self._purging.token:
            headers["Authorization"] = f"Bearer {self._purging.token}"
        for start in range(0, len(checked), LONGEST_LIST):
            body = json.dumps({"prefixes": checked[start : start + LONGEST_LIST]}).encode()
            await self._asking.ask("POST", self._purging.url, headers, body)


class PullCdn(CdnThatCaches):
    """Any CDN with this server as its origin and no keys of its own: the ticket in the path is what opens an object.

    The CDN asks this server once for each address and place, and this server says by `Cache-Control` that the copy
    ends with the ticket. So nothing has to be set up there but the origin and that it heeds `Cache-Control`."""

    def __init__(
        self,
        base_url: str,
        tickets: Tickets,
        clock: Clock,
        window: float,
        asking: Asking,
        purging: Purging | None = None,
    ) -> None:
        super().__init__(base_url, clock, window, asking, purging)
        self._tickets = tickets

    def url(self, key: str, expires_at: Timestamp) -> str:
        """The ticket's path at the CDN."""
        return self.base_url + self._tickets.path(check_object(key), expires_at)


class SecureLinkCdn(CdnThatCaches):
    """nginx as a cache that checks signatures by itself (module `secure_link`), or a CDN that speaks the same.

    The signature is the one of nginx's manual: `secure_link_md5 "$secure_link_expires$uri <secret>"`, in the arguments
    `md5` and `expires`. nginx leaves them out of its cache key, so one copy serves every signature."""

    def __init__(
        self,
        base_url: str,
        secret: str,
        clock: Clock,
        window: float,
        asking: Asking,
        purging: Purging | None = None,
    ) -> None:
        super().__init__(base_url, clock, window, asking, purging)
        self._secret = secret
        self._links = self.base_url
        self._path = urlsplit(self.base_url).path

    def url(self, key: str, expires_at: Timestamp) -> str:
        """The object's address with the signature of its path."""
        moment = int(expires_at)
        text = f"{moment}{self._path}/{check_object(key)} {self._secret}"
        # MD5 is what nginx computes; the secret at the end keeps anybody from going on with a hash that is known.
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{self._links}/{key}?md5={signature}&expires={moment}"
