"""The administration: how the house stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from streamhost.features.mail import Mail
from streamhost.features.overview import RECENTLY, Overview, Standing
from streamhost.features.work import Item, State, Work
from streamhost.model.accounts import Role
from streamhost.model.tasks import JobState
from streamhost.model.videos import VideoState
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.job_shapes import JobView, job_view
from streamhost.server.pages.people_shapes import Moment, moment
from streamhost.server.pages.shapes import bytes_text

AnyRequest = Request[Any, Any, Any]
FAILED_SHOWN = 5
PART_NAMES = {"catalog": "Catalog", "storage": "Storage", "worker": "Background work"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, how it stands, in which colour (`good`, `warning`, `bad` or none), and where to look."""

    name: str
    words: str
    mood: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class StandingView:
    """How the house stands, for a template. `disk_used`: 0..1."""

    well: bool
    parts: Sequence[Fact]
    disk: Fact
    disk_used: float
    work: Sequence[Fact]
    content: Sequence[Fact]
    versions: Sequence[Fact]
    started: Moment
    failed: Sequence[JobView]


def standing_view(standing: Standing, failed: Sequence[Item]) -> StandingView:
    """The house in words."""
    disk = standing.disk
    free = f"{bytes_text(disk.free)} of {bytes_text(disk.total)} free"
    mood, more = ("bad", ": uploads are refused") if disk.full else ("warning", ": low") if disk.low else ("good", "")
    videos, jobs, users = standing.videos, standing.jobs, standing.users
    making = videos.get(VideoState.RECEIVED, 0) + videos.get(VideoState.PROCESSING, 0)
    return StandingView(
        well=standing.well,
        parts=[
            Fact(PART_NAMES.get(name, name), wrong or "Works", "bad" if wrong else "good")
            for name, wrong in standing.parts.items()
        ],
        disk=Fact("Disk", free + more, mood),
        disk_used=round(1 - disk.free / max(disk.total, 1), 4),
        work=[
            Fact("Running", str(jobs.get(JobState.RUNNING, 0)), link="/admin/jobs?state=running"),
            Fact("Waiting", str(jobs.get(JobState.QUEUED, 0)), link="/admin/jobs?state=queued"),
            Fact(
                "Failed within a day",
                str(standing.failed_lately),
                "bad" if standing.failed_lately else "",
                "/admin/jobs?state=failed",
            ),
            Fact("Uploads on their way", str(standing.arriving)),
        ],
        content=[
            Fact("Videos", str(sum(videos.values()))),
            Fact("Being made", str(making)),
            Fact("Could not be made", str(videos.get(VideoState.FAILED, 0))),
            Fact("Uploaded files", bytes_text(standing.source_bytes)),
            Fact("Accounts", str(sum(users.values())), link="/admin/users"),
            Fact("Creators", str(sum(number for role, number in users.items() if role.includes(Role.CREATOR)))),
        ],
        versions=[
            *(Fact(name, version) for name, version in standing.versions.items()),
            Fact("Media goes to", standing.storage),
            Fact("Size of the catalog", bytes_text(standing.catalog_bytes)),
        ],
        started=moment(standing.started_at),
        failed=[job_view(item) for item in failed],
    )


@get("/admin", guards=GUARDS, include_in_schema=False)
async def show_overview(
    request: AnyRequest,
    overview: NamedDependency[Overview],
    work: NamedDependency[Work],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What an administrator wants to know before anything else."""
    standing, last = await overview.now(), await work.listed(State.FAILED, limit=FAILED_SHOWN)
    failed = [item for item in last.items if (item.job.finished_at or 0) >= frame.now() - RECENTLY]
    return await admin_page(request, frame, mail, "admin.html", standing=standing_view(standing, failed))


routes = [show_overview]
