"""Keeps the catalog from growing with what nobody needs any more."""

from __future__ import annotations

from streamhost import log
from streamhost.db import api_tokens, invitations, reports, sessions, share_links
from streamhost.db.core import Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, Clock
from streamhost.model.tasks import SweepCatalog

SESSIONS_KEPT = 30 * DAY
"""Ended sessions stay so long: a refresh token that is used again is still recognised as stolen."""
KEYS_KEPT = 90 * DAY
"""Invitations, API tokens and share links that are over stay so long for whoever wonders why one does not work any
more."""
REPORTS_KEPT = 365 * DAY
"""Reports that were closed stay so long, for whoever looks at what became of them."""
JOBS_KEPT = 14 * DAY
"""Finished jobs stay so long for whoever looks for the cause of something."""


class Upkeep:
    """Periodic tidying; every step may run again at any time."""

    def __init__(self, db: Database, queue: Queue, clock: Clock) -> None:
        self._db = db
        self._queue = queue
        self._clock = clock
        self._log = log.get("upkeep")

    async def sweep_catalog(self, _task: SweepCatalog, job: JobContext) -> None:
        """Forget what is past its time: sessions, invitations, tokens, links, reports and jobs that are over."""
        async with self._db.write() as conn:
            refresh_tokens = await sessions.delete_expired_refresh(conn, self._clock())
            ended = await sessions.delete_ended(conn, self._clock() - SESSIONS_KEPT)
            invitations_over = await invitations.delete_ended(conn, self._clock() - KEYS_KEPT)
            tokens_over = await api_tokens.delete_ended(conn, self._clock() - KEYS_KEPT)
            links_over = await share_links.delete_ended(conn, self._clock() - KEYS_KEPT)
            reports_over = await reports.delete_closed(conn, self._clock() - REPORTS_KEPT)
            jobs = await self._queue.prune(conn, JOBS_KEPT)
            await job.complete(conn)
        self._log.info(
            "The catalog was tidied",
            action="sweep_catalog",
            sessions=ended,
            refresh_tokens=refresh_tokens,
            invitations=invitations_over,
            api_tokens=tokens_over,
            share_links=links_over,
            reports=reports_over,
            jobs=jobs,
        )
