"""The site's logo: taken from an administrator, written anew in a limited process, kept in the catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from streamhost.db import audit
from streamhost.db import brand as rows
from streamhost.db.core import Database
from streamhost.media import tasks
from streamhost.media.rewriting import RunsMedia, content, written_anew
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.branding import Brand, Logo
from streamhost.model.clock import Clock
from streamhost.model.errors import NotFound
from streamhost.model.ids import new_id

MAX_BYTES = 5 * 1024**2
"""Largest file that is taken for a logo."""
FOLDER = "logo"
VERSION_LENGTH = 12


class Branding:
    """Keeps the logo. What is changed counts at once, on every page."""

    def __init__(self, brand: Brand, db: Database, clock: Clock, run: RunsMedia, work: Path) -> None:
        self.brand = brand
        self._db = db
        self._clock = clock
        self._run = run
        self._work = work
        self._pictures: Mapping[str, bytes] = {}
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Take the logo out of the catalog: every page shows it."""
        async with self._db.read() as conn:
            found = await rows.get(conn)
        if found is not None:
            self.brand.logo, self._pictures = found

    def picture(self, name: str) -> bytes:
        """One of the logo's pictures, as PNG. Raises `NotFound`."""
        if name not in self._pictures:
            raise NotFound
        return self._pictures[name]

    async def put(self, file: bytes, by: Actor) -> None:
        """Make a picture file the logo: decoded in a process of its own and written anew in the sizes that are used.

        Raises `not_picture` for a file that is no JPEG, PNG or WebP."""
        async with self._one_at_a_time:
            made, pictures = await self._written_anew(file)
            logo = Logo(new_id()[:VERSION_LENGTH], made.width, made.height)
            async with self._db.write() as conn:
                now = self._clock()
                await rows.put(conn, logo, pictures, now)
                await audit.insert(conn, AuditEntry(now, Act.LOGO_CHANGED, by))
            self.brand.logo, self._pictures = logo, pictures

    async def remove(self, by: Actor) -> None:
        """Go back to the house's own mark."""
        async with self._one_at_a_time:
            async with self._db.write() as conn:
                if not await rows.remove(conn):
                    return
                await audit.insert(conn, AuditEntry(self._clock(), Act.LOGO_REMOVED, by))
            self.brand.logo, self._pictures = None, {}

    async def _written_anew(self, file: bytes) -> tuple[tasks.LogoMade, Mapping[str, bytes]]:
        async with written_anew(self._run, self._work / FOLDER, file, tasks.ReadLogo) as (answer, out):
            assert isinstance(answer, tasks.LogoMade), "that is what this task answers"
            names = answer.names
            return answer, await asyncio.to_thread(lambda: {name: content(out, name) for name in names})
