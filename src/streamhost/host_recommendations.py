"""Joins the room of recommendations to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamhost import sandbox
from streamhost.config import InvalidSettings, Settings
from streamhost.features.recommendations import (
    Asking,
    CatalogWatchGraph,
    ChosenWatchGraph,
    GraphKeeping,
    Learning,
    Recommendations,
    Tuning,
    Ways,
    built_in,
)
from streamhost.host_basis import Basis
from streamhost.host_media import media_workers
from streamhost.jobs.announcing import Announcing
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.worker import Handler
from streamhost.ml.recommending.serving import ModelServer, OnnxRecommender
from streamhost.ml.recommending.work import Fitting
from streamhost.model.clock import DAY, MINUTE
from streamhost.model.ranking import Rules
from streamhost.model.tasks import Task, TrainRecommendations, UpdateWatchEdges
from streamhost.plugins import Registered
from streamhost.ports_recommending import Recommender, WatchGraph

MODEL = "model"
"""The name of the trained model among sources."""
FOR_ALL = ("words", "creators", "popular", "new")
"""Sources that need nobody's past; beside a video they go by that alone."""
GRAPH_EVERY = 5 * MINUTE
LARGEST_FILE = 8 * 1024**3
"""Bytes that the process which trains may write: models have some tens of megabytes."""
SILENCE = 900.0
"""Seconds without a word from it: the largest products of matrices take a minute on two cores."""


@dataclass(frozen=True, slots=True)
class Recommending:
    """Everything of the room; `join` before use."""

    settings: Settings
    room: Recommendations
    learning: Learning
    keeping: GraphKeeping
    graph: ChosenWatchGraph
    server: ModelServer
    asking: Asking
    tuning: Tuning
    sources: Mapping[str, Recommender]
    """The built-in ones."""
    graphs: Mapping[str, WatchGraph]

    @property
    def brings(self) -> dict[str, Any]:
        """What the house registers by itself, as `Builtin` takes it."""
        return {"recommenders": self.sources, "watch_graphs": self.graphs}

    def join(self, registered: Registered, announcing: Announcing) -> None:
        """Choose, among what the house and plugins bring, what the settings name. Raises `InvalidSettings`."""
        announcing.subscribe("recommendations", self.room.hear)
        wanted = self.settings.recommendations
        if wanted.graph not in registered.watch_graphs:
            known = ", ".join(sorted(registered.watch_graphs))
            raise InvalidSettings(f"recommendations.graph: there is no {wanted.graph}; these are: {known}.")
        self.graph.choose(registered.watch_graphs[wanted.graph])
        if unknown := [name for name in wanted.sources if name not in registered.recommenders]:
            known = ", ".join(sorted(registered.recommenders))
            raise InvalidSettings(f"recommendations.sources: there is no {', '.join(unknown)}; these are: {known}.")
        chosen = wanted.sources or tuple(registered.recommenders)
        if not wanted.personal:
            chosen = tuple(name for name in chosen if name in FOR_ALL)
        self.asking.sources = {name: registered.recommenders[name] for name in chosen}

    @property
    def handlers(self) -> Mapping[type[Task], Handler]:
        """The jobs of the room."""
        return {UpdateWatchEdges: self.keeping.update, TrainRecommendations: self.learning.handle}

    def schedule(self) -> list[Periodic]:
        """What comes again and again."""
        wanted = self.settings.recommendations
        training = [every(DAY, TrainRecommendations())] if wanted.train and wanted.personal else []
        return [every(GRAPH_EVERY, UpdateWatchEdges()), *training]

    async def close(self) -> None:
        """End the model's process."""
        await self.server.close()


def recommending_of(basis: Basis) -> Recommending:
    """The room, before plugins have said what they bring."""
    settings, db, clock = basis.settings, basis.db, basis.clock
    wanted = settings.recommendations
    graph = ChosenWatchGraph()
    asking = Asking({}, wanted.patience)
    ways = Ways(wanted.cache_minutes * MINUTE, Rules(chance=wanted.chance), wanted.personal)
    room = Recommendations(db, clock, asking, basis.cache, graph, ways)
    limits = sandbox.Limits(
        memory=wanted.memory,
        cpu_seconds=settings.jobs.child_cpu_seconds,
        file_size=LARGEST_FILE,
        silence_seconds=SILENCE,
        nice=settings.jobs.child_nice,
    )
    fitting = Fitting(most_items=wanted.most_videos)
    learning = Learning(db, clock, basis.data, basis.work, limits, media_workers(settings), fitting)
    server = ModelServer(learning.model, room.forget_lists)
    learning.renewed = server.look
    return Recommending(
        settings,
        room,
        learning,
        GraphKeeping(db, basis.queue, clock, graph, room.changed),
        graph,
        server,
        asking,
        Tuning(db, basis.queue, learning, graph, asking),
        {MODEL: OnnxRecommender(server), **built_in(db, graph, clock)},
        {"catalog": CatalogWatchGraph(db)},
    )
