"""What people read: nothing is shown to them by the name that only the code has for it."""

from __future__ import annotations

from collections.abc import Iterator

from streamhost.model import house_tasks, tasks
from streamhost.server.pages.job_shapes import KINDS


def kinds(task: type[tasks.Task] = tasks.Task) -> Iterator[str]:
    """The kinds of jobs that the house itself has."""
    for kind in task.__subclasses__():
        if kind.__module__ in (tasks.__name__, house_tasks.__name__):
            yield kind.kind
            yield from kinds(kind)


def test_every_kind_of_job_has_words() -> None:
    """The list of background work says what a job does (`KINDS` in `server/pages/job_shapes.py`)."""
    assert set(kinds()) == set(KINDS)
