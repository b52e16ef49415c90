"""What administrators see of the recommender, and do about it."""

from __future__ import annotations

from streamhost.db.core import Database
from streamhost.features.recommendations.asking import Asking
from streamhost.features.recommendations.learning import Learning, Status
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import every
from streamhost.model.clock import DAY
from streamhost.model.ids import JobId
from streamhost.model.tasks import TrainRecommendations
from streamhost.ports_recommending import WatchGraph


class Tuning:
    """Shows, trains and forgets the model of one instance, beside the people who are served by it."""

    def __init__(self, db: Database, queue: Queue, learning: Learning, graph: WatchGraph, asking: Asking) -> None:
        self._db = db
        self._queue = queue
        self._learning = learning
        self._graph = graph
        self._asking = asking

    async def status(self) -> Status:
        """How things stand. Raises `GraphUnavailable`."""
        return await self._learning.status(self._graph, tuple(self._asking.sources))

    async def begin(self) -> JobId | None:
        """Put the training into the queue; None where one waits there already."""
        nightly = every(DAY, TrainRecommendations())
        async with self._db.write() as conn:
            return await self._queue.add(conn, nightly.task, queueing_lock=nightly.queueing_lock)

    def reset(self) -> bool:
        """Remove the model; False if there was none."""
        return self._learning.reset()
