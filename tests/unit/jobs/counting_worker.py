"""A worker process that the crash tests kill: each job writes one row in its last transaction and adds the next."""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from streamhost import log
from streamhost.db.core import Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.jobs.worker import Timing, Worker
from streamhost.model.clock import system_clock
from streamhost.model.tasks import Lane, Task

CHAIN = 3
"""How many jobs follow one another, each added by the one before."""
LAST = 16
"""After so many jobs, and those beside the last, a process that is to be killed gets no further: six are not done with
all 120."""


@dataclass(frozen=True, slots=True)
class Link(Task):
    """One link of a chain."""

    kind: ClassVar[str] = "link"
    max_attempts: ClassVar[int] = 100
    chain: int
    link: int


async def run(path: Path, together: bool, doomed: bool) -> None:
    """Work until nothing waits. `together`: others work on the same catalog; their jobs are not taken back at once.
    `doomed`: somebody will kill it."""
    db = await Database.open(path)
    queue = Queue(system_clock)
    done = 0

    async def work(task: Link, job: JobContext) -> None:
        nonlocal done
        if doomed and done >= LAST:
            await asyncio.Event().wait()
        await asyncio.sleep(random.uniform(0.05, 0.1) if together else random.uniform(0.0, 0.02))
        job.report(0.5, "half")
        async with db.write() as conn:
            await conn.execute(
                "INSERT INTO results (chain, link) VALUES (:chain, :link)", {"chain": task.chain, "link": task.link}
            )
            if task.link + 1 < CHAIN:
                await queue.add(conn, Link(task.chain, task.link + 1))
            await job.complete(conn)
        done += 1

    timing = Timing(lease=3, beat=0.1, poll=0.05, backoff=0.01, backoff_max=0.02)
    worker = Worker(db, queue, {Link: work}, {Lane.LIGHT: 4}, system_clock, timing=timing)
    if not together:
        await worker.release_all()
    print("started", flush=True)
    while together and not path.with_suffix(".go").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    await worker.start()
    unfinished = 1
    while unfinished:
        await asyncio.sleep(0.02)
        async with db.read() as conn:
            row = await conn.fetch_one("SELECT count(*) AS number FROM jobs WHERE state IN ('queued', 'running')")
        unfinished = row["number"] if row else 0
    await worker.stop()
    await db.close()


if __name__ == "__main__":
    log.configure()
    asyncio.run(run(Path(sys.argv[1]), "together" in sys.argv, "doomed" in sys.argv))
