"""Jobs of the house itself: bringing models, counting what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from streamhost.model.tasks import Task


@dataclass(frozen=True, slots=True)
class InstallModel(Task):
    """Bring a model to its place."""

    kind: ClassVar[str] = "install_model"
    max_attempts: ClassVar[int] = 2
    model_id: str


@dataclass(frozen=True, slots=True)
class CountStored(Task):
    """Count what is stored: whose it is, of which kind, and what nobody names."""

    kind: ClassVar[str] = "count_storage"
