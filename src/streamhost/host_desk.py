"""Joins the room of reports to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

from streamhost.db.core import Connection
from streamhost.features.catalog import Catalog
from streamhost.features.moderation import Moderation
from streamhost.features.reporting import Reporting
from streamhost.host_basis import Basis
from streamhost.instance import Purpose
from streamhost.model.cases import Cause
from streamhost.model.ids import VideoId
from streamhost.model.verdicts import Risk


def reporting_of(basis: Basis, catalog: Catalog, moderation: Moderation) -> Reporting:
    """The room: whoever may see a video may report it, a person is to look, and what they decide ends the reports."""

    async def raises(conn: Connection, video_id: VideoId, urgent: bool) -> None:
        risk = Risk.HIGH if urgent else Risk.MEDIUM
        await moderation.settling.raise_case(conn, video_id, Cause.REPORT, risk)

    key = basis.instance.keys.derive_first(Purpose.REPORTERS)
    reporting = Reporting(basis.db, basis.queue, basis.clock, key, catalog.get, raises, basis.settings.reports)
    moderation.settling.on_decided(reporting.decided)
    return reporting
