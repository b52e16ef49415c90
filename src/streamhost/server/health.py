"""Probes for whoever runs the server: does it live, has it started, can it take requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from streamhost.features.health import Health
from streamhost.server.auth import AnyRequest, address_of, public

NO_STORE = {"Cache-Control": "no-store"}
WELL = "ok"
UNAVAILABLE = 503
BEATS, BEAT = 3, 0.3
"""How many events `/probez` sends, and the seconds between two."""


@get("/livez", guards=[public], tags=["operations"], media_type="application/json")
async def livez() -> Response[dict[str, str]]:
    """The process lives and its loop turns; restart it when this fails."""
    return Response({"status": WELL}, headers=NO_STORE)


@get("/startupz", guards=[public], tags=["operations"], media_type="application/json")
async def startupz() -> Response[dict[str, str]]:
    """The start is complete: 503 until migrations are done and every part runs, 200 from then on."""
    return Response({"status": WELL}, headers=NO_STORE)


@get("/readyz", guards=[public], tags=["operations"], media_type="application/json")
async def readyz(health: NamedDependency[Health]) -> Response[dict[str, Any]]:
    """Requests can be served: the catalog answers, the storage takes writes, the worker runs. 503 names what fails."""
    report = await health.report()
    well = not any(report.values())
    parts = {name: wrong or WELL for name, wrong in report.items()}
    return Response(
        {"status": WELL if well else "failing", "parts": parts},
        status_code=200 if well else UNAVAILABLE,
        headers=NO_STORE,
    )


@get("/probez", guards=[public], tags=["operations"], media_type="text/event-stream")
async def probez(request: AnyRequest) -> ServerSentEvent:
    """Three events in about a second, for whoever sets up a proxy: do they come one by one, and what does the server
    hear of the one who asks? `hops`: how many addresses proxies wrote down; `after`: seconds since the first event."""
    heard = {name: request.headers.get(name, "") for name in ("x-forwarded-for", "forwarded")}
    seen = {
        "address": address_of(request),
        "scheme": request.scope["scheme"],
        "host": request.headers.get("host", ""),
        "hops": {name: len([hop for hop in text.split(",") if hop.strip()]) for name, text in heard.items()},
    }
    headers = {**NO_STORE, "X-Accel-Buffering": "no"}
    return ServerSentEvent(_beats(seen), headers=headers)


async def _beats(seen: dict[str, Any]) -> AsyncIterator[ServerSentEventMessage]:
    for number in range(BEATS):
        if number:
            await asyncio.sleep(BEAT)
        yield ServerSentEventMessage(data=json.dumps({**seen, "after": number * BEAT}))


routes = [livez, startupz, readyz, probez]
