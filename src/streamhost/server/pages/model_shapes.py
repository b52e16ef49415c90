"""Models as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.features.models import ModelStanding
from streamhost.ml.registry import Origin, State
from streamhost.model.tasks import JobState
from streamhost.server.pages.desk_shapes import ASPECTS
from streamhost.server.pages.job_shapes import trouble_text
from streamhost.server.pages.shapes import bytes_text

WORDS = {State.INSTALLED: "Installed", State.NOT_INSTALLED: "Not installed", State.BROKEN: "Broken"}


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model for a template. `state`: `installed`, `not_installed`, `broken`, or `coming`; `trouble`: why the last try
    to bring it failed."""

    id: str
    title: str
    version: str
    state: str
    state_text: str
    looks_for: str
    size: str
    licence: str
    package: str
    shipped: bool
    can_install: bool
    can_remove: bool
    doing: str
    progress: float
    trouble: str
    weaknesses: Sequence[str]


def model_views(standings: Sequence[ModelStanding]) -> list[ModelView]:
    """Every model that is known."""
    return [_view(one) for one in standings]


def _view(one: ModelStanding) -> ModelView:
    manifest, job = one.model.manifest, one.job
    coming = job is not None and job.state in (JobState.QUEUED, JobState.RUNNING)
    failed = job is not None and job.state is JobState.FAILED and one.state is not State.INSTALLED
    return ModelView(
        id=one.model.id,
        title=manifest.title,
        version=manifest.version,
        state="coming" if coming else one.state.value,
        state_text="On its way" if coming else WORDS[one.state],
        looks_for=", ".join(ASPECTS[aspect] for aspect in sorted(manifest.aspects)),
        size=bytes_text(manifest.size),
        licence=manifest.licence,
        package=f"{manifest.source.package} {manifest.source.version}" if manifest.source else "",
        shipped=one.model.origin is Origin.SHIPPED,
        can_install=one.can_install and not coming,
        can_remove=one.model.origin is not Origin.SHIPPED and one.state is not State.NOT_INSTALLED and not coming,
        doing=(job.step or "Waiting for its turn") if coming and job else "",
        progress=job.progress if coming and job else 0.0,
        trouble=trouble_text(job) if failed and job else "",
        weaknesses=manifest.weaknesses,
    )
