"""Pages with figures: of one video, of all one's own, and of the whole site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.analytics import Analytics, Report
from streamhost.features.catalog import Catalog
from streamhost.features.mail import Mail
from streamhost.model.clock import DAY, HOUR, MINUTE
from streamhost.model.ids import VideoId
from streamhost.server.analytics import day_text
from streamhost.server.auth import signed_in, user_of, viewer_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.shapes import clock_text

AnyRequest = Request[Any, Any, Any]
OWN, SITE = "/studio/analytics", "/admin/analytics"
PERIODS = ((7, "7 days"), (28, "28 days"), (90, "90 days"), (365, "A year"))
USUAL = 28
DEVICES = {"desktop": "Computers", "phone": "Phones", "tablet": "Tablets", "tv": "Televisions", "other": "Other"}
NOTHING = "\N{EN DASH}"
"""Where nothing was measured."""
SOURCES = {"player": "This site's player", "cmcd": "Other players"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure in large type."""

    label: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day."""

    day: str
    views: int
    viewers: int
    watched: str
    failed: int


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the film, and the per cent that saw it."""

    at: int
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of something, and its share of all."""

    name: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds of something, the most first."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class VideoRow:
    """A video with what was watched of it."""

    id: str
    title: str
    owner: str
    views: int
    watched: str


@dataclass(frozen=True, slots=True)
class FiguresView:
    """Everything for the template, in words."""

    length: int
    periods: Sequence[tuple[int, str]]
    empty: bool
    tiles: Sequence[Tile]
    days: Sequence[DayRow]
    retention: Sequence[Place]
    groups: Sequence[Group]
    videos: Sequence[VideoRow]


def time_text(seconds: float) -> str:
    """How long something took all together: 45 s, 12 min, 3.4 h."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:,.1f} h"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value * 100:.1f} %" if value < 0.1 else f"{value * 100:.0f} %"


def _tiles(found: Report) -> list[Tile]:
    figures = found.figures
    slow = "" if found.slow_first_frame is None else f"one in twenty over {_seconds(found.slow_first_frame)}"
    mean = "" if found.mean_played is None else f"{time_text(found.mean_played)} a session"
    return [
        Tile("Views", f"{figures.views:,.0f}"),
        Tile("Viewers", f"{found.viewers:,}"),
        Tile("Watch time", time_text(figures.played), mean),
        Tile("Seen of a video", _percent(found.mean_share), f"{figures.completed:,.0f} to the end"),
        Tile("First picture after", _seconds(found.first_frame), slow),
        Tile("Standing still", _percent(found.rebuffer_ratio), f"{figures.stalls:,.0f} times"),
        Tile("Left before the start", f"{figures.gave_up:,.0f}", f"{_percent(found.exit_share)} of starts"),
        Tile("Sessions with errors", f"{figures.broken:,.0f}"),
    ]


def _group(title: str, counts: Mapping[str, float], names: Mapping[str, str], unit: str = "") -> Group:
    total = sum(counts.values())
    most_first = sorted(counts.items(), key=lambda one: -one[1])
    parts = [
        Part(names.get(name, name), round(count / total, 4), time_text(count) if unit else f"{count:,.0f}")
        for name, count in most_first
        if total > 0
    ]
    return Group(title, parts)


def _view(found: Report, duration: float | None = None, *, owners: bool = False) -> FiguresView:
    figures = found.figures
    lines = {name: f"{name}p" if name != "0" else "Not said" for name in figures.qualities}
    groups = (
        _group("Devices", figures.devices, DEVICES),
        _group("Quality", figures.qualities, lines, "time"),
        _group("Players", figures.sources, SOURCES),
        _group("Errors", figures.errors, {}),
    )
    retention = found.retention if duration else []
    return FiguresView(
        length=found.last - found.first + 1,
        periods=PERIODS,
        empty=not (figures.asked or figures.begun),
        tiles=_tiles(found),
        days=[DayRow(day_text(d.day), d.views, d.viewers, time_text(d.played), d.failed) for d in found.days],
        retention=[
            Place(at, clock_text((duration or 0) * at / 100), round(share * 100, 1))
            for at, share in enumerate(retention)
        ],
        groups=[group for group in groups if group.parts],
        videos=[
            VideoRow(one.video_id, one.title, one.owner_name if owners else "", round(one.views), time_text(one.played))
            for one in found.videos
        ],
    )


def _period(analytics: Analytics, days: int) -> tuple[int, int]:
    length = days if days in dict(PERIODS) else USUAL
    now = analytics.now()
    return analytics.reports.period(now - (length - 1) * DAY, now)


def _csv(api: str, found: Report) -> str:
    query = f"from={day_text(found.first)}&to={day_text(found.last)}&format=csv"
    return f"{api}{'&' if '?' in api else '?'}{query}"


@get("/studio/{video_id:str}/analytics", guards=[signed_in], include_in_schema=False)
async def of_video(
    request: AnyRequest,
    video_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    analytics: NamedDependency[Analytics],
    frame: NamedDependency[Frame],
    days: FromQuery[int] = USUAL,
) -> Response[str]:
    """How one video is watched."""
    video = await catalog.managed(VideoId(video_id), viewer_of(request))
    found = await analytics.reports.of_video(video.id, *_period(analytics, days))
    return frame.page(
        request,
        "analytics.html",
        heading=video.title,
        back=f"/studio/{video.id}",
        back_text="Edit",
        here=f"/studio/{video.id}/analytics",
        csv=_csv(f"/api/v1/videos/{video.id}/analytics", found),
        figures=_view(found, video.duration),
    )


@get(OWN, guards=[signed_in], include_in_schema=False)
async def of_own(
    request: AnyRequest,
    analytics: NamedDependency[Analytics],
    frame: NamedDependency[Frame],
    days: FromQuery[int] = USUAL,
) -> Response[str]:
    """How all one's own videos are watched."""
    found = await analytics.reports.of_owner(user_of(request).id, *_period(analytics, days))
    return frame.page(
        request,
        "analytics.html",
        heading="Figures of my videos",
        back="/studio",
        back_text="My videos",
        here=OWN,
        csv=_csv("/api/v1/analytics", found),
        figures=_view(found),
    )


@get(SITE, guards=GUARDS, include_in_schema=False)
async def of_site(
    request: AnyRequest,
    analytics: NamedDependency[Analytics],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    days: FromQuery[int] = USUAL,
) -> Response[str]:
    """How the whole site is watched."""
    found = await analytics.reports.of_everything(*_period(analytics, days))
    csv = _csv("/api/v1/analytics?scope=instance", found)
    view = _view(found, owners=True)
    return await admin_page(request, frame, mail, "admin_analytics.html", here=SITE, csv=csv, figures=view)


routes = [of_video, of_own, of_site]
