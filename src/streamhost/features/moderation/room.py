"""The room of moderation, put together: models look, a policy decides, people have the last word."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamhost.config import ModerationSettings
from streamhost.db.core import Database
from streamhost.features.moderation.desk import Desk
from streamhost.features.moderation.evidence import EvidenceRoom
from streamhost.features.moderation.new_files import NewFiles
from streamhost.features.moderation.policies import Policies
from streamhost.features.moderation.rescreening import Rescreening
from streamhost.features.moderation.screening import Looks, Screening
from streamhost.features.moderation.settling import Settling
from streamhost.features.moderation.watching import WithdrawalWatch
from streamhost.jobs.queue import Queue
from streamhost.jobs.withdrawing import Withdrawn
from streamhost.jobs.worker import Handler
from streamhost.ml.manifest import Manifest
from streamhost.model.clock import DAY, Clock
from streamhost.model.moderation import Aspect
from streamhost.model.tasks import RescreenVideos, ScreenVideo, SweepEvidence, Task
from streamhost.ports import Storage


class Models(Looks, Protocol):
    """The models of this instance, and what is known of them."""

    def manifests(self) -> Sequence[Manifest]:
        """What is known of every model, installed or not."""
        ...

    def without_model(self) -> Collection[Aspect]:
        """What no installed model, and no plugin, looks for."""
        ...


@dataclass(frozen=True, slots=True)
class Moderation:
    """All that there is to moderation: `desk` is for people, `screening` for what happens to videos."""

    screening: Screening
    desk: Desk
    policies: Policies
    evidence: EvidenceRoom
    rescreening: Rescreening
    settling: Settling
    new_files: NewFiles
    watch: WithdrawalWatch

    @property
    def handlers(self) -> Mapping[type[Task], Handler]:
        """What does this room's jobs."""
        return {
            ScreenVideo: self.screening.screen,
            RescreenVideos: self.rescreening.go_on,
            SweepEvidence: self.evidence.sweep,
        }


def moderation_of(
    settings: ModerationSettings,
    db: Database,
    queue: Queue,
    storage: Storage,
    clock: Clock,
    models: Models,
    work: Path,
    withdrawn: Withdrawn,
) -> Moderation:
    """The room. `withdrawn` hears of each video whose links must end, and since when."""
    policies = Policies(db, clock, settings, models.manifests, models.without_model)
    settling = Settling(queue, clock, withdrawn)
    new_files = NewFiles(queue, settling)
    evidence = EvidenceRoom(db, storage, clock, settings.evidence_days * DAY)
    rescreening = Rescreening(db, queue, clock)
    screening = Screening(
        db,
        queue,
        storage,
        clock,
        models,
        work,
        policies=policies,
        settling=settling,
        evidence=evidence,
        rescreening=rescreening,
        new_files=new_files,
        most_frames=settings.most_frames,
    )
    queue.on_failed(ScreenVideo, screening.gave_up)
    queue.on_failed(RescreenVideos, rescreening.gave_up)
    watch = WithdrawalWatch(db, clock, withdrawn)
    desk = Desk(db, clock, policies, settling, new_files)
    return Moderation(screening, desk, policies, evidence, rescreening, settling, new_files, watch)
