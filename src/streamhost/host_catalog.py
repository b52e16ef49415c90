"""Joins the trash, and what the catalog does in the background, to the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping

from streamhost.features.catalog import Catalog, Trash
from streamhost.host_basis import Basis
from streamhost.jobs.schedule import Periodic, every
from streamhost.jobs.withdrawing import Withdrawn
from streamhost.jobs.worker import Handler
from streamhost.model.catalog_tasks import EmptyTrash, PublishVideo
from streamhost.model.clock import HOUR
from streamhost.model.tasks import Task


def trash_of(basis: Basis, ended: Withdrawn, catalog: Catalog) -> tuple[Trash, Mapping[type[Task], Handler], Periodic]:
    """The trash, who does what, and what is to be done again and again."""
    trash = Trash(basis.db, basis.queue, basis.clock, ended, basis.settings.trash.days)
    basis.queue.on_failed(PublishVideo, catalog.publishing.gave_up)
    return trash, {PublishVideo: catalog.publishing.publish, EmptyTrash: trash.sweep}, every(HOUR, EmptyTrash())
