"""What a CDN may fetch, and ask, below `/o/`: single objects by a ticket, any object and any grant by the CDN's secret.

Deny by default: without a ticket that is good for this very object, or the secret of `cdn.pull_secret`, nothing is
answered but a refusal. Only files of packaged sets are ever sent, never an upload or anything else that is stored.

- `/o/<ticket>/videos/<id>/<package>/…`: whoever has the ticket.
- `/o/videos/<id>/<package>/…`: whoever knows the secret (header `Streamhost-Edge`).
- `/o/grant/<what>/<grant>/<video>`: likewise. An edge asks whether a grant counts; `what` is `segment`, `poster` or
  `file` (anything else). 204 tells in `Streamhost-Prefix` below which key the objects lie, 403 refuses.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final

from streamhost import log
from streamhost.config import media_url
from streamhost.host import Host
from streamhost.model.errors import Forbidden, NotFound, StreamhostError
from streamhost.model.grants import POSTER_ONLY, Grant, Grants, InvalidGrant
from streamhost.model.ids import VideoId
from streamhost.model.tickets import Tickets
from streamhost.model.videos import DOWNLOADS, package_prefix
from streamhost.server.delivery import FOREVER, NO_PACKAGES, PREFLIGHT, Delivery
from streamhost.server.door import Headers, Message, Receive, Scope, Send
from streamhost.server.granted import MethodNotAllowed, answer, check_origin, refuse
from streamhost.server.remote import bucket_origin

SECRET_HEADER: Final = b"streamhost-edge"
PREFIX_HEADER: Final = b"streamhost-prefix"
BELIEVED_SECONDS = 5
"""For how long an edge may believe what was said about a grant: the better part of the ten seconds within which a
revoked one must be worth nothing everywhere."""
LONG = b"public, max-age=31536000, immutable"
VARIES = (b"vary", b"Streamhost-Edge")
"""Should another cache stand between: nobody without the secret gets what somebody with it was sent."""

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"
_OBJECT = re.compile(
    rf"/o/(?:([0-9a-f]{{8,11}}-[A-Za-z0-9_-]{{22}})/)?"
    rf"(videos/[A-Za-z0-9]{{1,64}}/([A-Za-z0-9]{{1,64}})/((?:{_PART}/){{0,4}}{_PART}))"
)
_ASKED = re.compile(r"/o/grant/(segment|file|poster)/([^/]{1,512})/([^/]{1,64})")
_logger = log.get("delivery")


class NotAnEdge(Forbidden):
    """This is for the site's own CDN alone."""

    code = "not_an_edge"
    hint = "A CDN proves who it is by the header Streamhost-Edge with the value of cdn.pull_secret."


class Objects:
    """An ASGI application for everything below `/o/`."""

    def __init__(
        self, delivery: Delivery, tickets: Tickets, grants: Grants, secret: str, used: Callable[[Grant], None]
    ) -> None:
        """`secret`: what the CDN proves itself by; empty: none may. `used` hears of every grant for segments that an
        edge asks about, and may refuse it by raising."""
        self._delivery = delivery
        self._tickets = tickets
        self._grants = grants
        self._secret = secret.encode("latin-1")
        self._used = used

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        try:
            if method == "OPTIONS":
                await answer(send, 204, PREFLIGHT)
                return
            if method not in ("GET", "HEAD"):
                raise MethodNotAllowed
            if asked := _ASKED.fullmatch(path):
                self._check_edge(scope)
                await self._about_grant(scope, send, *asked.groups())
            elif found := _OBJECT.fullmatch(path):
                await self._object(scope, receive, send, *found.groups())
            else:
                raise NotFound
        except StreamhostError as error:
            await refuse(send, method, error)
        except ConnectionAbortedError:
            raise
        except Exception as error:
            _logger.exception("an object could not be sent", action="object_failed", path=path)
            await refuse(send, method, error)

    def _check_edge(self, scope: Scope) -> None:
        """Raise `NotAnEdge` unless the request proves that the site's own CDN sends it."""
        said = next((value for name, value in scope["headers"] if name == SECRET_HEADER), b"")
        if not self._secret or not hmac.compare_digest(said, self._secret):
            raise NotAnEdge

    async def _object(
        self, scope: Scope, receive: Receive, send: Send, ticket: str | None, key: str, package: str, name: str
    ) -> None:
        if ticket is None:
            self._check_edge(scope)
            left = None
        else:
            left = self._tickets.check(ticket, key)
        if package in NO_PACKAGES or name.startswith(DOWNLOADS):
            raise NotFound

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                message = {**message, "headers": _for_caches(message["headers"], left)}
            await send(message)

        await self._delivery.give(scope, receive, told, key)

    async def _about_grant(self, scope: Scope, send: Send, what: str, text: str, video_id: str) -> None:
        grant = self._grants.check(text, video_id)
        check_origin(scope, grant)
        if grant.flags & POSTER_ONLY and what != "poster":
            raise InvalidGrant
        if grant.package_id in NO_PACKAGES:
            raise NotFound
        if what == "segment":
            self._used(grant)
        headers: Headers = [
            (PREFIX_HEADER, package_prefix(VideoId(video_id), grant.package_id).encode()),
            (b"cache-control", b"private, max-age=%d" % BELIEVED_SECONDS),
            VARIES,
        ]
        await answer(send, 204, headers)


def _for_caches(headers: Headers, left: float | None) -> Headers:
    """What caches are told: for ever what never changes, or until the ticket ends (`left` seconds)."""
    rule = dict(headers).get(b"cache-control", b"")
    if left is not None:
        rule = b"public, max-age=%d" % int(left)
    elif rule == FOREVER:
        rule = LONG
    else:
        rule = rule.replace(b"private", b"public")
    kept = [pair for pair in headers if pair[0] != b"cache-control"]
    return [*kept, (b"cache-control", rule), *([VARIES] if left is None else [])]


def objects_of(host: Host, delivery: Delivery) -> Objects:
    """What a CDN may fetch of a house."""
    return Objects(delivery, host.tickets, host.grants, host.settings.cdn.pull_secret, host.streams.used)


def media_sites(host: Host) -> list[str]:
    """The other origins that pages load media from."""
    return [site for site in (host.addresses.site, bucket_origin(host), media_url(host.settings.server)) if site]
