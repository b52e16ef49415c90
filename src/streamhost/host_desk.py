"""Joins the room of reports to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

from streamhost.config import Settings
from streamhost.db.core import Connection, Database
from streamhost.features.catalog import Catalog
from streamhost.features.moderation import Moderation
from streamhost.features.reporting import Reporting
from streamhost.instance import Instance, Purpose
from streamhost.jobs.queue import Queue
from streamhost.model.cases import Cause
from streamhost.model.clock import Clock
from streamhost.model.ids import VideoId
from streamhost.model.verdicts import Risk


def reporting_of(
    settings: Settings,
    instance: Instance,
    db: Database,
    queue: Queue,
    clock: Clock,
    catalog: Catalog,
    moderation: Moderation,
) -> Reporting:
    """The room: whoever may see a video may report it, a person is to look, and what they decide ends the reports."""

    async def raises(conn: Connection, video_id: VideoId, urgent: bool) -> None:
        risk = Risk.HIGH if urgent else Risk.MEDIUM
        await moderation.settling.raise_case(conn, video_id, Cause.REPORT, risk)

    key = instance.keys.derive_first(Purpose.REPORTERS)
    reporting = Reporting(db, queue, clock, key, catalog.get, raises, settings.reports)
    moderation.settling.on_decided(reporting.decided)
    return reporting
