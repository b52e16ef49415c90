"""Says where the figures of the running program come from. A part of `host.py`, imported by nothing below."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable

from streamhost import __version__
from streamhost.db import jobs as job_rows
from streamhost.db import playback_events, quotas
from streamhost.features.analytics import Analytics
from streamhost.host_basis import Basis
from streamhost.measures import Figure, Labels, Measures, counter, gauge
from streamhost.model.tasks import JobState, Lane
from streamhost.ports import Storage

SHOWN = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
"""States of jobs that somebody may have to look at; what is done only grows."""


def measures_of(basis: Basis, analytics: Analytics, storage: Storage) -> Measures:
    """The figures of a house."""
    measures, db, cache = Measures(), basis.db, basis.cache

    async def catalog() -> Iterable[Figure]:
        async with db.read() as conn:
            jobs = await job_rows.counts(conn)
            behind = await playback_events.behind(conn)
            kept = await quotas.all_bytes(conn)
        waiting: dict[Labels, float] = {
            (("lane", lane.value), ("state", state.value)): jobs.get((lane, state), 0)
            for lane in Lane
            for state in SHOWN
        }
        return [
            gauge("streamhost_jobs", "Jobs by lane and state.", waiting),
            gauge("streamhost_playback_events_unfolded", "Events of players that are not in the figures yet.", behind),
            gauge("streamhost_source_bytes", "Bytes of files that were uploaded and are kept.", kept),
        ]

    async def room() -> Iterable[Figure]:
        disk = await asyncio.to_thread(shutil.disk_usage, basis.data)
        figures = [
            gauge("streamhost_data_disk_free_bytes", "Bytes free on the disk of the data directory.", disk.free),
            gauge("streamhost_data_disk_bytes", "Bytes of the disk of the data directory.", disk.total),
            gauge("streamhost_catalog_bytes", "Bytes of the catalog's file.", db.path.stat().st_size),
        ]
        free = await storage.free_bytes()
        if free is not None:
            figures.append(gauge("streamhost_storage_free_bytes", "Bytes free where media are stored.", free))
        return figures

    def watched() -> Iterable[Figure]:
        intake, folder, listening = analytics.intake, analytics.folder, analytics.listening
        return [
            gauge("streamhost_playback_events_waiting", "Events of players that wait to be written.", intake.waiting),
            counter("streamhost_playback_events_taken", "Events of players that were written down.", intake.taken),
            counter("streamhost_playback_events_refused", "Events refused because too many waited.", intake.refused),
            counter("streamhost_playback_events_folded", "Events that are in the figures.", folder.folded),
            counter("streamhost_playback_events_robots", "Events of robots, which are not counted.", analytics.robots),
            counter("streamhost_cmcd_dropped", "Requests whose CMCD data was left out.", listening.dropped),
        ]

    def cached() -> Iterable[Figure]:
        asked: dict[Labels, float] = {
            (("family", family), ("found", found)): getattr(counts, name)
            for family, counts in cache.counts.items()
            for found, name in (
                ("memory", "hits"),
                ("shared", "shared_hits"),
                ("waited", "waited"),
                ("missed", "misses"),
            )
        }
        return [
            counter("streamhost_cache_requests", "Questions to the cache, by what was found where.", asked),
            counter(
                "streamhost_cache_store_errors", "How often the shared store failed or was too slow.", cache.errors
            ),
        ]

    version: dict[Labels, float] = {(("version", __version__),): 1}
    measures.add(lambda: [gauge("streamhost_info", "The version that runs.", version)])
    for source in (catalog, room, watched, cached):
        measures.add(source)
    return measures
