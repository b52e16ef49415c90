"""Figures over HTTP: of one video, of all one's own, and of the whole site; as JSON, or by day as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, QueryParameter

from streamhost.features.analytics import Analytics, DayLine, Report
from streamhost.features.catalog import Catalog
from streamhost.model.accounts import Role
from streamhost.model.clock import DAY, HOUR, Timestamp, iso
from streamhost.model.errors import Forbidden
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video
from streamhost.server.accounts import SIGNED_IN
from streamhost.server.auth import signed_in, user_of, viewer_of
from streamhost.server.documented import BEARER, problems
from streamhost.server.videos import HIDDEN

AnyRequest = Request[Any, Any, Any]
From = Annotated[date | None, QueryParameter(name="from", description="First day, in UTC; none: 28 days in all.")]
To = Annotated[date | None, QueryParameter(description="Last day, in UTC; none: today.")]
Form = Annotated[Literal["json", "csv"], QueryParameter(name="format", description="csv has one line for each day.")]
Scope = Annotated[
    Literal["own", "instance"],
    QueryParameter(
        name="scope", description="own: videos of one's own; instance: all of the site, for administrators."
    ),
]
CSV_TYPE = "text/csv"
DIGITS = 4


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day, in UTC. `watch_time`, `stalled` in seconds; `plays`: how often playing was asked for."""

    day: str
    views: int
    unique_viewers: int
    watch_time: float
    plays: int
    stalled: float
    failed: int


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One hour, named by its beginning."""

    hour: str | None
    views: int
    watch_time: float


@dataclass(frozen=True, slots=True)
class RetentionPoint:
    """`share` of those who saw anything saw the place `at`; both 0..1."""

    at: float
    share: float


@dataclass(frozen=True, slots=True)
class NamedCount:
    """How much of something, the most first."""

    name: str
    count: float


@dataclass(frozen=True, slots=True)
class WatchedVideo:
    """A video with what was watched of it."""

    id: str
    title: str
    owner: str
    views: int
    watch_time: float


@dataclass(frozen=True, slots=True)
class FiguresDocument:
    """What was watched from `from` to `to`. Times are seconds, shares 0..1, null where nothing was measured.

    `views` are sessions of which 10 seconds (of a shorter film, four fifths) were played; `plays`: how often playing
    was asked for; `exits_before_start`: of which no picture ever came. `time_to_first_frame` is the median.
    """

    video: str | None
    period: Mapping[str, str]
    views: int
    unique_viewers: int
    watch_time: float
    plays: int
    average_watch_time: float | None
    average_share: float | None
    completed: int
    skipped: int
    time_to_first_frame: float | None
    time_to_first_frame_p95: float | None
    rebuffer_ratio: float | None
    stalls: int
    exits_before_start: int
    exit_share: float | None
    failed: int
    retention: Sequence[RetentionPoint]
    devices: Sequence[NamedCount]
    sources: Sequence[NamedCount]
    qualities: Sequence[NamedCount]
    errors: Sequence[NamedCount]
    by_day: Sequence[DayFigures]
    by_hour: Sequence[HourFigures]
    videos: Sequence[WatchedVideo]


@dataclass
class WithTable(Operation):
    """In the description: the same may come as a table."""

    def __post_init__(self) -> None:
        """Add the other form of the good answer."""
        good = (self.responses or {}).get("200")
        if isinstance(good, OpenAPIResponse):
            table = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
            good.content = {**(good.content or {}), CSV_TYPE: table}


def day_text(day: int) -> str:
    """A day by its number, as 2026-11-22."""
    return datetime.fromtimestamp(day * DAY, UTC).date().isoformat()


def moment_of(day: date | None) -> Timestamp | None:
    """The beginning of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() if day else None


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)


def _counts(counts: Mapping[str, float], suffix: str = "") -> list[NamedCount]:
    most_first = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [NamedCount(f"{name}{suffix}" if name != "0" else "unknown", round(count, 2)) for name, count in most_first]


def _day(line: DayLine) -> DayFigures:
    played, stalled = round(line.played, 1), round(line.stalled, 1)
    return DayFigures(day_text(line.day), line.views, line.viewers, played, line.asked, stalled, line.failed)


def document(found: Report, video: Video | None = None) -> FiguresDocument:
    """Figures as the API says them."""
    figures, retention = found.figures, found.retention
    return FiguresDocument(
        video=video.id if video else None,
        period={"from": day_text(found.first), "to": day_text(found.last)},
        views=round(figures.views),
        unique_viewers=found.viewers,
        watch_time=round(figures.played, 1),
        plays=round(figures.asked),
        average_watch_time=_rounded(found.mean_played),
        average_share=_rounded(found.mean_share),
        completed=round(figures.completed),
        skipped=round(figures.skipped),
        time_to_first_frame=_rounded(found.first_frame),
        time_to_first_frame_p95=_rounded(found.slow_first_frame),
        rebuffer_ratio=_rounded(found.rebuffer_ratio),
        stalls=round(figures.stalls),
        exits_before_start=round(figures.gave_up),
        exit_share=_rounded(found.exit_share),
        failed=round(figures.broken),
        retention=[RetentionPoint(at / len(retention), round(share, DIGITS)) for at, share in enumerate(retention)],
        devices=_counts(figures.devices),
        sources=_counts(figures.sources),
        qualities=_counts(figures.qualities, "p"),
        errors=_counts(figures.errors),
        by_day=[_day(line) for line in found.days],
        by_hour=[HourFigures(iso(one.hour * HOUR), round(one.views), round(one.played, 1)) for one in found.hours],
        videos=[
            WatchedVideo(one.video_id, one.title, one.owner_name, round(one.views), round(one.played, 1))
            for one in found.videos
        ],
    )


def _answer(found: FiguresDocument, form: str, name: str) -> Response[Any]:
    if form == "json":
        return Response(found)
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(DayFigures)], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(asdict(day) for day in found.by_day)
    file = f"{name}-{found.period['from']}-{found.period['to']}.csv"
    return Response(
        text.getvalue(), media_type=CSV_TYPE, headers={"Content-Disposition": f'attachment; filename="{file}"'}
    )


@get(
    "/api/v1/videos/{video_id:str}/analytics",
    guards=[signed_in],
    summary="How a video is watched",
    tags=["figures"],
    operation_class=WithTable,
    security=BEARER,
    responses=problems(**SIGNED_IN, forbidden=403, **HIDDEN, invalid_input=422),
)
async def of_video(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    analytics: NamedDependency[Analytics],
    since: From = None,
    to: To = None,
    form: Form = "json",
) -> Response[FiguresDocument]:
    """Views, viewers, watch time, retention, and how well it played, for its owner and administrators."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    reports = analytics.reports
    period = reports.period(moment_of(since), moment_of(to))
    return _answer(document(await reports.of_video(video.id, *period), video), form, video.id)


@get(
    "/api/v1/analytics",
    guards=[signed_in],
    summary="How videos are watched",
    tags=["figures"],
    operation_class=WithTable,
    security=BEARER,
    responses=problems(**SIGNED_IN, forbidden=403, invalid_input=422),
)
async def of_many(
    request: AnyRequest,
    analytics: NamedDependency[Analytics],
    whose: Scope = "own",
    since: From = None,
    to: To = None,
    form: Form = "json",
) -> Response[FiguresDocument]:
    """The same of all of one's own videos together, or of the whole site, and which were watched most."""
    reports, viewer = analytics.reports, viewer_of(request)
    period = reports.period(moment_of(since), moment_of(to))
    if whose == "own":
        return _answer(document(await reports.of_owner(user_of(request).id, *period)), form, "own")
    if not viewer.is_at_least(Role.ADMIN):
        raise Forbidden
    return _answer(document(await reports.of_everything(*period)), form, "site")


routes = [of_video, of_many]
