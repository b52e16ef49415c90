"""The administration: what is stored, whose it is and of which kind, and what nobody needs any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.mail import Mail
from streamhost.features.overview import Disk, Overview
from streamhost.features.storekeeping import Storekeeping
from streamhost.model.objects import Kinds, StorageCount
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.forms import see
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.shapes import bytes_text

AnyRequest = Request[Any, Any, Any]
STORAGE = "/admin/storage"
KINDS = (("source", "Uploaded files"), ("streams", "Streams"), ("other", "Pictures, captions and the rest"))
FOLDERS = {
    "uploads": "Uploads on their way",
    "work": "Files in the making",
    "snapshots": "Copies of the catalog before upgrades",
    "cache": "Cached answers",
    "models": "Models",
    "catalog.sqlite3": "Catalog",
}
PLACES = {"local": "on this machine", "s3": "in a bucket"}
WIDTH = 1000
"""Units of the plot from one side to the other."""


@dataclass(frozen=True, slots=True)
class BarView:
    """One part of a plot: which kind, from where, how wide; and in words."""

    kind: str
    name: str
    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """Somebody's share of what is stored. `share`: 0..1 of the largest."""

    name: str
    link: str
    words: str
    more: str
    share: float


@dataclass(frozen=True, slots=True)
class CountView:
    """What was counted, for a template."""

    counted: Moment
    size: str
    objects: int
    bars: Sequence[BarView]
    owners: Sequence[ShareView]
    largest: Sequence[ShareView]
    orphans: str
    missing: int
    trash: str
    unowned: str


def bars(kinds: Kinds) -> list[BarView]:
    """The kinds as parts of one bar, one after the other."""
    views, x = [], 0.0
    for kind, name in KINDS:
        size = getattr(kinds, kind)
        width = WIDTH * size / max(kinds.size, 1)
        views.append(BarView(kind, name, round(x, 2), round(width, 2), bytes_text(size)))
        x += width
    return views


def count_view(count: StorageCount) -> CountView:
    """The count in words."""
    most = max((owner.kinds.size for owner in count.owners), default=0) or 1
    largest = max((video.size for video in count.largest), default=0) or 1
    return CountView(
        counted=moment(count.counted_at),
        size=bytes_text(count.size),
        objects=count.objects,
        bars=bars(count.kinds),
        owners=[
            ShareView(
                owner.email,
                f"/admin/users/{owner.id}",
                bytes_text(owner.kinds.size),
                _videos(owner.videos),
                owner.kinds.size / most,
            )
            for owner in count.owners
        ],
        largest=[
            ShareView(
                video.title,
                # What lies in the trash has no page of its own any more.
                "/admin/trash" if video.in_trash else f"/watch/{video.id}",
                bytes_text(video.size),
                f"{video.owner}{', in the trash' if video.in_trash else ''}",
                video.size / largest,
            )
            for video in count.largest
        ],
        orphans=f"{count.orphans}, {bytes_text(count.orphan_bytes)}" if count.orphans else "",
        missing=count.missing,
        trash=f"{_videos(count.trash)}, {bytes_text(count.trash_bytes)}" if count.trash else "",
        unowned=bytes_text(count.unowned_bytes) if count.unowned_bytes else "",
    )


def _videos(count: int) -> str:
    return f"{count} video{'' if count == 1 else 's'}"


def disk_words(disk: Disk) -> str:
    """How full the disk of the data directory is."""
    return f"{bytes_text(disk.free)} of {bytes_text(disk.total)} free"


@get(STORAGE, guards=GUARDS, include_in_schema=False)
async def show_storage(
    request: AnyRequest,
    storekeeping: NamedDependency[Storekeeping],
    overview: NamedDependency[Overview],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """What was counted last, and the disk as it is now."""
    counting, disk = storekeeping.counting, await overview.disk()
    last, job = await counting.last(), await counting.underway()
    places = storekeeping.places
    return await admin_page(
        request,
        frame,
        mail,
        "admin_storage.html",
        count=count_view(last) if last else None,
        running=job,
        width=WIDTH,
        disk=disk_words(disk),
        disk_used=round(1 - disk.free / max(disk.total, 1), 4),
        place=PLACES.get(places.name, f"in {places.name}"),
        elsewhere=[PLACES.get(name, f"in {name}") for name in places.used if name != places.name],
        folders=[(FOLDERS[one.name], bytes_text(one.size)) for one in await counting.folders(tuple(FOLDERS))],
        flash="It is being counted." if done == "asked" else None,
    )


@post(STORAGE, guards=GUARDS, include_in_schema=False)
async def count_anew(storekeeping: NamedDependency[Storekeeping]) -> Response[Any]:
    """Have it counted anew."""
    await storekeeping.counting.ask()
    return see(f"{STORAGE}?done=asked")


routes = [show_storage, count_anew]
