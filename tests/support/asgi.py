"""Asking an ASGI application as a server does, and what it says to that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamhost.server.door import ASGIApp

PATHSEND = "http.response.pathsend"


async def told(
    app: ASGIApp, path: str, method: str = "GET", *, offers: Sequence[str] = (PATHSEND,), **headers: str
) -> list[Any]:
    """The messages that a server which `offers` these extensions is told."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "extensions": {name: {} for name in offers},
    }
    await app(scope, receive, send)
    return sent
