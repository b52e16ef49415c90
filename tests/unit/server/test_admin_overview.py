"""How the house stands, and how it is set up, in the words of the administration's pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamhost.features.overview import Disk, Standing, versions
from streamhost.model.accounts import Role
from streamhost.model.tasks import JobState
from streamhost.model.videos import VideoState
from streamhost.server.overview import overview_document
from streamhost.server.pages.admin_overview import standing_view

GB = 10**9
WELL = Standing(
    versions=versions(),
    started_at=1.0,
    parts={"catalog": None, "storage": None, "worker": None},
    disk=Disk(100 * GB, 60 * GB, 5 * GB),
    storage="local",
    catalog_bytes=1_500_000,
    videos={VideoState.READY: 3, VideoState.PROCESSING: 2, VideoState.FAILED: 1},
    source_bytes=7 * GB,
    users={Role.ADMIN: 1, Role.CREATOR: 2, Role.VIEWER: 4},
    arriving=1,
    jobs={JobState.RUNNING: 2, JobState.QUEUED: 5},
    failed_lately=0,
)


def test_a_house_that_stands_well() -> None:
    """Nothing needs a look, and every figure is in words."""
    view = standing_view(WELL, ())
    assert view.well
    assert [fact.mood for fact in view.parts] == ["good"] * 3
    assert (view.disk.words, view.disk.mood, view.disk_used) == ("60.0 GB of 100 GB free", "good", 0.4)
    figures = {fact.name: fact.words for fact in (*view.work, *view.content, *view.versions)}
    assert (figures["Running"], figures["Waiting"], figures["Failed within a day"]) == ("2", "5", "0")
    assert (figures["Videos"], figures["Being made"], figures["Could not be made"]) == ("6", "2", "1")
    assert (figures["Accounts"], figures["Creators"], figures["Uploaded files"]) == ("7", "3", "7.0 GB")
    assert figures["Size of the catalog"] == "1.5 MB"
    assert {"streamhost", "Python", "SQLite"} <= figures.keys()


@pytest.mark.parametrize(
    ("changed", "well"),
    [
        (replace(WELL, parts={**WELL.parts, "worker": "It does not run."}), False),
        (replace(WELL, failed_lately=1), False),
        (replace(WELL, disk=Disk(100 * GB, 5 * GB, 5 * GB)), False),
        (replace(WELL, disk=Disk(100 * GB, 9 * GB, 5 * GB)), True),
    ],
)
def test_what_needs_a_look(changed: Standing, well: bool) -> None:
    """A part that fails, a failed job and a full disk need one at once; a disk that runs low is a warning."""
    assert standing_view(changed, ()).well is well
    assert overview_document(changed).well is well


def test_moods() -> None:
    """What is wrong is named where it stands."""
    view = standing_view(replace(WELL, parts={"storage": "No room."}, disk=Disk(100 * GB, 9 * GB, 5 * GB)), ())
    assert [(fact.name, fact.words, fact.mood) for fact in view.parts] == [("Storage", "No room.", "bad")]
    assert (view.disk.words, view.disk.mood) == ("9.0 GB of 100 GB free: low", "warning")
    full = standing_view(replace(WELL, disk=Disk(100 * GB, GB, 5 * GB)), ()).disk
    assert (full.words, full.mood) == ("1.0 GB of 100 GB free: uploads are refused", "bad")
