"""What every recommender must do: the contract of `streamhost.ports.Recommender` as a suite of tests.

class TestMyRecommender(RecommenderContract):
    @pytest.fixture
    def recommender(self) -> Recommender:
        return MyRecommender(...)

    @pytest.fixture
    def profile(self) -> Profile:
        ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, Profile, Seen, sound
from streamhost.ports_recommending import Recommender

MANY = 50


class RecommenderContract:
    """Inherit from it and provide `recommender`, and `profile`: somebody who has watched at least one video."""

    async def test_what_it_proposes_is_sound(self, recommender: Recommender, profile: Profile) -> None:
        """Ids, finite scores and reasons; each video once; no more than was asked for."""
        for limit in (1, MANY):
            assert _is_sound(await recommender.recommend(profile, limit), limit)
            assert _is_sound(await recommender.related(profile.seen[0].video_id, limit), limit)

    async def test_a_video_is_not_beside_itself(self, recommender: Recommender, profile: Profile) -> None:
        """What is beside a video is other videos."""
        video_id = profile.seen[0].video_id
        assert video_id not in {one.video_id for one in await recommender.related(video_id, MANY)}

    async def test_nobody_known_is_no_error(self, recommender: Recommender) -> None:
        """An empty profile may be answered, and is never refused."""
        assert _is_sound(await recommender.recommend(Profile(), MANY), MANY)

    async def test_videos_that_nobody_knows_are_no_error(self, recommender: Recommender) -> None:
        """A past of videos that are gone, and a video that never was, are taken as they are."""
        gone = Profile("s:stranger", (Seen(VideoId("neverwas12345678"), 1.0, 0.0),))
        assert _is_sound(await recommender.recommend(gone, MANY), MANY)
        assert _is_sound(await recommender.related(VideoId("neverwas12345678"), MANY), MANY)

    async def test_several_may_ask(self, recommender: Recommender, profile: Profile) -> None:
        """Who asks at the same time gets the same answer, and one who has given up disturbs nobody."""
        asked = [asyncio.ensure_future(recommender.recommend(profile, MANY)) for _ in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        _, second, third = await asyncio.gather(*asked, return_exceptions=True)
        alone = await recommender.recommend(profile, MANY)
        assert not isinstance(second, BaseException)
        assert not isinstance(third, BaseException)
        assert _ids(second) == _ids(third) == _ids(alone)


def _is_sound(candidates: Sequence[Candidate], limit: int) -> bool:
    return len(candidates) <= limit and len(sound(candidates, limit)) == len(candidates)


def _ids(candidates: Sequence[Candidate]) -> list[VideoId]:
    return [one.video_id for one in candidates]
