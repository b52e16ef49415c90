"""What happens to proposals over time: lists grow old, models are trained at night, long pasts leave little over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamhost.config import InvalidSettings
from streamhost.db import tastes, videos
from streamhost.features.recommendations import MemoryWatchGraph, Recommended
from streamhost.features.recommendations.room import BRIEFLY, HALF_KEPT, MOST, PER_SOURCE
from streamhost.jobs.context import JobContext
from streamhost.model.accounts import ANONYMOUS
from streamhost.model.clock import DAY, HOUR
from streamhost.model.ids import JobId, VideoId
from streamhost.model.ranking import Rules
from streamhost.model.recommendations import Candidate, Interest, Node, NodeKind, Profile, ReasonKind
from streamhost.model.tasks import Job, JobState, Lane, TrainRecommendations, UpdateWatchEdges
from streamhost.ports_recommending import RecommenderUnavailable
from tests.support.watching import NOW, add_videos, watch, watch_all
from tests.unit.plugins.kit import plugin
from tests.unit.recommendations.conftest import Site, a_site

COOK = "u:cook0"


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """The moment."""
        return self.now


class Down:
    """A source that cannot be asked."""

    async def recommend(self, _profile: Profile, _limit: int) -> Sequence[Candidate]:
        """Raises."""
        raise RecommenderUnavailable

    async def related(self, _video_id: VideoId, _limit: int) -> Sequence[Candidate]:
        """Raises."""
        raise RecommenderUnavailable


async def to(site: Site, visitor: str, limit: int = MOST) -> Recommended:
    """What is proposed to somebody."""
    return await site.host.recommending.room.recommend(ANONYMOUS, visitor, limit)


def ids(found: Recommended) -> list[VideoId]:
    """The videos, in order."""
    return [one.video.id for one in found.items]


async def test_lists_live_for_an_hour(tmp_path: Path) -> None:
    """The same list for an hour, then another one; for a minute only if a source could not be asked."""
    time = Time()
    async with a_site(tmp_path, clock=time) as site:
        assert not (await to(site, COOK)).cached
        time.now += HOUR - 1
        assert (await to(site, COOK)).cached
        time.now += 2
        assert not (await to(site, COOK)).cached
        site.host.recommending.asking.sources["model"] = Down()
        time.now += HOUR + 1
        assert not (await to(site, COOK)).cached
        time.now += HALF_KEPT - 1
        assert (await to(site, COOK)).cached
        time.now += 2
        assert not (await to(site, COOK)).cached


async def test_another_process_may_have_somebody_begin_anew(tmp_path: Path) -> None:
    """A command beside the server says so in the catalog alone: the list that is kept here is none any more."""
    time = Time()
    async with a_site(tmp_path, clock=time) as site:
        first = await to(site, COOK)
        time.now += 1
        async with site.db.write() as conn:
            await tastes.choose(conn, COOK, Interest(since=time.now), time.now)
        again = await to(site, COOK)
        assert not again.cached
        assert [one.kind for one in again.items] != [one.kind for one in first.items]
        assert (await to(site, COOK)).cached


async def test_a_site_that_begins(tmp_path: Path) -> None:
    """Where there is next to nothing to show, what comes next is shown within seconds, not after an hour."""
    time = Time()
    async with a_site(tmp_path, clock=time) as site:
        async with site.db.write() as conn:
            for video in [*site.cooking, *site.climbing]:
                await videos.delete(conn, video)
        assert not ids(await to(site, COOK))
        made = await add_videos(site.db, site.alice.id, [f"Film {number}" for number in range(4)])
        assert (await to(site, COOK)).cached
        time.now += BRIEFLY
        assert set(ids(await to(site, COOK))) == set(made)
        time.now += BRIEFLY
        assert (await to(site, COOK)).cached


async def test_the_model_is_trained_at_night(site: Site) -> None:
    """Once a day a job learns; not where all is as it was, and again where something was watched, somebody wants to
    teach it nothing any more, or an account is gone; where next to nothing is left, the model goes too."""
    recommending = site.host.recommending
    every = {type(one.task): one.seconds for one in recommending.schedule()}
    assert every[TrainRecommendations] == DAY
    assert every[UpdateWatchEdges] < HOUR
    job = Job(JobId("j"), "train_recommendations", {}, Lane.MEDIA, JobState.RUNNING, 0, 1, 1, NOW, NOW)

    async def night() -> int:
        await recommending.handlers[TrainRecommendations](TrainRecommendations(), JobContext(job, lambda: NOW))
        return recommending.learning.model.stat().st_ino

    first = await night()
    assert await night() == first
    async with site.db.write() as conn:
        await watch(conn, "u:climb0", site.cooking[0], NOW + 1)
    assert (second := await night()) != first
    await recommending.room.choose(COOK, personal=False)
    assert (third := await night()) != second
    async with site.db.write() as conn:
        await conn.execute("DELETE FROM interactions WHERE viewer = 'u:climb0'")
    assert await night() != third
    assert await recommending.server.ready()
    async with site.db.write() as conn:
        await conn.execute("DELETE FROM interactions WHERE viewer LIKE 'u:c%'")
    with pytest.raises(FileNotFoundError):
        await night()
    assert not await recommending.server.ready()


@pytest.mark.parametrize("setting", ["recommendations__train", "recommendations__personal"])
async def test_nothing_is_learned_where_that_is_not_wanted(tmp_path: Path, setting: str) -> None:
    """Neither without training nor without personal proposals."""
    off: dict[str, Any] = {setting: False}
    async with a_site(tmp_path, **off) as site:
        assert TrainRecommendations not in {type(one.task) for one in site.host.recommending.schedule()}


async def test_figures_of_ones_own_site(site: Site) -> None:
    """They are measured on what was watched here, and shown on one page with plots, safe to open."""
    found = await site.host.recommending.learning.evaluate("last", None, 1000, lambda _share, _step: None)
    assert [one.name for one in found.figures] == ["model", "item-kNN", "popularity"]
    assert (found.asked, found.videos) == (12, 8)
    assert found.figures[2].beaten_by is not None
    page = replace(found, dataset="<script>alert(1)</script>").page(NOW)
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert f"{found.figures[0].ndcg:.4f}" in page
    assert found.document()["figures"][1]["beaten_by"] == found.figures[1].beaten_by


async def test_a_plugin_may_keep_the_graph(tmp_path: Path) -> None:
    """Where the settings name another store, edges go there and come from there; one that nobody brings is refused."""
    graph = MemoryWatchGraph()
    brings = plugin("elsewhere", register_watch_graphs=lambda host: {"elsewhere": graph})
    async with a_site(tmp_path / "one", brings, recommendations__graph="elsewhere") as site:
        await site.settled()
        node = Node(NodeKind.VIDEO, site.cooking[0])
        assert (await graph.near([node], 10))[node]
        async with site.db.read() as conn:
            assert await conn.fetch_all("SELECT * FROM watch_edges") == []
        assert ids(await to(site, COOK))[0] == site.cooking[0]
    with pytest.raises(InvalidSettings):
        async with a_site(tmp_path / "two", recommendations__graph="elsewhere"):
            pass


async def test_who_has_watched_nearly_everything_gets_the_rest(site: Site) -> None:
    """However many of the best are hidden from somebody, a list is full as long as there is anything to show."""
    many = await add_videos(site.db, site.alice.id, [f"Film {number}" for number in range(2 * PER_SOURCE + 60)])
    await watch_all(site.db, COOK, many[: 2 * PER_SOURCE])
    await site.settled()
    left = {*many[2 * PER_SOURCE :], *site.climbing, site.cooking[0]}
    assert set(ids(await to(site, COOK))) == left
    assert len(ids(await to(site, COOK, 12))) == 12


async def test_kept_lists_stay_full(site: Site) -> None:
    """What was watched or dismissed since a list was made is made up for, also from beyond it, and nothing twice."""
    many = await add_videos(site.db, site.alice.id, [f"Film {number}" for number in range(3 * MOST + 30)])
    await site.settled()
    first = ids(await to(site, "s:guest"))
    for one in first[:20]:
        await site.host.recommending.room.dismiss("s:guest", one)
    assert len(set(ids(await to(site, "s:guest")))) == MOST
    await watch_all(site.db, "s:guest", many[:200], days_ago=0)
    again = await to(site, "s:guest")
    assert again.cached
    assert len(set(ids(again))) == MOST
    assert set(ids(again)).isdisjoint({*many[:200], *first[:20]})
    beside = await site.host.recommending.room.related(many[0], ANONYMOUS, "s:guest", MOST)
    assert len(set(ids(beside))) == MOST
    assert many[0] not in ids(beside)


async def test_a_share_is_left_to_chance(site: Site) -> None:
    """What hardly anybody has watched stands in a list too, the same until tomorrow."""
    room = site.host.recommending.room
    room._ways = replace(room._ways, rules=Rules(chance=0.25, depth=8))
    await add_videos(site.db, site.alice.id, [f"Film {number}" for number in range(40)])
    await site.settled()
    drawn = [one.video.id for one in (await to(site, COOK, 8)).items if one.kind is ReasonKind.CHANCE]
    assert len(drawn) == 2
    room.changed(COOK)
    assert [one.video.id for one in (await to(site, COOK, 8)).items if one.kind is ReasonKind.CHANCE] == drawn
