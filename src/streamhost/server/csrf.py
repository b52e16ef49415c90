"""Protection against forged requests (CSRF): where a request comes from, and a token that only our own pages know.

Only what a browser sends by itself needs it: cookies. A bearer token has to be sent on purpose.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection

from streamhost.model.errors import Forbidden

HEADER = "x-csrf-token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPE = "application/x-www-form-urlencoded"
FORM_BYTES = 64 * 1024
"""Largest form that is read to look for its token. Everything bigger, and every upload, sends the header."""
FORM_FIELDS = 100
SALT_BYTES = 8
TOKEN_BYTES = SALT_BYTES + 20


class CrossSite(Forbidden):
    """This request was started by another site."""

    code = "cross_site"
    hint = "Open this site itself and try again. Programs on other sites use access tokens."


class CsrfMismatch(Forbidden):
    """The page that sent this is out of date."""

    code = "csrf_mismatch"
    hint = "Reload the page and try again; scripts send the token of their page in X-CSRF-Token."


def make_token(key: bytes, binding: str) -> str:
    """A token for the pages of one session (or one visit). It differs each time, so compression cannot leak it."""
    salt = secrets.token_bytes(SALT_BYTES)
    return base64.urlsafe_b64encode(salt + _mac(key, binding, salt)).decode().rstrip("=")


def token_fits(key: bytes, binding: str, token: str) -> bool:
    """Whether `make_token` has made this token for this binding."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return False
    salt = raw[:SALT_BYTES]
    return len(raw) == TOKEN_BYTES and hmac.compare_digest(raw[SALT_BYTES:], _mac(key, binding, salt))


def check_origin(connection: ASGIConnection[Any, Any, Any, Any], public_url: str) -> None:
    """Raise `CrossSite` when a browser says that another site started this request.

    `Sec-Fetch-Site` cannot be forged by a page and decides where it is sent; else `Origin` must name this host.
    Programs that send neither are no browsers and carry no cookies by accident.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CrossSite
        return
    origin = connection.headers.get("origin")
    if origin is None or (public_url and origin.lower() == public_url):
        return
    host = connection.headers.get("host", "").lower()
    if not host or urlsplit(origin.lower()).netloc != host:
        raise CrossSite


async def sent_token(request: Request[Any, Any, Any]) -> str:
    """The token in the header or, for small urlencoded forms, in the field; empty if there is none."""
    if header := request.headers.get(HEADER):
        return header
    if request.content_type[0] != FORM_TYPE:
        return ""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()) or int(length) > FORM_BYTES:
        return ""
    try:
        fields = parse_qs((await request.body()).decode(), max_num_fields=FORM_FIELDS)
    except ValueError:
        return ""
    return fields.get(FIELD, [""])[0]


def _mac(key: bytes, binding: str, salt: bytes) -> bytes:
    return hmac.digest(key, salt + binding.encode(), "sha256")[: TOKEN_BYTES - SALT_BYTES]
