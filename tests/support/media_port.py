"""The port for media in the loop of a test, with a delivery path of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamhost.measures import Measures
from streamhost.server.delivery import Delivery
from streamhost.server.listening import listen
from streamhost.server.straight import MediaPort


@asynccontextmanager
async def media_port(delivery: Delivery, measures: Measures | None = None, patience: float = 0.0) -> AsyncIterator[str]:
    """Its address. `patience`: how long what is being answered at the end may take, in seconds."""
    listener = listen("127.0.0.1", 0)
    port = MediaPort(listener.socket, delivery, measures or Measures())
    try:
        yield listener.url
    finally:
        await port.close(patience)
