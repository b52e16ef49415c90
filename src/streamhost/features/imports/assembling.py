"""Puts the room of imports together."""

from __future__ import annotations

from collections.abc import Sequence

from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.features.imports.attaching import Attaching
from streamhost.features.imports.bringing import Bringing
from streamhost.features.imports.folders import Folders
from streamhost.features.imports.neighbours import Neighbours
from streamhost.features.imports.owners import Owners
from streamhost.features.imports.room import Imports
from streamhost.features.imports.scanning import Scanner
from streamhost.features.imports.taking import Taking
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.tasks import TakeImport
from streamhost.ports import Storage

WAY_FOLDER = "taking"
"""Where files wait on their way into storage."""
LOOKS = "looks"
"""The folder in it where files get a name of our own while they are looked into."""


def imports_of(
    settings: Settings,
    db: Database,
    queue: Queue,
    storage: Storage,
    clock: Clock,
    neighbours: Neighbours,
    own: Sequence[str],
) -> Imports:
    """The room. `own` are the names of the data directory's folders that are not for people."""
    data = settings.data
    bringing = Bringing(db, storage, clock, data / WAY_FOLDER, settings.uploads.keep_free)
    scanner = Scanner(db, clock, data, [data / name for name in (*own, WAY_FOLDER)])
    folders = Folders(settings.imports, data, scanner.root)
    taking = Taking(
        db,
        clock,
        Owners(db, settings.imports, folders),
        bringing,
        Attaching(db, clock, neighbours.captions, neighbours.posters, neighbours.catalog),
        neighbours.entering,
        neighbours.run,
        data / WAY_FOLDER / LOOKS,
        quota=neighbours.quota,
        hashed=neighbours.hashed,
        gate=neighbours.gate,
        max_size=settings.uploads.max_size,
    )
    room = Imports(
        db, queue, clock, settings.imports, data, folders, scanner, taking, neighbours.remove, bringing.clear
    )
    queue.on_failed(TakeImport, room.gave_up)
    return room
