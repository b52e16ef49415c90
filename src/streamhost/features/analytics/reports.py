"""Reads the sums: what was watched of one video, of all of somebody, or on the whole site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.db import playback_sums as rows
from streamhost.db.core import Database
from streamhost.db.playback_sums import Hour, Ranked
from streamhost.model.analytics import (
    EVERYTHING,
    Figures,
    day_of,
    of_owner,
    quantile,
    rebuffer_ratio,
    retention_of,
    summed,
)
from streamhost.model.clock import DAY, HOUR, Clock, Timestamp
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import UserId, VideoId
from streamhost.model.sketch import count, joined

USUAL_DAYS = 28
MOST_DAYS = 3660
"""Ten years."""
HOURLY_DAYS = 7
"""Up to so many days, figures come by the hour as well."""
MOST_VIDEOS = 20
"""Videos in a list of the most watched."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day, as number since 1970 (UTC)."""

    day: int
    views: int
    viewers: int
    played: float
    asked: int
    stalled: float
    failed: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to say of the days from `first` to `last`. Times are seconds, shares 0..1; None where there
    is nothing to take a mean of."""

    first: int
    last: int
    figures: Figures
    viewers: int
    days: Sequence[DayLine]
    hours: Sequence[Hour]
    videos: Sequence[Ranked]

    @property
    def first_frame(self) -> float | None:
        """Median time to the first frame."""
        return quantile(self.figures.first_frames, 0.5)

    @property
    def slow_first_frame(self) -> float | None:
        """What one start in twenty takes longer than."""
        return quantile(self.figures.first_frames, 0.95)

    @property
    def rebuffer_ratio(self) -> float | None:
        """Share of the time in which the picture stood still."""
        return rebuffer_ratio(self.figures)

    @property
    def retention(self) -> list[float]:
        """For each per cent of the film, the share of sessions that saw it."""
        return retention_of(self.figures)

    @property
    def mean_played(self) -> float | None:
        """Seconds that were played in a session, on average."""
        return self.figures.played / self.figures.begun if self.figures.begun > 0 else None

    @property
    def mean_share(self) -> float | None:
        """Share of the film that was seen in a session, on average."""
        return min(1.0, self.figures.shares / self.figures.begun) if self.figures.begun > 0 else None

    @property
    def exit_share(self) -> float | None:
        """Share of starts that no picture came of."""
        return self.figures.gave_up / self.figures.asked if self.figures.asked > 0 else None


class Reports:
    """Adds up what the days hold."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def period(self, since: Timestamp | None, until: Timestamp | None) -> tuple[int, int]:
        """The days of a period, both included; without bounds the last `USUAL_DAYS`. Raises `InvalidInput`."""
        last = day_of(self._clock() if until is None else until)
        first = last - USUAL_DAYS + 1 if since is None else day_of(since)
        if first > last:
            raise InvalidInput(fields={"from": "It lies after `to`."})
        if last - first >= MOST_DAYS:
            raise InvalidInput(fields={"from": f"At most {MOST_DAYS} days at once."})
        return first, last

    async def of_video(self, video_id: VideoId, first: int, last: int) -> Report:
        """What was watched of one video."""
        return await self._report(video_id, first, last)

    async def of_owner(self, owner_id: UserId, first: int, last: int) -> Report:
        """What was watched of all videos of somebody, and which of them most."""
        return await self._report(of_owner(owner_id), first, last, owner_id)

    async def of_everything(self, first: int, last: int) -> Report:
        """What was watched on this site, and which videos most."""
        return await self._report(EVERYTHING, first, last, all_videos=True)

    async def _report(
        self, subject: str, first: int, last: int, owner_id: UserId | None = None, *, all_videos: bool = False
    ) -> Report:
        hourly = last - first < HOURLY_DAYS
        per_day = round(DAY / HOUR)
        async with self._db.read() as conn:
            days = await rows.days(conn, subject, first, last)
            hours = await rows.hours(conn, subject, first * per_day, (last + 1) * per_day - 1) if hourly else []
            ranked = owner_id is not None or all_videos
            videos = await rows.most_watched(conn, first, last, MOST_VIDEOS, owner_id) if ranked else []
        by_day: Mapping[int, rows.Day] = {one.day: one for one in days}
        empty = rows.Day(subject, 0, Figures())
        return Report(
            first,
            last,
            summed(one.figures for one in days),
            count(joined(one.viewers for one in days)),
            [_line(day, by_day.get(day, empty)) for day in range(first, last + 1)],
            hours,
            videos,
        )


def _line(day: int, sums: rows.Day) -> DayLine:
    figures = sums.figures
    return DayLine(
        day,
        round(figures.views),
        count(sums.viewers),
        figures.played,
        round(figures.asked),
        figures.stalled,
        round(figures.broken),
    )
