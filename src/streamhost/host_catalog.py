"""Joins the trash, and what the catalog does in the background, to the rest of the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.features.catalog import Catalog, Trash
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.worker import Handler
from streamhost.model.catalog_tasks import EmptyTrash, PublishVideo
from streamhost.model.clock import HOUR, Clock, Timestamp
from streamhost.model.ids import VideoId
from streamhost.model.tasks import Task


def trash_of(
    settings: Settings,
    db: Database,
    queue: Queue,
    clock: Clock,
    ended: Callable[[VideoId, Timestamp], None],
    catalog: Catalog,
) -> tuple[Trash, Mapping[type[Task], Handler], Periodic]:
    """The trash, who does what, and what is to be done again and again."""
    trash = Trash(db, queue, clock, ended, settings.trash.days)
    queue.on_failed(PublishVideo, catalog.publishing.gave_up)
    return trash, {PublishVideo: catalog.publishing.publish, EmptyTrash: trash.sweep}, every(HOUR, EmptyTrash())
