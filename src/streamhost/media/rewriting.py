"""Pictures that people send, written anew by a child process: what was sent itself is neither kept nor shown."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from streamhost import sandbox
from streamhost.media import tasks
from streamhost.media.errors import NotPicture
from streamhost.media.progress import silent

SENT, OUT = "picture", "out"


class RunsMedia(Protocol):
    """Does one media task in a limited child process."""

    def __call__(
        self, task: tasks.Task, report: Callable[[float, str], None], writable: Path | None
    ) -> Awaitable[tasks.Answer]:
        """Return the answer that ``media.tasks`` names; raises the child's own error, or one of
        ``streamhost.sandbox``.
        """
        ...


@asynccontextmanager
async def written_anew(
    run: RunsMedia, room: Path, file: bytes, task: Callable[[str, str], tasks.Task]
) -> AsyncIterator[tuple[tasks.Answer, Path]]:
    """Give the answer of a task for a file that somebody sent, and the folder in which it wrote; see ``content``.

    ``room`` is a folder of the caller's alone that is gone at the end; ``task`` takes the file and that folder. Raises
    ``NotPicture``.
    """
    out = room / OUT
    try:
        await asyncio.to_thread(_lay_out, room, file)
        try:
            answer = await run(task(str(room / SENT), str(out)), silent, out)
        except (sandbox.ChildNotStarted, sandbox.ChildNotConfined):
            raise
        except sandbox.ChildError as error:
            # Whatever it was that ended the decoder, this file did it.
            raise NotPicture(error.detail) from error
        yield answer, out
    finally:
        await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)


def content(out: Path, name: str) -> bytes:
    """Return what a child wrote under a name: in that very folder, and not what it points at. Raises ``NotPicture``."""
    if os.path.basename(name) != name:
        raise NotPicture
    try:
        with open(out / name, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as written:
            return written.read()
    except OSError as error:
        raise NotPicture from error


def _lay_out(room: Path, file: bytes) -> None:
    shutil.rmtree(room, ignore_errors=True)
    (room / OUT).mkdir(parents=True)
    (room / SENT).write_bytes(file)
