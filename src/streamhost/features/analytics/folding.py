"""Folds what was reported into what it amounts to: sessions, what viewers have seen, sums.

The log of events is the truth; a mark says up to which number it was folded, and moves in the transaction that writes
the result, so each event counts exactly once whatever dies in between. An event that comes late, from before what was
folded, has its session folded anew from the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from streamhost import log
from streamhost.db import interactions as interaction_rows
from streamhost.db import playback_events as rows
from streamhost.db import playback_sums as sum_rows
from streamhost.db.core import Connection, Database
from streamhost.db.interactions import Interaction
from streamhost.db.playback_events import Logged, Playback
from streamhost.db.playback_sums import Day, Hour
from streamhost.jobs.background import Background
from streamhost.model.analytics import Figures, day_of, figures_of, negative, subjects_of, summed
from streamhost.model.clock import HOUR
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId, VideoId
from streamhost.model.playbacks import NOTHING, Watching, fold, is_complete, order_of, united
from streamhost.model.sketch import hashed, joined

AT_ONCE = 500
"""Events that are folded together, some 20 ms of work in slices of a session each."""
MOST_REFOLDED = 5_000
"""Events of a session that are folded anew for one that comes late, half a day of playing. In longer sessions late ones
do not count: whoever sends everything backwards would have the whole log read for each of their batches."""
PAUSE_SECONDS = 2.0
"""How long nothing is looked for after nothing was found: figures are that much behind."""
FAILED_SECONDS = 30.0

Remembers = Callable[[Connection, Collection[str]], Awaitable[Collection[str]]]
"""Which of these viewers want it remembered what they watch."""

_logger = log.get("analytics")


async def remembers_all(_conn: Connection, viewers: Collection[str]) -> Collection[str]:
    """For a house in which nobody pauses their history."""
    return viewers


@dataclass(slots=True)
class _Change:
    """What is to be written."""

    playbacks: list[Playback] = field(default_factory=list)
    seen: dict[tuple[str, VideoId], list[Playback]] = field(default_factory=dict)
    days: dict[tuple[str, int], list[Day]] = field(default_factory=dict)
    hours: dict[tuple[str, int], list[Hour]] = field(default_factory=dict)


class Folder:
    """Folds, again and again. There is one, so nothing is folded twice."""

    def __init__(self, db: Database, key: bytes, remembers: Remembers = remembers_all) -> None:
        """`key`: 32 secret bytes by which viewers are counted without their names."""
        self._db = db
        self._key = key
        self._remembers = remembers
        self._task = Background("folding", self._run)
        self._turn = asyncio.Lock()
        self.folded = 0
        """Events folded so far."""

    async def start(self) -> None:
        """Begin to fold."""
        self._task.start()

    async def stop(self) -> None:
        """End after the step that runs; the rest is folded after the next start."""
        await self._task.stop()

    async def catch_up(self) -> int:
        """Fold everything there is now; how many events it was."""
        done = 0
        while more := await self.step():
            done += more
        return done

    async def step(self) -> int:
        """Fold the next events; how many."""
        async with self._turn:
            async with self._db.read() as conn:
                mark = await rows.mark(conn)
                logged = await rows.after(conn, mark, AT_ONCE)
                if not logged:
                    return 0
                known = await rows.playbacks(conn, {one.playback_id for one in logged})
                change = await self._changed(conn, known, logged)
            async with self._db.write() as conn:
                await rows.keep(conn, change.playbacks)
                await interaction_rows.put(conn, await self._interactions(conn, change))
                await sum_rows.add_days(conn, [_day(parts) for parts in change.days.values()])
                await sum_rows.add_hours(conn, [_hour(parts) for parts in change.hours.values()])
                await rows.set_mark(conn, logged[-1].number)
            self.folded += len(logged)
            return len(logged)

    async def _run(self) -> None:
        while True:
            try:
                pause = 0.0 if await self.step() else PAUSE_SECONDS
            except StreamhostError as error:
                _logger.warning("Reports were not folded", action="folding_failed", why=str(error))
                pause = FAILED_SECONDS
            except Exception:
                _logger.exception("Reports were not folded", action="folding_failed")
                pause = FAILED_SECONDS
            await asyncio.sleep(pause)

    async def _changed(self, conn: Connection, known: dict[str, Playback], logged: Sequence[Logged]) -> _Change:
        change = _Change()
        by_session: dict[str, list[Logged]] = {}
        for one in logged:
            by_session.setdefault(one.playback_id, []).append(one)
        for playback_id, mine in by_session.items():
            playback = known.get(playback_id)
            if playback is None or playback.owner_id is None:
                continue  # its video is gone
            watching = await self._folded(conn, playback, mine)
            last = max(playback.last_at, *(one.received_at for one in mine))
            self._note(change, playback.owner_id, playback, replace(playback, watching=watching, last_at=last))
            await asyncio.sleep(0)  # requests first
        return change

    async def _folded(self, conn: Connection, playback: Playback, mine: Sequence[Logged]) -> Watching:
        events = sorted((one.event for one in mine), key=order_of)
        was = playback.watching
        if was.last is not None and order_of(events[0]) < was.last:
            logged = await rows.of_playback(conn, playback.id, mine[-1].number, MOST_REFOLDED + 1)
            if len(logged) > MOST_REFOLDED:
                events = [one for one in events if order_of(one) >= was.last]
            else:
                events, was = sorted(logged, key=order_of), NOTHING
        return fold(was, events, playback.duration)

    def _note(self, change: _Change, owner_id: UserId, was: Playback, now: Playback) -> None:
        change.playbacks.append(now)
        if now.viewer and now.watching.begun:
            change.seen.setdefault((now.viewer, now.video_id), []).append(now)
        before, after = _figures(was), _figures(now)
        more = summed((after, negative(before)))
        # Whoever has no name counts as somebody else in every session.
        viewer = hashed(self._key, now.viewer or now.id) if after.views else b""
        day, hour = day_of(now.begun_at), int(now.begun_at // HOUR)
        for subject in subjects_of(now.video_id, owner_id):
            change.days.setdefault((subject, day), []).append(Day(subject, day, more, viewer))
            if more.views or more.played:
                part = Hour(subject, hour, more.views, more.played)
                change.hours.setdefault((subject, hour), []).append(part)

    async def _interactions(self, conn: Connection, change: _Change) -> list[Interaction]:
        wanted = await self._remembers(conn, {viewer for viewer, _ in change.seen})
        # Whoever has cleared their history since the sessions were read is not written into it again.
        named = await rows.viewers(conn, {one.id for sessions in change.seen.values() for one in sessions})
        seen = {}
        for pair, sessions in change.seen.items():
            theirs = [one for one in sessions if named.get(one.id) == pair[0]]
            if theirs and pair[0] in wanted:
                seen[pair] = theirs
        known = await interaction_rows.of_pairs(conn, seen)
        return [_interaction(pair, known.get(pair), sessions) for pair, sessions in seen.items()]


def _figures(playback: Playback) -> Figures:
    return figures_of(playback.watching, playback.duration, playback.device, playback.source)


def _day(parts: Sequence[Day]) -> Day:
    figures = summed(part.figures for part in parts)
    return replace(parts[0], figures=figures, viewers=joined(part.viewers for part in parts))


def _hour(parts: Sequence[Hour]) -> Hour:
    return replace(parts[0], views=sum(p.views for p in parts), played=sum(p.played for p in parts))


def _interaction(pair: tuple[str, VideoId], known: Interaction | None, sessions: Sequence[Playback]) -> Interaction:
    """What a viewer has seen of a video now. All sessions count together: who saw one half yesterday and the other
    today has seen it."""
    latest = max(sessions, key=lambda one: one.last_at)
    spans = united(known.spans if known else (), (span for one in sessions for span in one.watching.spans))
    duration = latest.duration
    together = replace(latest.watching, spans=spans)
    watched = together.share(duration)
    return Interaction(
        *pair,
        watched=watched,
        completed=is_complete(watched),
        skipped=together.is_skip(duration),
        liked=known.liked if known else False,
        position=latest.watching.position,
        spans=spans,
        first_at=known.first_at if known else min(one.begun_at for one in sessions),
        last_at=max(latest.last_at, known.last_at if known else 0.0),
    )
