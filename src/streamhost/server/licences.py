"""Keys and licences below `/s/<grant>/<video>/`: `key/<kid>` and `license/<system>`.

Raw ASGI beside the delivery path, because here too the grant in the address is the only credential. Unlike segments
these are rare, so they may ask the catalog; no cache may keep anything of it.
"""

from __future__ import annotations

import re

from streamhost import log
from streamhost.features.protection import Protections
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.grants import Grants
from streamhost.server.door import Headers, Receive, Scope, Send
from streamhost.server.granted import METHODS, OPEN_TO_PLAYERS, MethodNotAllowed, answer, check_origin, refuse

LARGEST_CHALLENGE = 64 * 1024
"""Bytes of a licence request; the largest that players send, those with a certificate, have some thousands."""
PLACE = re.compile(r"/s/([^/]+)/([^/]+)/(?:key|license)/[^/]+")
"""What belongs here rather than to the delivery path: never a file."""
LICENCE_METHODS = b"POST, OPTIONS"
NOT_KEPT: Headers = [*OPEN_TO_PLAYERS, (b"cache-control", b"no-store")]

_KEY = re.compile(r"key/([0-9a-f]{32})")
_LICENCE = re.compile(r"license/([a-z0-9-]{1,32})")
_logger = log.get("licences")


class ChallengeTooLarge(StreamhostError):
    """This licence request is too large."""

    code = "challenge_too_large"
    permanent = True


class Licences:
    """An ASGI application for what `PLACE` matches."""

    def __init__(self, grants: Grants, protections: Protections) -> None:
        self._grants = grants
        self._protections = protections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        text, video_id, rest = path.removeprefix("/s/").split("/", 2)
        key, licence = _KEY.fullmatch(rest), _LICENCE.fullmatch(rest)
        methods = METHODS if key else LICENCE_METHODS
        try:
            if method == "OPTIONS":
                await answer(send, 204, _preflight(methods))
                return
            grant = self._grants.check(text, video_id)
            check_origin(scope, grant)
            if key is None and licence is None:
                raise NotFound
            if method.encode() not in methods.split(b", "):
                raise MethodNotAllowed
            if key is not None:
                body, media_type = await self._protections.key(grant, key[1]), "application/octet-stream"
            else:
                assert licence is not None
                challenge = await _body(receive)
                found = await self._protections.licence(grant, licence[1], challenge, _content_type(scope))
                body, media_type = found.body, found.media_type
            # Revoked while the catalog was asked: then nothing leaves.
            self._grants.still_good(grant)
        except StreamhostError as error:
            await refuse(send, method, error, methods)
        except ConnectionAbortedError:
            raise
        except Exception as error:
            _logger.exception("a key could not be handed out", action="licence_failed")
            await refuse(send, method, error, methods)
        else:
            headers: Headers = [
                *NOT_KEPT,
                (b"content-type", media_type.encode()),
                (b"content-length", b"%d" % len(body)),
            ]
            await answer(send, 200, headers, b"" if method == "HEAD" else body)


async def _body(receive: Receive) -> bytes:
    """The request's body. Raises `ChallengeTooLarge`, and `ConnectionAbortedError` if nobody is there any more."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        body += message.get("body", b"")
        if len(body) > LARGEST_CHALLENGE:
            raise ChallengeTooLarge
        if not message.get("more_body"):
            return bytes(body)


def _content_type(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")


def _preflight(methods: bytes) -> Headers:
    return [
        *OPEN_TO_PLAYERS,
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", b"Content-Type"),
        (b"access-control-max-age", b"86400"),
    ]
