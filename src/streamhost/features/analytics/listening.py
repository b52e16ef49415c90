"""Turns what players say in their requests for segments (CMCD) into reports, so that players of others count too.

The delivery path hands over the bare text and goes on; everything else happens here, a second later. Nothing was
promised to these players, so where too much comes in, some of it is left out.

Where such a player is in the film nobody tells. But it asks for the piece that comes right after what it has in store
(`bl`), so its place is the beginning of that piece less the store. After the last piece it says nothing any more; the
rest counts as seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from streamhost.jobs.background import Watch
from streamhost.model.clock import Timestamp
from streamhost.model.cmcd import Cmcd, parsed
from streamhost.model.errors import StreamhostError
from streamhost.model.grants import Grant
from streamhost.model.playbacks import EventType, PlaybackEvent
from streamhost.model.streaming import MEDIA_PLAYLIST
from streamhost.model.videos import package_prefix
from streamhost.ports import Storage

EVERY_SECONDS = 1.0
MOST_WAITING = 10_000
"""Requests that wait at most, about 10 MB; the oldest give way."""
MOST_SESSIONS = 20_000
PER_REQUEST = 8
"""Sequence numbers for one request."""
SLICE = 20
"""Requests that are read before others get their turn: less than a millisecond."""
MOST_PLAYLISTS = 200
"""Renditions of which it is kept where each piece lies, about 10 MB with films of two hours."""
LOOK_AGAIN_SECONDS = 10.0
"""A playlist that lacks a piece is read anew after so long at the earliest: it may have grown."""
_SEGMENT = re.compile(r"/(v(\d{2,5})[^/]*)/(\d+\.m4s)$")
"""A rendition of pictures, named after its lines, and one piece of it. Sound alone does not count: there may be two."""
_ENTRY = re.compile(r"#EXTINF:([0-9.]+),[^\n]*\n(?:#[^\n]*\n)*([^#\n]+)")

Place = tuple[float, float]
"""Where a piece begins and ends in the film, in seconds."""


@dataclass(frozen=True, slots=True)
class Overheard:
    """One request as the delivery path saw it: `query` or `headers` hold the pairs. `agent`: what the player calls
    itself; `private`: it asked not to be tracked."""

    grant: Grant
    path: str
    query: bytes
    headers: bytes
    agent: str
    private: bool
    at: Timestamp


Takes = Callable[[Overheard, str, list[PlaybackEvent]], Awaitable[None]]
"""Given one of the requests, the session's name, and what they amount to."""


class Listening:
    """Gathers what the delivery path hears."""

    def __init__(self, takes: Takes, storage: Storage) -> None:
        self._takes = takes
        self._storage = storage
        self._places: OrderedDict[str, tuple[Timestamp, dict[str, Place]]] = OrderedDict()
        self._waiting: deque[Overheard] = deque(maxlen=MOST_WAITING)
        self._sequences: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._task = Watch("cmcd", self._hand_on, EVERY_SECONDS)
        self.dropped = 0
        """Requests left out so far because too many waited."""

    def hear(self, one: Overheard) -> None:
        """Take a request in; returns at once."""
        if len(self._waiting) == MOST_WAITING:
            self.dropped += 1
        self._waiting.append(one)

    async def start(self) -> None:
        """Begin to read what was heard."""
        self._task.start()

    async def stop(self) -> None:
        """End, with what was heard until now."""
        await self._task.stop()
        await self._hand_on()

    async def _hand_on(self) -> None:
        sessions: dict[tuple[str, str], tuple[Overheard, list[PlaybackEvent]]] = {}
        for number in range(len(self._waiting)):
            one = self._waiting.popleft()
            said = _said(one)
            name = said.session or one.grant.session_id
            events = await self._events(one, said, (one.grant.video_id, name))
            if events:
                sessions.setdefault((one.grant.video_id, name), (one, []))[1].extend(events)
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        for (_, name), (first, events) in sessions.items():
            with contextlib.suppress(StreamhostError):  # nobody waits for an answer
                await self._takes(first, name, events)

    async def _events(self, one: Overheard, said: Cmcd, session: tuple[str, str]) -> list[PlaybackEvent]:
        """What a request says of playing."""
        found = _SEGMENT.search(one.path)
        if found is None:
            return []
        folder, lines, name = found.groups()
        places = await self._pieces(one, folder, name)
        if name not in places:
            return []
        begins, ends = places[name]
        position = max(0.0, begins - (said.buffered or 0.0))
        seq = self._sequence(session, one.at)
        rate, height, frame = said.rate or None, int(lines), said.first_frame
        events = []
        if said.starved:
            events.append(PlaybackEvent(EventType.STALL, one.at, seq, position, duration=said.starved_for))
        kind = EventType.PROGRESS
        events.append(PlaybackEvent(kind, one.at, seq + 1, position, rate=rate, height=height, first_frame=frame))
        if ends >= max(end for _, end in places.values()):
            over = one.at + (ends - position) / (rate or 1.0)
            events.append(PlaybackEvent(kind, over, seq + 2, ends, rate=rate, height=height))
        return events

    def _sequence(self, session: tuple[str, str], at: Timestamp) -> int:
        """The next number of a session: of the time of its first request on, so that it goes on after a restart."""
        seq = self._sequences.get(session, round(at * 1000) * PER_REQUEST) + PER_REQUEST
        self._sequences[session] = seq
        self._sequences.move_to_end(session)
        if len(self._sequences) > MOST_SESSIONS:
            self._sequences.popitem(last=False)
        return seq

    async def _pieces(self, one: Overheard, folder: str, wanted: str) -> dict[str, Place]:
        """Where the pieces of a rendition lie, by its playlist; nothing where that cannot be read."""
        key = f"{package_prefix(one.grant.video_id, one.grant.package_id)}{folder}/{MEDIA_PLAYLIST}"
        known = self._places.get(key)
        if known is not None and (wanted in known[1] or one.at - known[0] < LOOK_AGAIN_SECONDS):
            self._places.move_to_end(key)
            return known[1]
        try:
            text = b"".join([part async for part in self._storage.read(key)]).decode()
        except (StreamhostError, ValueError):
            text = ""
        self._places[key] = (one.at, _places(text))
        if len(self._places) > MOST_PLAYLISTS:
            self._places.popitem(last=False)
        return self._places[key][1]


def _places(playlist: str) -> dict[str, Place]:
    found: dict[str, Place] = {}
    at = 0.0
    for length, name in _ENTRY.findall(playlist):
        found[name] = (at, at + float(length))
        at += float(length)
    return found


def _said(one: Overheard) -> Cmcd:
    if one.headers:
        return parsed(one.headers.decode("latin-1"))
    try:
        return parsed(parse_qs(one.query.decode("ascii"), max_num_fields=50).get("CMCD", [""])[0])
    except ValueError:
        return Cmcd()
