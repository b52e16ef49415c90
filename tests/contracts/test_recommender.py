"""The contract of the recommender port, run on every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from streamhost.config import load
from streamhost.features.recommendations import Asking, MemoryWatchGraph
from streamhost.features.recommendations.sources import (
    CreatorsRecommender,
    NewRecommender,
    PopularRecommender,
    ViewersRecommender,
    WatchedRecommender,
    WordsRecommender,
)
from streamhost.host import Host, assemble
from streamhost.ml.recommending import serving
from streamhost.ml.recommending.serving import OnnxRecommender
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, Edge, Node, NodeKind, Profile, Reason, ReasonKind, Seen
from streamhost.ports_recommending import Recommender, WatchGraph
from streamhost.testing.recommender_contract import RecommenderContract
from tests.support.catalogs import instance_at
from tests.support.faults_of_recommenders import FAULTS, faulty
from tests.support.watching import NOW, add_people, add_videos, watch_all

KINDS: Mapping[str, type] = {
    "model": OnnxRecommender,
    "watched": WatchedRecommender,
    "viewers": ViewersRecommender,
    "words": WordsRecommender,
    "creators": CreatorsRecommender,
    "popular": PopularRecommender,
    "new": NewRecommender,
}
VIDEOS, VIEWERS = 8, 6


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with videos that were watched, a watch graph and a trained model."""
    data = tmp_path_factory.mktemp("site")

    async def fill() -> None:
        host = await assemble(load(data, {}), instance_at(data), lambda: NOW)
        [alice] = await add_people(host.db, "alice")
        ids = await add_videos(host.db, alice.id, [f"Baking cake, part {number}" for number in range(VIDEOS)])
        for number in range(VIEWERS):
            await watch_all(host.db, f"u:viewer{number}", [one for n, one in enumerate(ids) if n % 4 != number % 4])
        await host.recommending.keeping.catch_up(1000, lambda _share, _step: None)
        await host.recommending.learning.train(lambda _share, _step: None)
        await host.close()

    asyncio.run(fill())
    return data


@pytest.fixture
async def host(filled: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    """That site, read only. A busy machine is no reason to give the model up."""
    monkeypatch.setattr(serving, "ANSWER_SECONDS", 60.0)
    host = await assemble(load(filled, {}, recommendations__patience=5.0), instance_at(filled), lambda: NOW)
    yield host
    await host.recommending.close()
    await host.close()


class TestBuiltIn(RecommenderContract):
    """Every one that the house brings."""

    @pytest.fixture(params=KINDS)
    async def recommender(self, host: Host, request: pytest.FixtureRequest) -> Recommender:
        """One of them, ready to answer."""
        if request.param == "model":
            assert await host.recommending.server.ready()
        found = host.recommending.sources[request.param]
        assert isinstance(found, KINDS[request.param])
        return found

    @pytest.fixture
    async def profile(self, host: Host) -> Profile:
        """A viewer of that site."""
        return await host.recommending.room.profile("u:viewer0")

    async def test_it_has_something_to_say(self, recommender: Recommender, profile: Profile) -> None:
        """For somebody with a past on a site with views, nobody's answer is empty."""
        assert await recommender.recommend(profile, 50)


class TestOnAnotherGraph(RecommenderContract):
    """What follows edges does so in any watch graph."""

    @pytest.fixture(params=["watched", "viewers"])
    async def recommender(self, host: Host, request: pytest.FixtureRequest) -> Recommender:
        """On a graph in memory, in which everything is near everything."""
        graph: WatchGraph = MemoryWatchGraph()
        seen = (await host.recommending.room.profile("u:viewer0")).seen
        await graph.put(Node(NodeKind.VIDEO, seen[0].video_id), [Edge(one.video_id, 0.5) for one in seen[1:]])
        await graph.put(Node(NodeKind.VIEWER, "u:viewer0"), [Edge("u:viewer1", 0.5)])
        host.recommending.graph.choose(graph)
        return host.recommending.sources[request.param]

    @pytest.fixture
    async def profile(self, host: Host) -> Profile:
        """A viewer of that site."""
        return await host.recommending.room.profile("u:viewer0")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_source_is_done_without(fault: str) -> None:
    """One that is slow, fails, lies or talks nonsense costs its own proposals, never the list, nor much time."""
    good = Candidate(VideoId("good1234good1234"), 1.0, Reason(ReasonKind.POPULAR))

    class Good:
        async def recommend(self, profile: Profile, limit: int) -> list[Candidate]:
            return [good]

        async def related(self, video_id: VideoId, limit: int) -> list[Candidate]:
            return [good]

    asking = Asking({"good": Good(), "bad": faulty(fault)}, patience=0.2)
    profile = Profile("s:x", (Seen(good.video_id, 1.0, 0.0),))
    async with asyncio.timeout(60):
        asked = await asking.ask(lambda source: source.recommend(profile, 20), 20)
    assert asked.answers["good"] == (good,)
    left = asked.answers.get("bad", ())
    assert len({one.video_id for one in left}) == len(left) <= 20
    assert ("bad" in asked.failed) == (fault in ("slow", "failing", "no list", "exploding"))
