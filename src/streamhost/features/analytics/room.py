"""The room of figures: takes what players report, and says what it amounts to."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streamhost import log
from streamhost.config import AnalyticsSettings
from streamhost.db import interactions as interaction_rows
from streamhost.db import playback_events as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Database
from streamhost.db.playback_events import Playback, Reported
from streamhost.features.analytics.agents import Robots, device_of
from streamhost.features.analytics.folding import Folder, Remembers, remembers_all
from streamhost.features.analytics.intake import Intake
from streamhost.features.analytics.listening import Listening, Overheard
from streamhost.features.analytics.reports import Reports
from streamhost.jobs.context import JobContext
from streamhost.model.accounts import Viewer
from streamhost.model.clock import DAY, Clock, Timestamp
from streamhost.model.errors import NotFound
from streamhost.model.grants import POSTER_ONLY, Grants, InvalidGrant
from streamhost.model.ids import UserId, VideoId, is_id
from streamhost.model.playbacks import PlaybackEvent, Source
from streamhost.model.tasks import SweepPlaybacks
from streamhost.model.videos import Video
from streamhost.ports import Storage

TRUSTED_SECONDS = 30.0
"""How long it is remembered that somebody may watch a video: whoever no longer may can be counted that much longer."""
MOST_REMEMBERED = 10_000
SWEPT_AT_ONCE = 500
"""Sessions removed in one transaction, with some thousand events."""

Watchable = Callable[[VideoId, Viewer], Awaitable[Video]]
"""The video, for whoever may watch it; raises for others."""

_logger = log.get("analytics")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports. `visit`: the name of a browser's visit, empty without one; `agent`: what it calls itself;
    `private`: it asked not to be tracked."""

    viewer: Viewer
    visit: str = ""
    agent: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class _Watched:
    """A video that somebody may watch, for how long that is trusted, and who they are."""

    duration: float
    user_id: UserId | None
    until: Timestamp


class Analytics:
    """Takes reports of players, folds them, and reads the sums."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: AnalyticsSettings,
        key: bytes,
        grants: Grants,
        storage: Storage,
        watchable: Watchable,
        remembers: Remembers = remembers_all,
    ) -> None:
        """`key`: 32 secret bytes by which viewers are counted without their names. `remembers`: which viewers want it
        remembered what they watch."""
        self._db = db
        self._clock = clock
        self._settings = settings
        self._grants = grants
        self._watchable = watchable
        self._robots = Robots()
        self._trusted: OrderedDict[tuple[object, ...], _Watched] = OrderedDict()
        self.intake = Intake(db)
        self.folder = Folder(db, key, remembers)
        self.listening = Listening(self._heard, storage)
        self.reports = Reports(db, clock)
        self.robots = 0
        """Events of robots so far: taken, and not counted."""

    @property
    def enabled(self) -> bool:
        """Whether anything is kept."""
        return self._settings.enabled

    def now(self) -> Timestamp:
        """The moment, for events that name none."""
        return self._clock()

    async def start(self) -> None:
        """Begin to take in and to fold."""
        await self.intake.start()
        await self.folder.start()
        await self.listening.start()

    async def stop(self) -> None:
        """Write down what has come in, and end."""
        await self.listening.stop()
        await self.intake.stop()
        await self.folder.stop()

    async def report(
        self, session: str, video_id: VideoId, events: Sequence[PlaybackEvent], sender: Sender, grant: str = ""
    ) -> int:
        """Take the events of a session; returns how many once they are on disk, known ones included.

        A grant for the video says who watches and that they may; without one it is looked up. Raises `NotFound` and
        what looking up raises, what a bad grant raises, `ReportsBacklog`, and what the catalog raises.
        """
        watched = await self._look_up(video_id, sender, grant)
        if not self._settings.enabled:
            return 0
        if await self._robots.include(sender.agent):
            self.robots += len(events)
            return len(events)
        viewer = _viewer(watched.user_id, sender, session)
        playback = self._playback(session, video_id, watched, viewer, sender.agent, Source.PLAYER)
        await self.intake.take(Reported(playback, events, playback.begun_at))
        return len(events)

    async def _heard(self, one: Overheard, session: str, events: list[PlaybackEvent]) -> None:
        """Take what a player said in its requests."""
        if not self._settings.enabled or await self._robots.include(one.agent):
            return
        grant = one.grant
        watched = _Watched(await self._duration(grant.video_id), grant.user_id, 0.0)
        sender = Sender(Viewer(), agent=one.agent, private=one.private)
        viewer = _viewer(grant.user_id, sender, grant.session_id)
        # A name of its own, should the player report in both ways.
        playback = self._playback(f"cmcd {session}", grant.video_id, watched, viewer, one.agent, Source.CMCD)
        await self.intake.take(Reported(playback, events, one.at))

    def _playback(
        self, session: str, video_id: VideoId, watched: _Watched, viewer: str, agent: str, source: Source
    ) -> Playback:
        # Of whoever is signed in nobody else can continue a session, whatever they call theirs.
        name = "\0".join((video_id, watched.user_id or "", session))
        playback_id = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        now = self._clock()
        return Playback(playback_id, video_id, viewer, source, device_of(agent), watched.duration, now, now)

    async def _look_up(self, video_id: VideoId, sender: Sender, grant: str) -> _Watched:
        if not is_id(video_id):
            raise NotFound
        if grant:
            given = self._grants.check(grant, video_id)
            if given.flags & POSTER_ONLY:
                raise InvalidGrant
            return _Watched(await self._duration(video_id), given.user_id, 0.0)
        viewer = sender.viewer
        key = (video_id, viewer.id, viewer.session_id, viewer.passes)
        known, now = self._trusted.get(key), self._clock()
        if known is not None and now < known.until:
            return known
        video = await self._watchable(video_id, viewer)
        return self._trust(key, _Watched(video.duration or 0.0, viewer.id, now + TRUSTED_SECONDS))

    async def _duration(self, video_id: VideoId) -> float:
        known, now = self._trusted.get((video_id,)), self._clock()
        if known is not None and now < known.until:
            return known.duration
        async with self._db.read() as conn:
            duration = await video_rows.duration(conn, video_id)
        return self._trust((video_id,), _Watched(duration or 0.0, None, now + TRUSTED_SECONDS)).duration

    def _trust(self, key: tuple[object, ...], watched: _Watched) -> _Watched:
        self._trusted[key] = watched
        self._trusted.move_to_end(key)
        if len(self._trusted) > MOST_REMEMBERED:
            self._trusted.popitem(last=False)
        return watched

    async def sweep(self, _task: SweepPlaybacks, job: JobContext) -> None:
        """Forget single reports, and what visitors have watched, past their time. The sums stay."""
        before = self._clock() - self._settings.keep_days * DAY
        gone = 0
        while True:
            async with self._db.write() as conn:
                some = await rows.delete_before(conn, before, SWEPT_AT_ONCE)
            gone += some
            if some < SWEPT_AT_ONCE:
                break
        async with self._db.write() as conn:
            visitors = await interaction_rows.delete_visitors(conn, before)
            await job.complete(conn)
        _logger.info("Old reports were removed", action="sweep_playbacks", sessions=gone, visitors=visitors)


def _viewer(user_id: UserId | None, sender: Sender, session: str) -> str:
    """Under which name it is remembered what is watched; empty for whoever does not want that."""
    if sender.private:
        return ""
    if user_id is not None:
        return interaction_rows.of_user(user_id)
    if sender.visit:
        return f"s:{sender.visit}"
    return f"s:{hashlib.blake2b(session.encode(), digest_size=11).hexdigest()}"
