"""Addresses that every site has in the same place (RFC 8615)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from streamhost.config import Settings
from streamhost.model.errors import NotFound
from streamhost.server.auth import public
from streamhost.server.home import home_of

GOOD_FOR = timedelta(days=180)
"""How long the contact may be relied on; at most a year is recommended (RFC 9116, 2.5.5)."""
A_DAY = 24 * 3600


@get("/.well-known/security.txt", guards=[public], include_in_schema=False)
async def security_txt(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[str]:
    """Whom to tell of a hole (RFC 9116); nothing where nobody is named."""
    contact = settings.server.security_contact
    if not contact:
        raise NotFound
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {contact}",
        f"Expires: {(midnight + GOOD_FOR).isoformat().replace('+00:00', 'Z')}",
        "Preferred-Languages: en",
        f"Canonical: {home_of(request, settings)}/.well-known/security.txt",
    ]
    headers = {"Cache-Control": f"private, max-age={A_DAY}"}
    return Response("".join(f"{line}\n" for line in lines), media_type="text/plain; charset=utf-8", headers=headers)


@get("/.well-known/change-password", guards=[public], include_in_schema=False)
async def change_password() -> Redirect:
    """Where managers of passwords send people (W3C, A Well-Known URL for Changing Passwords)."""
    return Redirect("/account/security", status_code=302)


routes = [security_txt, change_password]
