"""Who proposes videos without a model: the watch graph, words, creators, popularity, and the calendar.

Each is a `Recommender`. They hold nothing that matters: what they propose is as new as the catalog and the graph.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence

from streamhost.db import proposals, tastes
from streamhost.db.core import Connection, Database
from streamhost.db.errors import CatalogUnavailable
from streamhost.model.clock import DAY, Clock
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId, VideoId
from streamhost.model.recommendations import Candidate, Edge, Node, NodeKind, Profile, Reason, ReasonKind, Seen
from streamhost.ports_recommending import Recommender, RecommenderUnavailable, WatchGraph

RECENT = 10
"""Videos of somebody's past, the newest, from which edges are followed."""
WORDS_OF = 3
"""Videos of somebody's past, the newest, whose words are looked for."""
PER_VIDEO = 40
NEIGHBOURS = 20
"""Viewers like somebody who are asked what they watched."""
THEIR_VIDEOS = 30
CREATORS = 5
HALF_LIFE = 7 * DAY
"""After which a view counts half for what is popular."""
AGES = 14 * DAY
"""After which a new video is half as new."""


@contextlib.asynccontextmanager
async def _reading(db: Database) -> AsyncIterator[Connection]:
    """The catalog to read; raises `RecommenderUnavailable` where it fails."""
    try:
        async with db.read() as conn:
            yield conn
    except CatalogUnavailable as error:
        raise RecommenderUnavailable(str(error)) from error


class _ForEverybody(ABC):
    """What is recommended to all alike, beside any video too."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @abstractmethod
    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        found = await self.recommend(Profile(), limit + 1)
        return [one for one in found if one.video_id != video_id][:limit]


class PopularRecommender(_ForEverybody):
    """What many watched lately, the same for everybody."""

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        async with _reading(self._db) as conn:
            found = await proposals.popular(conn, limit)
        now = self._clock() / HALF_LIFE
        return [_plain(video_id, 2.0 ** min(64.0, heat - now), ReasonKind.POPULAR) for video_id, heat in found]


class NewRecommender(_ForEverybody):
    """What was published lately, the same for everybody."""

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        async with _reading(self._db) as conn:
            found = await proposals.newest(conn, limit)
        now = self._clock()
        return [_plain(one, 0.5 ** (max(0.0, now - at) / AGES), ReasonKind.NEW) for one, at in found]


class WatchedRecommender:
    """What was watched by the same people as what somebody watched lately: edges between videos."""

    def __init__(self, graph: WatchGraph) -> None:
        self._graph = graph

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        return await self._beside(profile.seen[:RECENT], limit)

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        return await self._beside([Seen(video_id, 1.0, 0.0)], limit)

    async def _beside(self, seen: Sequence[Seen], limit: int) -> Sequence[Candidate]:
        nodes = {Node(NodeKind.VIDEO, one.video_id): one.strength for one in seen}
        edges = await _edges(self._graph, list(nodes), PER_VIDEO if len(nodes) > 1 else limit)
        scores: dict[str, float] = {}
        most: dict[str, tuple[float, str]] = {}
        for node, theirs in edges.items():
            for edge in theirs:
                part = edge.weight * nodes.get(node, 0.0)
                scores[edge.other] = scores.get(edge.other, 0.0) + part
                most[edge.other] = max(most.get(edge.other, (0.0, "")), (part, node.id))
        watched = {one.video_id for one in seen}
        found = sorted(((score, one) for one, score in scores.items() if one not in watched), reverse=True)[:limit]
        return [
            Candidate(VideoId(one), score, Reason(ReasonKind.WATCHED, VideoId(most[one][1]))) for score, one in found
        ]


class ViewersRecommender:
    """What viewers with a similar past watched lately: edges between viewers."""

    def __init__(self, db: Database, graph: WatchGraph) -> None:
        self._db = db
        self._graph = graph

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        if not profile.viewer or not profile.seen:
            return ()
        node = Node(NodeKind.VIEWER, profile.viewer)
        edges = (await _edges(self._graph, [node], NEIGHBOURS)).get(node, ())
        weights = {edge.other: edge.weight for edge in edges if edge.other != profile.viewer}
        async with _reading(self._db) as conn:
            found = await tastes.of_viewers(conn, weights, THEIR_VIDEOS, limit + len(profile.seen))
        watched = {one.video_id for one in profile.seen}
        fresh = [(one, score) for one, score in found if one not in watched]
        return [_plain(one, score, ReasonKind.VIEWERS) for one, score in fresh[:limit]]

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`. Beside a video it is the edges between videos that count."""
        return ()


class WordsRecommender:
    """What has the same rare words as what somebody watched last: also what nobody has watched yet."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._common: set[str] = set()

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        found: dict[VideoId, Candidate] = {}
        for seen in profile.seen[:WORDS_OF]:
            for one in await self._alike(seen.video_id, limit):
                if one.video_id not in found or found[one.video_id].score < one.score * seen.strength:
                    found[one.video_id] = Candidate(one.video_id, one.score * seen.strength, one.reason)
        watched = {one.video_id for one in profile.seen}
        best = sorted(found.values(), key=lambda one: (-one.score, one.video_id))
        return [one for one in best if one.video_id not in watched][:limit]

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        return await self._alike(video_id, limit)

    async def _alike(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        async with _reading(self._db) as conn:
            found = await proposals.alike(conn, video_id, limit, self._common)
        return [Candidate(one, score, Reason(ReasonKind.SIMILAR, video_id)) for one, score in found]


class CreatorsRecommender:
    """The latest videos of the creators whose videos somebody watches."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        watched = {one.video_id: one.strength for one in profile.seen}
        async with _reading(self._db) as conn:
            return await self._latest(conn, watched, limit)

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """See `Recommender`."""
        return await self.recommend(Profile(seen=(Seen(video_id, 1.0, 0.0),)), limit)

    async def _latest(self, conn: Connection, watched: Mapping[VideoId, float], limit: int) -> Sequence[Candidate]:
        likes: dict[UserId, float] = {}
        for video_id, owner in (await proposals.owners_of(conn, watched)).items():
            likes[owner] = likes.get(owner, 0.0) + watched[video_id]
        dear = sorted(likes, key=lambda owner: (-likes[owner], owner))[:CREATORS]
        each = max(1, limit // max(1, len(dear))) + len(watched)
        found = await proposals.by_owners(conn, dear, each)
        latest = max((at for _, _, at in found), default=0.0)
        scored = [(likes[owner] * 0.5 ** ((latest - at) / AGES), one) for one, owner, at in found if one not in watched]
        return [_plain(one, score, ReasonKind.CREATOR) for score, one in sorted(scored, reverse=True)[:limit]]


def built_in(db: Database, graph: WatchGraph, clock: Clock) -> dict[str, Recommender]:
    """Those that need no model, by the names under which settings know them."""
    return {
        "watched": WatchedRecommender(graph),
        "viewers": ViewersRecommender(db, graph),
        "words": WordsRecommender(db),
        "creators": CreatorsRecommender(db),
        "popular": PopularRecommender(db, clock),
        "new": NewRecommender(db, clock),
    }


async def _edges(graph: WatchGraph, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
    if not nodes:
        return {}
    try:
        return await graph.near(nodes, limit)
    except StreamhostError as error:
        raise RecommenderUnavailable(str(error)) from error


def _plain(video_id: VideoId, score: float, kind: ReasonKind) -> Candidate:
    return Candidate(video_id, score, Reason(kind))
