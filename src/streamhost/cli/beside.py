"""Commands on a data directory: they open what a server has made there, beside it or while none runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import click

from streamhost import log
from streamhost.config import Settings, load
from streamhost.host import Host, assemble
from streamhost.host_basis import CATALOG_FILE
from streamhost.instance import Instance, open_instance
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class NoCatalog(StreamhostError):
    """There is no catalog in that data directory, so no work and no keys either."""

    code = "no_catalog"
    hint = "Name the directory that the server uses: --data, or STREAMHOST_DATA."
    permanent = True


class Page(Protocol[T_co]):
    """A page of a list, as rooms give it."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on it."""
        ...

    @property
    def next_cursor(self) -> str | None:
        """Where the next one begins."""
        ...


def settings_of(data: Path | None) -> Settings:
    """The settings of a data directory, where only what is wrong is logged."""
    settings = load(data)
    log.configure("warning", settings.log.format)
    return settings


def settings_beside(data: Path | None) -> Settings:
    """The settings of a data directory where a server has run, for a command that works beside it.

    Raises `NoCatalog` where none ever has: looking makes no instance, and finds nothing by mistake."""
    settings = settings_of(data)
    if not (settings.data / CATALOG_FILE).exists():
        raise NoCatalog(str(settings.data))
    return settings


def with_host(settings: Settings, work: Callable[[Host], Awaitable[T]]) -> T:
    """Open the instance without becoming its server, do `work`, and close it."""

    async def run() -> T:
        host = await assemble(settings, open_instance(settings.data))
        try:
            return await work(host)
        finally:
            await host.close()

    return asyncio.run(run())


def in_folder(work: Callable[[Host], Awaitable[T]]) -> Callable[[Path | None], T]:
    """What does `work` in a data directory, beside a running server or without one.

    Raises `NoCatalog` where no server has ever run."""
    return lambda data: with_host(settings_beside(data), work)


class Beside:
    """The same for a command that does several things: the instance is opened for the first and closed after the last.

    Raises `NoCatalog` where no server has ever run."""

    def __init__(self, data: Path | None) -> None:
        self._settings = settings_beside(data)
        self._instance: Instance | None = None
        self._host: Host | None = None
        self._runner = asyncio.Runner()
        click.get_current_context().call_on_close(self._close)

    def do(self, work: Callable[[Host], Awaitable[T]], *, alone: bool = False) -> T:
        """Do something. `alone`: only while no server runs there. Raises `InstanceLocked` where one does."""
        instance = self._instance = self._instance or open_instance(self._settings.data)

        async def run() -> T:
            self._host = self._host or await assemble(self._settings, instance)
            return await work(self._host)

        with instance.lock() if alone else contextlib.nullcontext():
            return self._runner.run(run())

    def _close(self) -> None:
        try:
            if self._host is not None:
                self._runner.run(self._host.close())
        finally:
            self._runner.close()


async def all_of(pages: Callable[[str | None], Awaitable[Page[T]]], limit: int | None = None) -> list[T]:
    """What is on all pages of a list, at most `limit`; `pages` gives the page at a cursor."""
    found: list[T] = []
    cursor: str | None = None
    while True:
        page = await pages(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None or (limit is not None and len(found) >= limit):
            return found[:limit]


async def known_video(host: Host, video_id: str) -> Video:
    """A video, whosoever it is. Raises `NotFound`."""
    video = await host.catalog.known(VideoId(video_id))
    if video is None:
        raise NotFound(f"There is no video {video_id}.")
    return video
