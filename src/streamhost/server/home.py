"""The address of this site, as it stands in what goes out to other sites."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request

from streamhost.config import Settings

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def home_of(request: Request[Any, Any, Any], settings: Settings) -> str:
    """Scheme and host: as set, else as the one asking reached us. Answers made of the latter are for that one alone:
    see `shareable`."""
    if settings.server.public_url:
        return settings.server.public_url
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host if _HOST.fullmatch(host) else 'localhost'}"


def shareable(settings: Settings, seconds: int) -> str:
    """`Cache-Control` of an answer with whole addresses in it: caches between may keep it only where nobody but the
    administrator says what the address is."""
    return f"{'public' if settings.server.public_url else 'private'}, max-age={seconds}"
