"""Keeps the watch graph and the popularity of videos as they should be: what has changed is made anew, bit by bit.

A node's edges are computed from a bounded neighbourhood: the latest viewers of a video and what they watched last, the
latest videos of a viewer and who watched them last. So a step costs the same on a large site, and may be repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from streamhost.db import proposals, tastes
from streamhost.db import watch_graph as rows
from streamhost.db.core import Connection, Database
from streamhost.features.recommendations.sources import HALF_LIFE
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.model.clock import DAY, Clock, Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Edge, Node, NodeKind
from streamhost.model.tasks import UpdateWatchEdges
from streamhost.ports_recommending import WatchGraph

STEP = 25
"""Nodes between two looks at the clock and the queue."""
MOST_STEPS = 80
"""Steps of one job; if more is left, another one follows, so that others have their turn."""
VIEWERS, VIDEOS, EACH = 150, 50, 40
"""Latest viewers of a video, latest videos of a viewer, and how much of each of those is looked at."""
NEIGHBOURS = 120
DOUBT = 2.0
"""Added to the geometric mean of the two ends' counts: what two people have in common by accident is worth little."""
VIEWS = 2_000
"""Latest views that count for popularity."""
VISITORS_DAYS = 180.0
"""Days after which the choices of visitors without an account are forgotten."""


class GraphKeeping:
    """Does the work of the task `UpdateWatchEdges`."""

    def __init__(
        self, db: Database, queue: Queue, clock: Clock, graph: WatchGraph, changed: Callable[[str], None]
    ) -> None:
        """`changed` hears of each viewer whose proposals may be others now."""
        self._db = db
        self._queue = queue
        self._clock = clock
        self._graph = graph
        self._changed = changed

    async def update(self, _task: UpdateWatchEdges, job: JobContext) -> None:
        """Make the edges anew of what has changed; see to it that the rest follows."""
        async with self._db.write() as conn:
            await tastes.sweep_visitors(conn, self._clock() - VISITORS_DAYS * DAY)
        if await self.catch_up(MOST_STEPS, job.report):
            async with self._db.write() as conn:
                await self._queue.add(conn, UpdateWatchEdges(), queueing_lock="watch_graph")
                await job.complete(conn)

    async def catch_up(self, steps: int, report: Callable[[float, str], None]) -> bool:
        """Do so many steps, or what there is to do; whether anything may be left."""
        for number in range(steps):
            async with self._db.read() as conn:
                changes = await rows.changes(conn, STEP)
            if not changes:
                return False
            report(number / steps, "watch graph")
            heats = [await self._renew(change.node) for change in changes]
            async with self._db.write() as conn:
                for video_id, heat, viewers in filter(None, heats):
                    await proposals.heat_of(conn, video_id, heat, viewers)
                for change in changes:
                    await rows.done(conn, change)
            for change in changes:
                if change.node.kind is NodeKind.VIEWER:
                    self._changed(change.node.id)
        return True

    async def _renew(self, node: Node) -> tuple[VideoId, float | None, int] | None:
        """Make a node's edges anew; of a video also how popular it is."""
        async with self._db.read() as conn:
            edges = await self._edges(conn, node)
            views = await tastes.views_of(conn, VideoId(node.id), VIEWS) if node.kind is NodeKind.VIDEO else []
        if edges:
            await self._graph.put(node, edges)
        else:
            await self._graph.forget(node)
        return (VideoId(node.id), heat(views), len(views)) if node.kind is NodeKind.VIDEO else None

    @staticmethod
    async def _edges(conn: Connection, node: Node) -> list[Edge]:
        if node.kind is NodeKind.VIDEO:
            count, found = await tastes.watched_together(conn, VideoId(node.id), VIEWERS, EACH, NEIGHBOURS)
        else:
            count, found = await tastes.watched_the_same(conn, node.id, VIDEOS, EACH, NEIGHBOURS)
        return [Edge(one.other, min(1.0, one.together / (math.sqrt(count * one.size) + DOUBT))) for one in found]


def heat(views: Sequence[tuple[float, Timestamp]]) -> float | None:
    """How popular a video is, by its views (strength, moment): log2 of the sum of strength * 2^(moment / half-life).

    Forward decay (Cormode et al., ICDE 2009): what was noted once stays comparable with what is noted later."""
    if not views:
        return None
    latest = max(at for _, at in views)
    total = sum(strength * 2.0 ** ((at - latest) / HALF_LIFE) for strength, at in views)
    return latest / HALF_LIFE + math.log2(total) if total > 0 else None
