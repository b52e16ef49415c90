"""`streamhost serve --demo`: a throw-away instance with people and generated videos, made by the real pipeline."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from streamhost import log
from streamhost.host import Host
from streamhost.model.accounts import Role, User
from streamhost.testing.clips import Clip, make

CAST = (("root@example.org", "Root", Role.ADMIN), ("alice@example.org", "Alice", Role.CREATOR))
"""Who lives in a demo: one who administers and one who uploads."""
PASSWORD_BYTES = 6
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated video. `name` is its file name, whose ending says the container."""

    title: str
    description: str
    name: str
    clip: Clip


SAMPLES = (
    Sample(
        "Colour bars",
        "Half a minute of H.264 that browsers take as it is: copied, with smaller renditions made from it.",
        "colour-bars.mp4",
        Clip(seconds=30, width=1280, height=720),
    ),
    Sample("Standing picture", "Upright, as from a phone.", "upright.mp4", Clip(seconds=12, width=480, height=854)),
    Sample(
        "From another format",
        "VP9 in WebM: every rendition is encoded anew.",
        "other-format.webm",
        Clip(seconds=10, width=640, height=360, codec="libvpx-vp9", audio_codec="libopus"),
    ),
)

_logger = log.get("demo")


async def populate(host: Host) -> str:
    """Make the people of the demo and begin to make its videos; answers the password that all of them have."""
    password = secrets.token_hex(PASSWORD_BYTES)
    people = [await host.accounts.people.add(email, password, name, role, verified=True) for email, name, role in CAST]
    _working.add(task := asyncio.create_task(_videos(host, people[-1]), name="demo"))
    task.add_done_callback(_working.discard)
    return password


_working: set[asyncio.Task[None]] = set()


async def _videos(host: Host, owner: User) -> None:
    loop = asyncio.get_running_loop()
    # A process of its own, started afresh: the server neither loads the codecs nor waits for them.
    with (
        tempfile.TemporaryDirectory(prefix="streamhost-demo-") as folder,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
    ):
        for sample in SAMPLES:
            path = await loop.run_in_executor(pool, make, Path(folder, sample.name), sample.clip)
            words = {
                "filename": sample.name,
                "title": sample.title,
                "description": sample.description,
                "visibility": "public",
            }
            _, video = await host.uploads.receive(owner.id, _read(path), words.copy)
            _logger.info("A sample came in", action="demo_sample", video=video.id, title=sample.title)


async def _read(path: Path) -> AsyncIterator[bytes]:
    data = await asyncio.to_thread(path.read_bytes)
    for start in range(0, len(data), READ_BYTES):
        yield data[start : start + READ_BYTES]
