"""Recommenders that do not do what they should."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, Profile, Reason, ReasonKind
from streamhost.ports_recommending import Recommender, RecommenderUnavailable

FAULTS = (
    "slow",
    "failing",
    "exploding",
    "no list",
    "nonsense",
    "not finite",
    "twice the same",
    "too many",
    "unknown",
)
REASON = Reason(ReasonKind.VIEWERS)


def faulty(fault: str) -> Recommender:
    """One with that fault."""
    return _Faulty(fault)


class _Faulty:
    def __init__(self, fault: str) -> None:
        self._fault = fault

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """Go wrong."""
        answers: dict[str, Any] = {
            "no list": 7,
            "nonsense": ["a", None, Candidate(VideoId("../../etc"), 1.0, REASON), {"video": "x"}],
            "not finite": [Candidate(VideoId("abc"), math.nan, REASON), Candidate(VideoId("abd"), math.inf, REASON)],
            "twice the same": [Candidate(VideoId("abc"), 1.0, REASON)] * 3,
            "too many": [Candidate(VideoId(f"v{number}"), 1.0, REASON) for number in range(10 * limit)],
            "unknown": [Candidate(VideoId("neverwas12345678"), 9e9, REASON)],
        }
        if self._fault == "slow":
            await asyncio.sleep(3600)
        if self._fault == "failing":
            raise RecommenderUnavailable("It is away.")
        if self._fault == "exploding":
            raise ZeroDivisionError
        answer: Sequence[Candidate] = answers[self._fault]
        return answer

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """Go wrong in the same way."""
        return await self.recommend(Profile(), limit)
