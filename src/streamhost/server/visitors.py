"""Under which name it is remembered what somebody watches: an account, a browser's visit, or none at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from streamhost.server.auth import AnyConnection, viewer_of, visit_of

VISIT_DIGEST = 11
"""Bytes of a visit's name: 88 bits, so that no two are alike, and the cookie cannot be had from it."""


def wants_privacy(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks not to be tracked: Global Privacy Control (`Sec-GPC: 1`), or `DNT: 1` of its elder."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1"


def visit_name(connection: AnyConnection) -> str:
    """The name of this browser's visit, which lasts until it is closed; empty if it has none."""
    visit = visit_of(connection)
    return hashlib.blake2b(visit.encode(), digest_size=VISIT_DIGEST).hexdigest() if visit else ""


def viewer_name(connection: AnyConnection) -> str:
    """The `viewer` of interactions that whoever asks is: `u:<user id>`, `s:<visit>`, or empty for somebody of whom
    nothing is to be remembered, or can be."""
    if wants_privacy(connection.headers):
        return ""
    if user_id := viewer_of(connection).id:
        return f"u:{user_id}"
    return f"s:{name}" if (name := visit_name(connection)) else ""
