"""Rows of `job_outputs`: what the process of a job said before it failed. They go with the job."""

from __future__ import annotations

from collections.abc import Collection

from streamhost.db.core import Connection
from streamhost.model.ids import JobId

LONGEST = 8000
"""Characters that are kept: the end, where the cause stands."""


async def keep(conn: Connection, job_id: JobId, text: str) -> None:
    """Keep what was said at the last failure; nothing said takes away what was kept before."""
    await conn.execute("DELETE FROM job_outputs WHERE job_id = :id", {"id": job_id})
    if text.strip():
        values = {"id": job_id, "text": text.strip()[-LONGEST:]}
        await conn.execute("INSERT INTO job_outputs (job_id, output) VALUES (:id, :text)", values)


async def of(conn: Connection, job_ids: Collection[JobId]) -> dict[JobId, str]:
    """What was kept of some jobs, for those that have any."""
    if not job_ids:
        return {}
    names = ", ".join(f":j{place}" for place in range(len(job_ids)))
    values = {f"j{place}": job_id for place, job_id in enumerate(job_ids)}
    rows = await conn.fetch_all(f"SELECT job_id, output FROM job_outputs WHERE job_id IN ({names})", values)
    return {JobId(row["job_id"]): row["output"] for row in rows}
