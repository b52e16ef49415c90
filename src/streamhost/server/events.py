"""Players report what they play: a small batch of events, in one request that costs the loop next to nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from streamhost.features.analytics import Analytics, Sender
from streamhost.model.clock import Timestamp
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import VideoId
from streamhost.model.playbacks import EventType, PlaybackEvent
from streamhost.server.auth import beacon, viewer_of
from streamhost.server.documented import problems
from streamhost.server.limits import RouteClass, limited
from streamhost.server.videos import BAD_TOKEN, HIDDEN
from streamhost.server.visitors import visit_name, wants_privacy

LONGEST_BODY = 64 * 1024
"""Bytes of a request; no browser sends more in a beacon."""
MOST_EVENTS = 500
MILLISECONDS_FROM = 1e11
"""A time above is in milliseconds, as scripts have it: in seconds it would lie beyond the year 5000."""
UNNUMBERED = 2**40
"""Numbers from here on are made from what an event says, where it has none."""
_ORDER = 1e-6
"""Seconds by which events without a time follow each other."""

Seconds = Annotated[float, Meta(ge=0, le=1e7)]
Moment = Annotated[float, Meta(ge=0, le=1e15)] | Annotated[str, Meta(max_length=40)]


class SentEvent(Struct):
    """One event. See `docs/reference/playback-events.md`."""

    type: EventType
    at: Moment | None = None
    seq: Annotated[int, Meta(ge=0, lt=UNNUMBERED)] | None = None
    position: Seconds | None = None
    begin: Seconds | None = msgspec.field(default=None, name="from")
    rate: Annotated[float, Meta(gt=0, le=16)] | None = None
    duration: Seconds | None = None
    first_frame: Seconds | None = None
    height: Annotated[int, Meta(ge=0, le=20_000)] | None = None
    code: Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_.:-]*$")] | None = None


class SentReport(Struct):
    """What one request holds."""

    session: Annotated[str, Meta(min_length=1, max_length=100)]
    video: Annotated[str, Meta(max_length=64)]
    events: Annotated[list[SentEvent], Meta(max_length=MOST_EVENTS)]
    grant: Annotated[str, Meta(max_length=512)] = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many events were taken; they are on disk."""

    accepted: int


@post(
    "/api/v1/events",
    guards=[beacon],
    status_code=202,
    summary="Report what a player plays",
    tags=["playback"],
    opt=limited(RouteClass.EVENTS),
    request_max_body_size=LONGEST_BODY,
    responses=problems(
        **BAD_TOKEN, **HIDDEN, invalid_grant=403, grant_expired=403, request_too_large=413, invalid_input=422
    )
    | problems(reports_backlog=503),
)
async def report(
    request: Request[Any, Any, Any], data: JSONBody[SentReport], analytics: NamedDependency[Analytics]
) -> Taken:
    """Events of one session of one video, as JSON (`application/json`, or `text/plain` as beacons send it).

    202 means that they are on disk. Send a batch again, with the same `seq`, until it is answered so: what is known
    is passed over. Whoever may not watch the video is answered as everywhere; a `grant` proves that one may.
    """
    sender = Sender(
        viewer_of(request),
        visit_name(request),
        request.headers.get("user-agent", ""),
        wants_privacy(request.headers),
    )
    events = _events(data.events, analytics.now())
    return Taken(await analytics.report(data.session, VideoId(data.video), events, sender, data.grant))


def _events(sent: Sequence[SentEvent], now: Timestamp) -> list[PlaybackEvent]:
    return [_event(one, now + number * _ORDER) for number, one in enumerate(sent)]


def _event(sent: SentEvent, now: Timestamp) -> PlaybackEvent:
    at = now if sent.at is None else _moment(sent.at)
    return PlaybackEvent(
        sent.type,
        at,
        _number(sent, at) if sent.seq is None else sent.seq,
        sent.position,
        sent.begin,
        sent.rate,
        sent.duration,
        sent.first_frame,
        sent.height,
        sent.code,
    )


def _number(sent: SentEvent, at: Timestamp) -> int:
    """A number for an event without one: the same when the same event comes again."""
    text = f"{sent.type} {at:.6f} {sent.position}"
    return UNNUMBERED + int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest())


def _moment(at: float | str) -> Timestamp:
    """Seconds, by whatever clock. Only differences count."""
    if isinstance(at, str):
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise InvalidInput(fields={"at": "Seconds or milliseconds since 1970, or a time by ISO 8601."}) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return at / 1000 if at >= MILLISECONDS_FROM else at


routes = [report]
