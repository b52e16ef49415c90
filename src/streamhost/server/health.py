"""Probes for whoever runs the server: does it live, has it started, can it take requests."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from streamhost.features.health import Health
from streamhost.server.auth import public

NO_STORE = {"Cache-Control": "no-store"}
WELL = "ok"
UNAVAILABLE = 503


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


routes = [livez, startupz, readyz]
