"""The flow: list that is kept → profile and history → whoever proposes → ranking → list that is kept.

What is kept are ids, scores and reasons. Who may see a video, what was watched since and what is not wanted is looked
up for every single answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from streamhost.caching.cache import Cache
from streamhost.db import proposals, tastes
from streamhost.db import watch_graph as graph_rows
from streamhost.db.core import Connection, Database
from streamhost.features.recommendations.asking import Asked, Asking
from streamhost.model.accounts import Viewer
from streamhost.model.cached import RECOMMENDATIONS
from streamhost.model.clock import DAY, HOUR, MINUTE, Clock, Timestamp
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.events import Event, VideoDeleted, VideoPublished
from streamhost.model.ids import UserId, VideoId
from streamhost.model.ranking import Rules, blend, rank
from streamhost.model.recommendations import (
    MOST_SEEN,
    Candidate,
    Interest,
    Node,
    NodeKind,
    Profile,
    Ranked,
    Reason,
    ReasonKind,
    Seen,
    fading,
)
from streamhost.model.videos import Video
from streamhost.ports_recommending import Recommender, WatchGraph

MOST = 100
"""Videos of one answer."""
KEPT, LOOKED = 300, 400
"""Videos of a list that is kept: what is left out when it is shown must not make it short; and of those that are looked
at for it, the best."""
PER_SOURCE, WIDELY = 100, 1_500
"""Proposals that each source is asked for; and then, where too few of them may be shown to somebody."""
WATCHED_DAYS = 180.0
"""Days for which a video that somebody watched, or left at its beginning, is not proposed to them again."""
MOST_HIDDEN = 2_000
MOST_DISMISSED = 1_000
UNKNOWN_VIEWERS = 3
"""A video with at most so many viewers is one that few know."""
CHANCES = 40
HALF_KEPT = MINUTE
"""How long a list is kept that a source which failed is missing from."""
SHORT, BRIEFLY = 3, 5.0
"""Lists of fewer are kept for these seconds alone: where a site begins, the next film may be what there is to show."""
FOR, BESIDE = "for", "beside"
EVERYBODY = f"{FOR}:"
"""The key of the list for those of whom nothing is known."""
NEVER: Timestamp = 2.0**53


class NotRecommended(StreamhostError):
    """There is no visitor whose wish could be noted."""

    code = "no_visitor"
    hint = "Sign in, or allow the site's cookie: without either nobody could know you again."
    permanent = True


@dataclass(frozen=True, slots=True)
class Ways:
    """How lists are made: seconds that they are kept, how they are put in order, and whether pasts count at all."""

    keep: float = HOUR
    rules: Rules = field(default_factory=Rules)
    personal: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """A video to show, how well it fits (0..1 or a little more), and why it is there, in words and by kind.

    `because`: the video that it goes back to, where that may be named."""

    video: Video
    score: float
    reason: str
    kind: ReasonKind
    because: VideoId | None = None


@dataclass(frozen=True, slots=True)
class Recommended:
    """What to show, best first; `cached`: the order was worked out for an earlier request."""

    items: Sequence[Item]
    generated_at: Timestamp
    cached: bool


Question = Callable[[Recommender, int], Awaitable[Sequence[Candidate]]]
"""Asks a source for so many."""


class Recommendations:
    """Proposes videos to people, and beside videos."""

    def __init__(self, db: Database, clock: Clock, asking: Asking, cache: Cache, graph: WatchGraph, ways: Ways) -> None:
        self._db = db
        self._clock = clock
        self._asking = asking
        self._cache = cache
        self._graph = graph
        self._ways = ways

    async def recommend(self, viewer: Viewer, visitor: str, limit: int) -> Recommended:
        """For somebody. `visitor` is what they are called in the watch graph (see `Profile`), empty for nobody."""
        _check(limit)
        interest = await self._interest(visitor)
        known = visitor if interest.personal else ""
        key = f"{FOR}:{known}"
        ranked, cached = await self._list(key, lambda: self._for(known), interest.since)
        since = self._clock() - WATCHED_DAYS * DAY if known else NEVER
        return await self._shown(ranked, cached, viewer.id, visitor, since, limit)

    async def related(self, video_id: VideoId, viewer: Viewer, visitor: str, limit: int) -> Recommended:
        """Beside a video, which the caller has seen that this viewer may see."""
        _check(limit)
        ranked, cached = await self._list(f"{BESIDE}:{video_id}", lambda: self._beside(video_id))
        return await self._shown(ranked, cached, viewer.id, visitor, NEVER, limit, beside=video_id)

    async def dismiss(self, visitor: str, video_id: VideoId) -> None:
        """Propose this video to them no more. Raises `NotRecommended`."""
        _needs(visitor)
        async with self._db.write() as conn:
            await tastes.dismiss(conn, visitor, video_id, self._clock(), MOST_DISMISSED)
            conn.after_commit(lambda: self.changed(visitor))

    async def take_back(self, visitor: str, video_id: VideoId | None = None) -> None:
        """Let a video that was not wanted be proposed again; None: all of them. Raises `NotRecommended`."""
        _needs(visitor)
        async with self._db.write() as conn:
            await tastes.take_back(conn, visitor, video_id)
            conn.after_commit(lambda: self.changed(visitor))

    async def dismissed(self, visitor: str, user_id: UserId | None) -> list[tuple[VideoId, str, Timestamp]]:
        """What they do not want: id, title (empty for what they could not find any more), since when."""
        async with self._db.read() as conn:
            found = await tastes.dismissed(conn, visitor)
            titles = await proposals.titles(conn, [one for one, _ in found], user_id)
        return [(one, titles.get(one, ""), at) for one, at in found]

    async def interest(self, visitor: str) -> Interest:
        """What they have chosen."""
        return await self._interest(visitor)

    async def choose(self, visitor: str, *, personal: bool) -> Interest:
        """Whether proposals may depend on what they watched. Raises `NotRecommended`."""
        _needs(visitor)
        return await self._change(visitor, lambda interest: replace(interest, personal=personal))

    async def reset(self, visitor: str) -> Interest:
        """Begin anew: what they watched so far counts no more, nor what they did not want. Raises `NotRecommended`."""
        _needs(visitor)
        now = self._clock()
        return await self._change(visitor, lambda interest: replace(interest, since=now), forget=True)

    def changed(self, visitor: str) -> None:
        """What is known of a viewer has changed: their list is made anew."""
        self._cache.drop(RECOMMENDATIONS, f"{FOR}:{visitor}")

    def forget_lists(self) -> None:
        """Make all lists anew: another model answers now."""
        self._cache.forget(RECOMMENDATIONS)

    async def hear(self, event: Event) -> None:
        """Take note of what has happened to videos."""
        if isinstance(event, VideoDeleted):
            await self._graph.forget(Node(NodeKind.VIDEO, event.video_id))
            self._cache.drop(RECOMMENDATIONS, f"{BESIDE}:{event.video_id}")
        elif isinstance(event, VideoPublished):
            self._cache.drop(RECOMMENDATIONS, EVERYBODY)

    async def profile(self, visitor: str) -> Profile:
        """What is known of a viewer."""
        if not visitor or not self._ways.personal:
            return Profile()
        now = self._clock()
        async with self._db.read() as conn:
            history = await tastes.history(conn, visitor, MOST_SEEN)
            hidden = await tastes.watched_since(conn, visitor, now - WATCHED_DAYS * DAY, MOST_HIDDEN)
            hidden |= {video_id for video_id, _ in await tastes.dismissed(conn, visitor)}
        faded = [Seen(one.video_id, one.strength * fading(place), one.at) for place, one in enumerate(history)]
        return Profile(visitor, tuple(faded), frozenset(hidden))

    async def _interest(self, visitor: str) -> Interest:
        if not visitor:
            return Interest()
        async with self._db.read() as conn:
            return await tastes.interest(conn, visitor)

    async def _change(self, visitor: str, change: Callable[[Interest], Interest], *, forget: bool = False) -> Interest:
        async with self._db.write() as conn:
            chosen = change(await tastes.interest(conn, visitor))
            await tastes.choose(conn, visitor, chosen, self._clock())
            if forget:
                await tastes.take_back(conn, visitor)
            await graph_rows.changed_all(conn, visitor)
            conn.after_commit(lambda: self.changed(visitor))
        # At once for themselves; what others have from them is made anew as the watch graph is kept.
        await self._graph.forget(Node(NodeKind.VIEWER, visitor))
        return chosen

    async def _list(
        self, key: str, make: Callable[[], Coroutine[Any, Any, Ranked]], since: Timestamp = 0.0
    ) -> tuple[Ranked, bool]:
        """The list under a key, and whether it was there. One from before `since` is none: another process, whose word
        does not reach this memory, may have had somebody begin anew."""
        made = False

        async def noted() -> Ranked:
            nonlocal made
            made = True
            return await make()

        ranked: Ranked = await self._cache.get(RECOMMENDATIONS, key, noted, Ranked)
        age = self._clock() - ranked.made_at
        if not made and (ranked.made_at < since or not 0 <= age < self._life(ranked)):
            self._cache.drop(RECOMMENDATIONS, key)
            ranked = await self._cache.get(RECOMMENDATIONS, key, noted, Ranked)
        return ranked, not made

    def _life(self, ranked: Ranked) -> float:
        """Seconds for which a list is kept."""
        if len(ranked.items) < SHORT:
            return BRIEFLY
        return self._ways.keep if ranked.whole else HALF_KEPT

    async def _for(self, visitor: str) -> Ranked:
        profile = await self.profile(visitor)
        return await self._ranked(lambda source, limit: source.recommend(profile, limit), profile)

    async def _beside(self, video_id: VideoId) -> Ranked:
        profile = Profile(hidden=frozenset({video_id}))
        return await self._ranked(lambda source, limit: source.related(video_id, limit), profile, seed=video_id)

    async def _ranked(self, question: Question, profile: Profile, seed: str = "") -> Ranked:
        """A list made anew. Where most of what is proposed is hidden from this viewer, more is asked for, once."""
        now = self._clock()
        lot = f"{profile.viewer}{seed}:{int(now // DAY)}"
        asked, found = await self._asked(question, PER_SOURCE, profile, now, lot)
        if len(found) < MOST and any(len(answer) == PER_SOURCE for answer in asked.answers.values()):
            asked, found = await self._asked(question, WIDELY, profile, now, lot)
        return Ranked(found[:KEPT], now, whole=not asked.failed)

    async def _asked(
        self, question: Question, limit: int, profile: Profile, now: Timestamp, lot: str
    ) -> tuple[Asked, tuple[Candidate, ...]]:
        """What the sources say when each is asked for so many, and that in order."""
        asked = await self._asking.ask(lambda source: question(source, limit), limit)
        candidates = [one for one in blend(asked.answers) if one.video_id not in profile.hidden][:LOOKED]
        async with self._db.read() as conn:
            chances = await self._chances(conn, lot)
            facts = await proposals.facts(conn, {one.video_id for one in candidates} | set(chances))
        return asked, rank(candidates, facts, profile, now, self._ways.rules, chances, lot)

    async def _chances(self, conn: Connection, lot: str) -> list[VideoId]:
        """Some videos that few know, from a place in the catalog that is another one every day."""
        if self._ways.rules.chance <= 0:
            return []
        place = Random(lot).randrange(1 + await proposals.last_number(conn))
        found = await proposals.hardly_known(conn, place, UNKNOWN_VIEWERS, CHANCES)
        return found or await proposals.hardly_known(conn, 0, UNKNOWN_VIEWERS, CHANCES)

    async def _shown(
        self,
        ranked: Ranked,
        cached: bool,
        user_id: UserId | None,
        visitor: str,
        since: Timestamp,
        limit: int,
        *,
        beside: VideoId | None = None,
    ) -> Recommended:
        """The first of a list that may be shown to this viewer now; if it is too short, the latest of the rest."""
        items: list[Item] = []
        async with self._db.read() as conn:
            for at in range(0, len(ranked.items), step := limit + 8):
                part = ranked.items[at : at + step]
                hidden = await tastes.hidden_among(conn, visitor, [one.video_id for one in part], since)
                wanted = [one for one in part if one.video_id not in hidden][: limit - len(items)]
                videos = await proposals.listed_among(conn, [one.video_id for one in wanted])
                because = {one.reason.because for one in wanted if one.reason.because}
                titles = {} if beside is not None else await proposals.titles(conn, because, user_id)
                for one in wanted:
                    if (video := videos.get(one.video_id)) is not None:
                        words = one.reason.words(titles, beside=beside is not None)
                        named = one.reason.because if one.reason.because in titles else None
                        items.append(Item(video, one.score, words, one.reason.kind, named))
                if len(items) >= limit:
                    break
            if len(items) < limit:
                shown = [one.video_id for one in ranked.items] + ([beside] if beside else [])
                rest = await proposals.latest_unseen(conn, visitor, since, shown, limit - len(items))
                words = Reason(ReasonKind.NEW).words({})
                items += [Item(video, 0.0, words, ReasonKind.NEW) for video in rest]
        return Recommended(items, ranked.made_at, cached)


def _check(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise InvalidInput(fields={"limit": f"From 1 to {MOST}."})


def _needs(visitor: str) -> None:
    if not visitor:
        raise NotRecommended
