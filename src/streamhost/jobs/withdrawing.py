"""The end of every permission to play a video, wherever one was given out."""

from __future__ import annotations

from collections.abc import Callable

from streamhost.db import videos
from streamhost.db.core import Connection
from streamhost.jobs.announcing import announce
from streamhost.jobs.queue import Queue
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.events import AccessRevoked
from streamhost.model.ids import VideoId

Withdrawn = Callable[[VideoId, Timestamp], None]
"""Hears of each video that others may no longer play, and when that was decided: grants that are out must end. Told of
the same twice, it ends nothing that was given out meanwhile."""


async def withdraw(conn: Connection, queue: Queue, clock: Clock, video_id: VideoId, hear: Withdrawn) -> None:
    """End them in the transaction that is the reason: the catalog remembers it for the next start and for other
    processes, others that deliver are told by an event, and `hear` ends what this process has given out, once all of
    it is on disk."""
    now = clock()
    await videos.withdraw(conn, video_id, now)
    await announce(conn, queue, AccessRevoked(video_id, at=now))
    conn.after_commit(lambda: hear(video_id, clock()))
