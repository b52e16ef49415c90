"""Joins the room of reports to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

from streamhost.config import Settings
from streamhost.db.core import Connection, Database
from streamhost.features.catalog import Catalog
from streamhost.features.reporting import Reporting
from streamhost.instance import Instance, Purpose
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock
from streamhost.model.ids import VideoId


def reporting_of(
    settings: Settings, instance: Instance, db: Database, queue: Queue, clock: Clock, catalog: Catalog
) -> Reporting:
    """The room: whoever may see a video may report it."""

    async def raises(_conn: Connection, _video_id: VideoId, _urgent: bool) -> None:
        """Nobody keeps cases yet."""

    key = instance.keys.derive_first(Purpose.REPORTERS)
    return Reporting(db, queue, clock, key, catalog.get, raises, settings.reports)
