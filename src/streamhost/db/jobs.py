"""The rows of the queue. Who decides what happens to a job is `streamhost.jobs`; here it is only written down.

A running job belongs to the `worker` that claimed it and, when one worker meets the same job twice, to that attempt.
Statements that end a running job name both, so whoever lost the job in the meantime changes nothing and learns so from
the count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from streamhost.db.core import Connection, Row
from streamhost.model.clock import Timestamp
from streamhost.model.ids import JobId
from streamhost.model.tasks import Job, JobState, Lane

_INSERT = """
INSERT INTO jobs (
    id, kind, payload, lane, state, priority, max_attempts, run_at, created_at, lock, queueing_lock, subject, paused
) VALUES (
    :id, :kind, :payload, :lane, 'queued', :priority, :max_attempts, :run_at, :created_at, :lock, :queueing_lock,
    :subject, :paused
)
ON CONFLICT (queueing_lock) WHERE state = 'queued' AND queueing_lock IS NOT NULL DO NOTHING
"""

_MAY_RUN = """
    SELECT waiting.id FROM jobs AS waiting
    WHERE waiting.state = 'queued' AND waiting.lane = :lane AND waiting.run_at <= :now AND waiting.paused = 0
    AND (waiting.lock IS NULL OR NOT EXISTS (
        SELECT 1 FROM jobs AS holder WHERE holder.state = 'running' AND holder.lock = waiting.lock))
"""

_CLAIM = f"""
UPDATE jobs SET state = 'running', worker = :worker, lease_until = :lease_until, attempts = attempts + 1,
    started_at = :now, finished_at = NULL, progress = 0, step = '', speed = NULL, eta = NULL,
    error_code = NULL, error_detail = NULL
WHERE id = ({_MAY_RUN}
    ORDER BY waiting.priority DESC, waiting.run_at, waiting.created_at LIMIT 1)
RETURNING *
"""

_REQUEUE = """
UPDATE jobs SET state = 'queued', run_at = :run_at, attempts = attempts - :refund, worker = NULL, lease_until = NULL,
    progress = 0, step = '', speed = NULL, eta = NULL, error_code = :code, error_detail = :detail,
    queueing_lock = CASE WHEN EXISTS (
        SELECT 1 FROM jobs AS other WHERE other.state = 'queued' AND other.queueing_lock = jobs.queueing_lock
    ) THEN NULL ELSE queueing_lock END
WHERE id = :id AND state = 'running' AND worker = :worker AND attempts = :attempts
"""

_FINISH = """
UPDATE jobs SET state = :state, finished_at = :now, worker = NULL, lease_until = NULL, speed = NULL, eta = NULL,
    paused = 0, error_code = :code, error_detail = :detail,
    progress = CASE WHEN :state = 'done' THEN 1 ELSE progress END
WHERE id = :id AND state = 'running' AND worker = :worker AND attempts = :attempts
"""

_REVIVE = """
UPDATE jobs SET state = 'queued', run_at = :now, attempts = 0, finished_at = NULL, progress = 0, step = '',
    cancel_requested = 0, paused = 0
WHERE id = :id AND (state IN ('failed', 'cancelled') OR (state = 'queued' AND run_at > :now)) AND NOT EXISTS (
    SELECT 1 FROM jobs AS other
    WHERE other.state = 'queued' AND other.id <> jobs.id AND other.queueing_lock = jobs.queueing_lock)
"""

_PAUSE = """
UPDATE jobs SET paused = :paused WHERE id = :id AND state IN ('queued', 'running') AND paused <> :paused RETURNING *
"""


class Held(NamedTuple):
    """A lease that was prolonged: which attempt it is of, and whether the job is to be cancelled or paused."""

    attempt: int | None
    cancel: bool = False
    pause: bool = False


def _job(row: Row) -> Job:
    fields = dict(row)
    fields["payload"] = json.loads(fields["payload"])
    fields["lane"] = Lane(fields["lane"])
    fields["state"] = JobState(fields["state"])
    fields["cancel_requested"] = bool(fields["cancel_requested"])
    fields["paused"] = bool(fields["paused"])
    return Job(**fields)


async def insert(conn: Connection, job: Job) -> bool:
    """Add a waiting job; False when one with the same `queueing_lock` waits already."""
    return (
        await conn.execute(
            _INSERT,
            {
                "id": job.id,
                "kind": job.kind,
                "payload": json.dumps(job.payload, separators=(",", ":"), ensure_ascii=False),
                "lane": job.lane.value,
                "priority": job.priority,
                "max_attempts": job.max_attempts,
                "run_at": job.run_at,
                "created_at": job.created_at,
                "lock": job.lock,
                "queueing_lock": job.queueing_lock,
                "subject": job.subject,
                "paused": int(job.paused),
            },
        )
        == 1
    )


async def claim(conn: Connection, lane: Lane, worker: str, now: Timestamp, lease_until: Timestamp) -> Job | None:
    """Take the most urgent job of a lane that may run now: highest priority, then longest due, its lock free."""
    row = await conn.fetch_one(_CLAIM, {"lane": lane.value, "worker": worker, "now": now, "lease_until": lease_until})
    return _job(row) if row else None


async def due(conn: Connection, lane: Lane, now: Timestamp) -> bool:
    """Whether a `claim` on this lane would find a job; a reading connection can ask, so looking costs no write."""
    return await conn.fetch_one(_MAY_RUN + " LIMIT 1", {"lane": lane.value, "now": now}) is not None


async def next_due(conn: Connection, now: Timestamp) -> Timestamp | None:
    """When the next job that waits for its time may run; None when none does."""
    row = await conn.fetch_one(
        "SELECT min(run_at) AS at FROM jobs WHERE state = 'queued' AND paused = 0 AND run_at > :now", {"now": now}
    )
    return row["at"] if row else None


async def extend(conn: Connection, worker: str, job_ids: Sequence[JobId], lease_until: Timestamp) -> dict[JobId, Held]:
    """Prolong a worker's leases on some jobs; those that it still holds, by job."""
    held: dict[JobId, Held] = {}
    for job_id in job_ids:
        row = await conn.fetch_one(
            """UPDATE jobs SET lease_until = :lease_until WHERE id = :id AND state = 'running' AND worker = :worker
            RETURNING attempts, cancel_requested, paused""",
            {"id": job_id, "worker": worker, "lease_until": lease_until},
        )
        if row is not None:
            held[job_id] = Held(row["attempts"], bool(row["cancel_requested"]), bool(row["paused"]))
    return held


async def report(
    conn: Connection, job: Job, progress: float, step: str, speed: float | None = None, eta: float | None = None
) -> None:
    """Write down how far a running job is."""
    await conn.execute(
        """UPDATE jobs SET progress = :progress, step = :step, speed = :speed, eta = :eta
        WHERE id = :id AND state = 'running' AND worker = :worker AND attempts = :attempts""",
        {
            "id": job.id,
            "worker": job.worker,
            "attempts": job.attempts,
            "progress": progress,
            "step": step,
            "speed": speed,
            "eta": eta,
        },
    )


async def finish(
    conn: Connection, job: Job, state: JobState, now: Timestamp, code: str | None = None, detail: str | None = None
) -> bool:
    """End a running job for good; False when this attempt no longer holds it."""
    return (
        await conn.execute(
            _FINISH,
            {
                "id": job.id,
                "worker": job.worker,
                "attempts": job.attempts,
                "state": state.value,
                "now": now,
                "code": code,
                "detail": detail,
            },
        )
        == 1
    )


async def requeue(
    conn: Connection, job: Job, run_at: Timestamp, *, refund: bool, code: str | None = None, detail: str | None = None
) -> bool:
    """Put a running job back to wait until `run_at`; `refund`: the attempt does not count. False: it is no longer held.

    When another job with its `queueing_lock` came to wait meanwhile, it goes back without that lock."""
    return (
        await conn.execute(
            _REQUEUE,
            {
                "id": job.id,
                "worker": job.worker,
                "attempts": job.attempts,
                "run_at": run_at,
                "refund": int(refund),
                "code": code,
                "detail": detail,
            },
        )
        == 1
    )


async def cancel_waiting(conn: Connection, job_id: JobId, now: Timestamp) -> Job | None:
    """End a job that waits; the job, or None when it does not wait."""
    row = await conn.fetch_one(
        """UPDATE jobs SET state = 'cancelled', finished_at = :now, cancel_requested = 1
        WHERE id = :id AND state = 'queued' RETURNING *""",
        {"id": job_id, "now": now},
    )
    return _job(row) if row else None


async def ask_to_cancel(conn: Connection, job_id: JobId) -> bool:
    """Have the worker that runs a job end it; False when it does not run."""
    return (
        await conn.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = :id AND state = 'running'", {"id": job_id})
        == 1
    )


async def revive(conn: Connection, job_id: JobId, now: Timestamp) -> bool:
    """Let a failed, cancelled or postponed job run now, with all its attempts; False when it cannot."""
    return await conn.execute(_REVIVE, {"id": job_id, "now": now}) == 1


async def pause(conn: Connection, job_id: JobId, *, paused: bool) -> Job | None:
    """Let a job that is not over wait, or go on; the job, or None when that changes nothing."""
    row = await conn.fetch_one(_PAUSE, {"id": job_id, "paused": int(paused)})
    return _job(row) if row else None


async def prioritise(conn: Connection, job_id: JobId, priority: int) -> bool:
    """Give a job that is not over another priority; False when it is over."""
    sql = "UPDATE jobs SET priority = :priority WHERE id = :id AND state IN ('queued', 'running')"
    return await conn.execute(sql, {"id": job_id, "priority": priority}) == 1


async def get(conn: Connection, job_id: JobId) -> Job | None:
    """One job."""
    row = await conn.fetch_one("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
    return _job(row) if row else None


async def unfinished(conn: Connection, subject: str) -> list[Job]:
    """The waiting and running jobs about a subject, oldest first."""
    rows = await conn.fetch_all(
        "SELECT * FROM jobs WHERE subject = :subject AND state IN ('queued', 'running') ORDER BY created_at, id",
        {"subject": subject},
    )
    return [_job(row) for row in rows]


async def listed(
    conn: Connection,
    states: Sequence[JobState] = tuple(JobState),
    *,
    subject: str | None = None,
    kind: str | None = None,
    paused: bool | None = None,
    before: tuple[Timestamp, JobId] | None = None,
    limit: int = 100,
) -> list[Job]:
    """Jobs in some states, perhaps about one subject, of one kind, paused or not; newest first, older than `before`."""
    names = {f"state{number}": state.value for number, state in enumerate(states)}
    marks = ", ".join(f":{name}" for name in names)
    rows = await conn.fetch_all(
        f"""SELECT * FROM jobs WHERE state IN ({marks}) AND (:subject IS NULL OR subject = :subject)
        AND (:kind IS NULL OR kind = :kind) AND (:paused IS NULL OR paused = :paused)
        AND (:moment IS NULL OR created_at < :moment OR (created_at = :moment AND id < :last))
        ORDER BY created_at DESC, id DESC LIMIT :limit""",
        {
            **names,
            "subject": subject,
            "kind": kind,
            "paused": None if paused is None else int(paused),
            "moment": before[0] if before else None,
            "last": before[1] if before else None,
            "limit": limit,
        },
    )
    return [_job(row) for row in rows]


async def abandoned(conn: Connection, now: Timestamp | None) -> list[Job]:
    """Running jobs whose lease ended before `now`; None: every running job."""
    rows = await conn.fetch_all(
        "SELECT * FROM jobs WHERE state = 'running' AND (:now IS NULL OR lease_until < :now) ORDER BY started_at",
        {"now": now},
    )
    return [_job(row) for row in rows]


async def holder(conn: Connection, lock: str) -> Job | None:
    """The running job that holds a lock."""
    row = await conn.fetch_one("SELECT * FROM jobs WHERE state = 'running' AND lock = :lock", {"lock": lock})
    return _job(row) if row else None


async def counts(conn: Connection) -> dict[tuple[Lane, JobState], int]:
    """How many jobs there are, by lane and state."""
    rows = await conn.fetch_all("SELECT lane, state, count(*) AS number FROM jobs GROUP BY lane, state")
    return {(Lane(row["lane"]), JobState(row["state"])): row["number"] for row in rows}


async def last_added(conn: Connection, queueing_lock: str) -> Timestamp | None:
    """When a job with this `queueing_lock` was last added; None when never, or too long ago to be kept."""
    row = await conn.fetch_one(
        "SELECT max(created_at) AS at FROM jobs WHERE queueing_lock = :lock", {"lock": queueing_lock}
    )
    return row["at"] if row else None


async def delete_finished(conn: Connection, before: Timestamp) -> int:
    """Forget jobs that ended before a moment; how many."""
    return await conn.execute(
        "DELETE FROM jobs WHERE state IN ('done', 'failed', 'cancelled') AND finished_at < :before", {"before": before}
    )
