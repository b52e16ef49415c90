"""Joins what the catalog does in the background to the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping

from streamhost.features.catalog import Catalog, Trash
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.worker import Handler
from streamhost.model.catalog_tasks import EmptyTrash, PublishVideo
from streamhost.model.clock import HOUR
from streamhost.model.tasks import Task


def catalog_work(catalog: Catalog, trash: Trash, queue: Queue) -> tuple[Mapping[type[Task], Handler], Periodic]:
    """Who does what, and what is to be done again and again."""
    queue.on_failed(PublishVideo, catalog.publishing.gave_up)
    return {PublishVideo: catalog.publishing.publish, EmptyTrash: trash.sweep}, every(HOUR, EmptyTrash())
