"""Notices what happens in the folders, lets files settle, and gives the queue its next ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from streamhost import log
from streamhost.late import late

if TYPE_CHECKING:
    import watchfiles
else:
    watchfiles = late("watchfiles")

LOOK_EVERY = 2.0
"""Seconds between two looks at what settles or waits: as often as the worker looks for jobs of other processes."""
DEBOUNCE_MS = 800
STEP_MS = 100
MANY = 200
"""Changed folders in one go above which everything is searched instead."""
AGAIN = 60.0
"""Seconds until watching is tried again after the system refused it."""

_logger = log.get("imports")


class Acts(Protocol):
    """What the watch makes happen."""

    async def search(self) -> bool:
        """Have every folder searched."""
        ...

    async def noticed(self, folders: Sequence[bytes]) -> None:
        """Something has changed in these folders."""
        ...

    async def step(self) -> bool:
        """Let files settle and give the queue what it may have; whether there is more to do soon."""
        ...


class Watch:
    """Runs beside the worker, in this process."""

    def __init__(
        self, acts: Acts, roots: Sequence[bytes], *, tells: bool, search_every: float, step_every: float
    ) -> None:
        """`tells`: the system is asked to tell of changes. `search_every`: seconds between two searches of everything,
        `step_every` between two looks at files that settle."""
        self._acts = acts
        self._roots = roots
        self._tells = tells
        self._search_every = search_every
        self._step_every = step_every
        self._loops: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        loops = [self._searching(), self._stepping()]
        if self._tells:
            loops.append(self._listening())
        self._loops = [asyncio.create_task(loop, name="imports") for loop in loops]

    async def stop(self) -> None:
        """End; what was noticed and not yet written down the next start finds by searching."""
        self._stop.set()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []

    async def _searching(self) -> None:
        while True:
            with _told("searching"):
                await self._acts.search()
            await asyncio.sleep(self._search_every)

    async def _stepping(self) -> None:
        while True:
            soon = False
            with _told("stepping"):
                soon = await self._acts.step()
            await asyncio.sleep(self._step_every if soon else LOOK_EVERY)

    async def _listening(self) -> None:
        while True:
            with _told("listening"):
                async for folders in self._changes():
                    if len(folders) > MANY:
                        await self._acts.search()
                    else:
                        await self._acts.noticed(folders)
            # Without a folder there is nothing to listen to, and the system may refuse for want of watches.
            await asyncio.sleep(AGAIN)

    async def _changes(self) -> AsyncIterator[list[bytes]]:
        roots = await asyncio.to_thread(_folders_there, self._roots)
        if not roots:
            return
        # What came after the first search and before the system was asked is told by nobody.
        unseen = set(map(os.fsencode, roots))
        async for changes in watchfiles.awatch(
            *roots,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stop,
            recursive=True,
            ignore_permission_denied=True,
            yield_on_timeout=True,
        ):
            if folders := unseen.union(_folders(changes)):
                unseen = set()
                yield sorted(folders)


def _folders_there(roots: Sequence[bytes]) -> list[Path]:
    """Those of the folders that are there."""
    return [Path(os.fsdecode(root)) for root in roots if os.path.isdir(root)]


def _folders(changes: set[tuple[watchfiles.Change, str]]) -> Sequence[bytes]:
    """The folders in which something has happened."""
    return [os.path.dirname(os.fsencode(path)) for _, path in changes]


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """A step that fails is logged, and done again later: nobody else would."""
    try:
        yield
    except Exception:
        _logger.exception("Watching the import folders stumbled", action="imports_watch_failed", step=what)
