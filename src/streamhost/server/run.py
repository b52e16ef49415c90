"""Running the server: granian inside the program's own loop, from the first socket to the last goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from streamhost import log
from streamhost.config import Settings
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.server.app import create_app
from streamhost.server.delivery import delivery_of
from streamhost.server.door import ASGIApp, Door
from streamhost.server.listening import BACKLOG, Listener, allow_files, listen
from streamhost.server.objects import media_sites, objects_of
from streamhost.server.proxies import Proxies
from streamhost.server.resting import rest
from streamhost.server.stores import shared_cache
from streamhost.server.straight import MediaPort
from streamhost.server.turns import Turns

CONNECTIONS = 1024
"""Connections served at once; more wait in the kernel's queue (backpressure)."""
HEADER_BYTES = 64 * 1024
"""A request's head and the read buffer of a connection; larger heads are answered with 431."""
READING_THREADS = 32
"""Threads that read large files from disk, at most; they are made when needed."""
HEADER_MILLISECONDS = 30_000
"""A client that has not sent its whole head by then is cut off (slow loris)."""
TIDYING_SECONDS = 0.25
"""How often a server that ends looks for garbage: milliseconds, as what was loaded at its start is left out."""
FAREWELL_SECONDS = 2.0
"""How long the parts may still take to stop after the second signal."""
QUIET_LOGGERS: dict[str, Any] = {
    "version": 1,
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
"""Granian speaks through our own log, and only of errors."""

Announce = Callable[[Listener, Host], Awaitable[None]]
"""Called once requests are answered."""

_logger = log.get("server")


_holder: Any = SocketHolder
"""Its published signature leaves out the arguments: file descriptor, whether a Unix socket, backlog."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Somebody has asked for the server to start anew. `port`: where it listened, 0 for a Unix socket."""

    port: int


class _Embedded(Server):
    """Granian's embedded server on a socket that is bound already."""

    def __init__(self, app: Door, listener: Listener) -> None:
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.auto,
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            runtime_blocking_threads=READING_THREADS,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=HEADER_BYTES),
            log_level=LogLevels.error,
            log_dictconfig=QUIET_LOGGERS,
        )
        self._listener = listener
        self._shd: Any

    def _init_shared_socket(self) -> None:
        self._shd = _holder(self._listener.socket.detach(), self._listener.is_unix, BACKLOG)

    def end(self) -> None:
        """Stop accepting; `serve` returns once the last request is answered. Safe to call twice."""
        self.interrupt_signal = True
        self.main_loop_interrupt.set()


async def run(settings: Settings, announce: Announce, *, restarts: bool = False) -> Restart | None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered and give jobs back. A second signal hurries.

    `restarts`: whoever calls this can begin it anew in its own place, if an administrator asks for that; the answer is
    then how. Raises what keeps a server from starting: `DataDirectoryUnusable`, `InstanceLocked`, `CannotListen`,
    errors of the catalog.
    """
    instance = open_instance(settings.data)
    with instance.lock() as lock:
        allow_files()
        listener = listen(settings.server.host, settings.server.port)
        media = _listen_for_media(settings)
        lock.announce(listener.url)
        signals = _Signals()
        door = Door(Proxies(settings.server).resolve)
        granian = _Embedded(door, listener)
        serving = asyncio.create_task(granian.serve(), name="http")
        try:
            host = await assemble(settings, instance, store=shared_cache(settings, instance))
            desk = host.settings_desk
            desk.rehearse, desk.restart_asked = rehearse, signals.restart if restarts else None
            try:
                await _serve(host, door, granian, serving, signals, announce, listener, media)
            finally:
                await host.close()
        finally:
            if media is not None:
                media.socket.close()
            granian.end()
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(serving, FAREWELL_SECONDS)
            listener.remove()
    return Restart(listener.port) if signals.restart.is_set() else None


def _listen_for_media(settings: Settings) -> Listener | None:
    server = settings.server
    return listen(server.host, server.media_port, "server.media_port") if server.media_port else None


async def rehearse(settings: Settings) -> None:
    """Do what a start with these settings does, short of listening, beside what runs. Raises what would end it."""
    Proxies(settings.server)
    instance = open_instance(settings.data)
    host = await assemble(settings, instance, store=shared_cache(settings, instance))
    try:
        await asyncio.to_thread(create_app, host)  # it takes a quarter of a second, and somebody is watching
    finally:
        await host.close()


async def _serve(
    host: Host,
    door: Door,
    granian: _Embedded,
    serving: asyncio.Task[None],
    signals: _Signals,
    announce: Announce,
    listener: Listener,
    media: Listener | None,
) -> None:
    app = create_app(host)
    async with app.lifespan(), contextlib.AsyncExitStack() as stack:
        await host.start()
        delivery = delivery_of(host)
        closing: Callable[[float], Awaitable[None]] | None = None
        if media is not None:
            closing = MediaPort(media.socket, delivery, host.measures).close
            stack.push_async_callback(closing, 0.0)  # however this ends, and also where somebody is in a hurry
        turns = Turns(cast(ASGIApp, app), host.accounts.hashing_at_once + 1)
        door.open(turns, delivery, objects_of(host, delivery), media_sites(host), host.measures)
        gc.freeze()  # what is loaded stays: looking through all of it again and again would hold up every request
        await announce(listener, host)
        _logger.info("The server is ready", action="server_ready", address=listener.url)
        resting = asyncio.create_task(rest(host.measures), name="rest")
        reasons = [asyncio.create_task(event.wait()) for event in (signals.asked, signals.restart)]
        await asyncio.wait((*reasons, serving), return_when=asyncio.FIRST_COMPLETED)
        for waiting in (resting, *reasons):
            waiting.cancel()
        _logger.info("The server is stopping", action="server_stopping")
        door.close()
        granian.end()
        patience = host.settings.server.shutdown_seconds
        draining = asyncio.create_task(drain(serving, patience))
        stopping = asyncio.create_task(host.stop(patience))
        hurried = asyncio.create_task(signals.hurried.wait())
        ending = asyncio.gather(draining, stopping, *([closing(patience)] if closing is not None else []))
        await asyncio.wait((ending, hurried), return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            draining.cancel()
            await asyncio.wait((stopping,), timeout=FAREWELL_SECONDS)
        hurried.cancel()
        if stopping.done():
            await stopping


async def drain(serving: asyncio.Task[None], patience: float) -> None:
    """Wait until the last request is answered, but not for ever.

    An error that was raised on the way is in a circle with the frames that it passed, and with what they knew,
    granian's part of the request included: that keeps the connection of a client that was answered and does not send
    the rest of its body. A server that ends makes so little that nobody would look for such circles any more.
    """
    deadline = time.monotonic() + patience
    while not serving.done() and (left := deadline - time.monotonic()) > 0:
        gc.collect()
        await asyncio.wait((serving,), timeout=min(left, TIDYING_SECONDS))
    if not serving.done():
        _logger.warning("Requests were cut off", action="requests_cut_off", after_seconds=patience)
    else:
        await serving


class _Signals:
    """SIGTERM and SIGINT as events: the first asks, the second hurries. And the wish to start anew, which asks too."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()
        self.restart = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._received)

    def _received(self) -> None:
        (self.hurried if self.asked.is_set() else self.asked).set()
