"""Jobs as administrators read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from streamhost.features.work import Item
from streamhost.media.errors import NotMedia
from streamhost.model.ids import JobId, VideoId
from streamhost.model.tasks import Job, JobState, Lane
from streamhost.server.pages.job_shapes import job_view


def job(kind: str, error: str | None = None, **payload: Any) -> Job:
    """A job of that kind; one that failed if there is an error."""
    state = JobState.FAILED if error else JobState.QUEUED
    detail = "It is a letter." if error else None
    return Job(JobId("j"), kind, payload, Lane.LIGHT, state, 0, 1, 5, 0.0, 0.0, error_code=error, error_detail=detail)


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (job("make_part", part="chunk-0"), "Encode piece 1"),
        (job("make_part", part="audio-2"), "Encode sound track 3"),
        (job("make_part", part="plan"), "Plan where to cut the film"),
        (job("make_part", part="new-kind-7"), "Make a part"),
        (job("publish_package", part="publish-playable"), "Publish what plays already"),
        (job("make_download", rendition="v720"), "Put a file to take along together (720p)"),
        (job("tell_plugin", event_kind="video_processed", event={}), "Tell a plugin: video processed"),
        (job("plugin:my_plugin"), "Work of a plugin my_plugin"),
        (job("unheard_of"), "Unheard of"),
    ],
)
def test_jobs_are_called_by_what_they_do(made: Job, title: str) -> None:
    """Parts count from one; of what nobody has words for, its name in the catalog is shown."""
    assert job_view(Item(made, None)).title == title


def test_a_job_names_its_video() -> None:
    """By its title and place; a video that is gone has no title; an event is about its video too."""
    for payload in ({"video_id": "v"}, {"event": {"video_id": "v"}, "event_kind": "video_held"}):
        view = job_view(Item(job("tell_subscriber", **payload), None, "A film"))
        assert (view.video_id, view.video_title) == (VideoId("v"), "A film")
        assert job_view(Item(job("tell_subscriber", **payload), None)).video_title == ""
    assert job_view(Item(job("sweep_media"), None)).video_id is None


def test_a_failure_is_a_sentence() -> None:
    """What its error is called, its detail, and the code by which the reference knows it."""
    assert job_view(Item(job("probe_source", NotMedia.code), None)).trouble == (
        f"{NotMedia.title()} It is a letter. ({NotMedia.code})"
    )
    whole = replace(job("probe_source", NotMedia.code), error_detail=f"{NotMedia.title()} Indeed.")
    assert job_view(Item(whole, None)).trouble == f"{NotMedia.title()} Indeed. ({NotMedia.code})"
    assert job_view(Item(job("probe_source", "of_a_plugin"), None)).trouble == "It is a letter. (of_a_plugin)"
