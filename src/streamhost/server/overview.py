"""How the house stands, over HTTP: for administrators and what they watch it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency

from streamhost.features.overview import Overview, Standing
from streamhost.model.clock import iso
from streamhost.server.administration import looking


@dataclass(frozen=True, slots=True)
class DiskDocument:
    """The file system of the data directory, in bytes. Uploads are refused when less than `keep_free` would stay."""

    total: int
    free: int
    keep_free: int


@dataclass(frozen=True, slots=True)
class OverviewDocument:
    """How the house stands. `parts`: `ok`, or what is wrong with each; `failed_lately`: jobs given up within a day;
    `source_bytes`: of the files as they were uploaded; `storage`: where new media goes."""

    well: bool
    versions: Mapping[str, str]
    started_at: str | None
    parts: Mapping[str, str]
    disk: DiskDocument
    storage: str
    catalog_bytes: int
    videos: Mapping[str, int]
    source_bytes: int
    users: Mapping[str, int]
    arriving: int
    jobs: Mapping[str, int]
    failed_lately: int


def overview_document(standing: Standing) -> OverviewDocument:
    """The public form."""
    disk = standing.disk
    return OverviewDocument(
        well=standing.well,
        versions=standing.versions,
        started_at=iso(standing.started_at),
        parts={name: wrong or "ok" for name, wrong in standing.parts.items()},
        disk=DiskDocument(disk.total, disk.free, disk.keep_free),
        storage=standing.storage,
        catalog_bytes=standing.catalog_bytes,
        videos={state.value: number for state, number in standing.videos.items()},
        source_bytes=standing.source_bytes,
        users={role.value: number for role, number in standing.users.items()},
        arriving=standing.arriving,
        jobs={state.value: number for state, number in standing.jobs.items()},
        failed_lately=standing.failed_lately,
    )


@get("/api/v1/admin/overview", summary="How the house stands", **looking())
async def show_overview(overview: NamedDependency[Overview]) -> OverviewDocument:
    """Parts, disk, jobs, videos, accounts, versions."""
    return overview_document(await overview.now())


routes: list[Any] = [show_overview]
