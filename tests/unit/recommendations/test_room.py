"""The flow on a real catalog: what is proposed to whom, why, and what never is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streamhost.db import videos
from streamhost.features.recommendations import NotRecommended, Recommended
from streamhost.model.accounts import ANONYMOUS
from streamhost.model.clock import DAY
from streamhost.model.errors import InvalidInput
from streamhost.model.events import VideoDeleted
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Node, NodeKind, ReasonKind, TooLittleWatched
from streamhost.model.videos import Clearance, VideoState, Visibility
from tests.support.watching import NOW, add_videos, watch, watch_all
from tests.unit.recommendations.conftest import Site

COOK, CLIMBER, NEWCOMER = "u:cook0", "u:climb1", "s:newcomer"


def ids(found: Recommended) -> list[VideoId]:
    """What is proposed, in order."""
    return [one.video.id for one in found.items]


async def to(site: Site, visitor: str, limit: int = 50) -> Recommended:
    """What is proposed to somebody."""
    return await site.host.recommending.room.recommend(ANONYMOUS, visitor, limit)


async def beside(site: Site, video_id: VideoId, visitor: str = "") -> Recommended:
    """What is proposed beside a video."""
    return await site.host.recommending.room.related(video_id, ANONYMOUS, visitor, 50)


async def change(site: Site, video_id: VideoId, **columns: Any) -> None:
    """Change a video behind everybody's back."""
    async with site.db.write() as conn:
        await videos.change(conn, video_id, NOW, **columns)


async def test_each_gets_what_their_kind_watches(site: Site) -> None:
    """The one video of their kind that somebody has not watched comes first, with a reason; nothing they have."""
    await site.settled()
    found = await to(site, COOK)
    assert ids(found)[0] == site.cooking[0]
    assert set(ids(found)).isdisjoint(site.cooking[1:])
    assert found.items[0].kind in (ReasonKind.WATCHED, ReasonKind.VIEWERS)
    assert found.items[0].reason.startswith(("Because you watched Soup with", "Viewers like you"))
    assert ids(await to(site, CLIMBER))[0] == site.climbing[1]


async def test_the_model_joins_in_once_it_is_trained(site: Site) -> None:
    """A trained model answers from its process at once, and says what of the past was the reason."""
    learning = site.host.recommending.learning
    trained = await learning.train(lambda _share, _step: None)
    assert (trained.videos, trained.viewers) == (8, 12)
    assert await site.host.recommending.server.ready()
    profile = await site.host.recommending.room.profile(COOK)
    [first, *_] = await site.host.recommending.sources["model"].recommend(profile, 10)
    assert first.video_id == site.cooking[0]
    assert first.reason.because in site.cooking
    status = await learning.status(site.host.recommending.graph, ())
    assert status.trained is not None
    assert status.trained.watched == trained.watched


async def test_nothing_is_learned_from_next_to_nothing(site: Site) -> None:
    """With too few views training says so, and a model that is there stays."""
    async with site.db.write() as conn:
        await conn.execute("DELETE FROM interactions WHERE viewer <> 'u:cook0'")
    with pytest.raises(TooLittleWatched):
        await site.host.recommending.learning.train(lambda _share, _step: None)
    assert not site.host.recommending.learning.model.exists()


async def test_newcomers_get_what_is_popular_and_new(site: Site) -> None:
    """Somebody of whom nothing is known is not left without anything, nor on a site where nobody has watched."""
    async with site.db.write() as conn:
        for number in range(20):
            await watch(conn, f"s:passing{number}", site.climbing[3], NOW)
    await site.settled()
    found = await to(site, "")
    assert ids(found)[0] == site.climbing[3]
    assert found.items[0].kind is ReasonKind.POPULAR
    assert set(ids(found)) == {*site.cooking, *site.climbing}
    assert ids(await to(site, NEWCOMER)) == ids(found)


async def test_a_new_video_is_proposed_before_anybody_watched_it(site: Site) -> None:
    """Words and the calendar bring what no model knows: to those who watch the like, and beside it."""
    await site.settled()
    [fresh] = await add_videos(site.db, site.carol.id, ["Soup with leeks and beans on a stove"])
    assert fresh in ids(await to(site, COOK))[:3]
    found = await beside(site, site.cooking[0])
    [mine] = [one for one in found.items if one.video.id == fresh]
    assert mine.kind is ReasonKind.SIMILAR


@pytest.mark.parametrize(
    "columns",
    [
        {"visibility": Visibility.PRIVATE.value},
        {"visibility": Visibility.UNLISTED.value},
        {"visibility": Visibility.PASSWORD.value},
        {"state": VideoState.FAILED.value},
        {"playable": 0},
        {"deleted_at": NOW},
        {"clearance": Clearance.REVIEW.value},
        {"clearance": Clearance.REJECTED.value},
    ],
    ids=["private", "unlisted", "password", "failed", "unplayable", "deleted", "in review", "rejected"],
)
async def test_what_is_closed_is_gone_from_kept_lists_too(site: Site, columns: dict[str, Any]) -> None:
    """A video that not everybody may find is proposed to nobody, beside nothing, from the next request on; nor is its
    title told as a reason."""
    await site.settled()
    video, other = site.cooking[0], site.cooking[1]
    assert video in ids(await to(site, COOK))
    assert video in ids(await beside(site, other))
    await change(site, video, title="Secret soup", **columns)
    again = await to(site, COOK)
    assert again.cached
    assert video not in ids(again)
    assert video not in ids(await beside(site, other))
    assert video not in ids(await to(site, ""))
    for reader in ("u:cook1", "u:cook2"):
        assert "Secret" not in " ".join(one.reason for one in (await to(site, reader)).items)


async def test_lists_are_kept_until_something_changes(site: Site) -> None:
    """The second request is answered from the kept list, the first after something changed is not."""
    await site.settled()
    assert [(await to(site, COOK)).cached for _ in range(2)] == [False, True]
    await watch_all(site.db, COOK, [site.cooking[0]], days_ago=0)
    assert site.cooking[0] not in ids(await to(site, COOK)), "what was watched just now is left out of kept lists too"
    await site.settled()
    assert not (await to(site, COOK)).cached


async def test_not_interested_and_back(site: Site) -> None:
    """What is dismissed is proposed no more, to nobody else's harm, until that is taken back."""
    await site.settled()
    room, video = site.host.recommending.room, site.cooking[0]
    assert video in ids(await to(site, COOK))
    await room.dismiss(COOK, video)
    assert video not in ids(await to(site, COOK))
    assert video not in ids(await beside(site, site.cooking[1], COOK))
    assert video in ids(await to(site, "u:cook4"))
    assert [(one, title) for one, title, _ in await room.dismissed(COOK, None)] == [(video, "Soup with leeks")]
    await change(site, video, visibility=Visibility.PRIVATE.value)
    assert [title for _, title, _ in await room.dismissed(COOK, None)] == [""]
    await change(site, video, visibility=Visibility.PUBLIC.value)
    await room.take_back(COOK, video)
    assert video in ids(await to(site, COOK))
    with pytest.raises(NotRecommended):
        await room.dismiss("", video)


async def test_begin_anew(site: Site) -> None:
    """After a reset the past counts for nothing: not for oneself, not for others, not for what is learned."""
    await site.settled()
    room = site.host.recommending.room
    await room.dismiss(COOK, site.climbing[0])
    await room.reset(COOK)
    assert (await room.profile(COOK)).seen == ()
    await site.settled()
    node = Node(NodeKind.VIEWER, COOK)
    assert not (await site.host.recommending.graph.near([node], 10)).get(node)
    neighbours = await site.host.recommending.graph.near([Node(NodeKind.VIEWER, "u:cook4")], 40)
    assert COOK not in {edge.other for edges in neighbours.values() for edge in edges}
    assert (await site.host.recommending.learning.train(lambda _share, _step: None)).viewers == 11
    assert await room.dismissed(COOK, None) == []


async def test_opting_out(site: Site) -> None:
    """Who does not want proposals of their own gets everybody's, and teaches nobody anything."""
    await site.settled()
    room = site.host.recommending.room
    assert (await to(site, COOK)).items[0].kind is not ReasonKind.POPULAR
    assert not (await room.choose(COOK, personal=False)).personal
    assert ids(await to(site, COOK)) == ids(await to(site, ""))
    await room.dismiss(COOK, site.climbing[2])
    assert site.climbing[2] not in ids(await to(site, COOK))
    assert (await site.host.recommending.learning.train(lambda _share, _step: None)).viewers == 11
    await room.choose(COOK, personal=True)
    assert len((await room.profile(COOK)).seen) == 3


async def test_what_was_watched_long_ago_may_come_back(site: Site) -> None:
    """Half a year later a video is proposed again; a short look back then hides it anew."""
    async with site.db.write() as conn:
        await watch(conn, COOK, site.cooking[1], NOW - 300 * DAY)
    await site.settled()
    assert site.cooking[1] in ids(await to(site, COOK))


async def test_deleted_videos_leave_the_graph(site: Site) -> None:
    """A video that is deleted takes its edges along."""
    await site.settled()
    node = Node(NodeKind.VIDEO, site.cooking[0])
    assert (await site.host.recommending.graph.near([node], 10))[node]
    gone = VideoDeleted(site.cooking[0], site.alice.id, "Soup", at=NOW)
    await site.host.recommending.room.hear(gone)
    assert not (await site.host.recommending.graph.near([node], 10)).get(node)


async def test_pages_are_of_a_sensible_size(site: Site) -> None:
    """Zero, less, and more than a hundred videos are refused."""
    for limit in (0, -1, 101):
        with pytest.raises(InvalidInput):
            await to(site, COOK, limit)
    assert len((await to(site, COOK, 2)).items) == 2


async def test_a_lost_process_is_replaced(site: Site) -> None:
    """A model whose process ends is missing from one list, which is not kept for long, and is back soon."""
    recommending = site.host.recommending
    await recommending.learning.train(lambda _share, _step: None)
    assert await recommending.server.ready()
    process = recommending.server._process
    assert process is not None
    process._process.kill()
    found = await to(site, COOK)
    assert ids(found)[0] == site.cooking[0]
    recommending.server._rest_until = 0.0
    async with asyncio.timeout(150):
        assert await recommending.server.ready()
    profile = await recommending.room.profile(COOK)
    assert await recommending.sources["model"].recommend(profile, 10)
