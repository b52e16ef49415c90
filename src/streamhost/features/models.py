"""The models of one instance: which there are, whether they work, and what screens with them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamhost import sandbox
from streamhost.config import Settings
from streamhost.db import audit
from streamhost.db.core import Database
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.ml.combined import CombinedClassifier
from streamhost.ml.install import install, remove
from streamhost.ml.manifest import Manifest
from streamhost.ml.registry import Model, ModelShipped, Origin, Registry, State
from streamhost.ml.run import OnnxClassifier, trial
from streamhost.ml.work import Rules
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock
from streamhost.model.house_tasks import InstallModel
from streamhost.model.ids import JobId
from streamhost.model.moderation import Aspect
from streamhost.model.tasks import Job, JobState, Task
from streamhost.ports import Classifier

MODELS_FOLDER = "models"
"""Name of the models' folder in the data directory."""
JOBS_LOOKED_AT = 100
"""Of those that brought models, the latest."""
TINY_FILE = 1024
"""Bytes of a file that a screening may write: it writes none."""


class Models:
    """Knows the models, brings and removes them, tries them, and offers a classifier that uses them all."""

    def __init__(self, settings: Settings) -> None:
        """`classifier` has only the models here until `join`."""
        self.registry = Registry(settings.data / MODELS_FOLDER)
        self._limits = limits_of(settings)
        self._rules = Rules(settings.models.threads, settings.models.batch, settings.models.read_pictures)
        self.onnx = OnnxClassifier(self.registry, self._limits, self._rules)
        self._brought: Mapping[str, Classifier] = {}
        self.classifier: Classifier = CombinedClassifier([self.onnx])

    def join(self, classifiers: Mapping[str, Classifier]) -> None:
        """From now on `classifier` asks all of these, plugins' too; the word of each counts as much."""
        self.classifier = CombinedClassifier(list(classifiers.values()), list(classifiers))
        self._brought = {name: one for name, one in classifiers.items() if one is not self.onnx}

    def manifests(self) -> Sequence[Manifest]:
        """What is known of every model, installed or not."""
        return [model.manifest for model in self.registry.models()]

    def without_model(self) -> frozenset[Aspect]:
        """What no installed model, and no plugin, looks for."""
        return self.registry.without_model() - {aspect for one in self._brought.values() for aspect in one.aspects}

    def mark(self) -> str:
        """The same as long as the same models look, at the same things."""
        there = [m.manifest for m in self.registry.models() if m.state() is State.INSTALLED]
        uses = sorted(f"{manifest.id} {manifest.version} {manifest.sha256}" for manifest in there)
        told = "\n".join([*uses, *sorted(self._brought), f"reads pictures: {self._rules.read_pictures}"])
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def install(self, model: Model, source: Path | None, say: Callable[[str], None]) -> bool:
        """Bring a model to its place; False if it was there. May take minutes, and blocks."""
        return install(model, source, say)

    def remove(self, model: Model) -> bool:
        """Delete a model's file; False if there was none."""
        return remove(model)

    async def verify(self, model: Model) -> float:
        """Compare the file's hash and let the model look at something; returns milliseconds of a look.

        Raises `ModelMissing`, `ModelBroken` or `ClassifierUnavailable`."""
        await asyncio.to_thread(model.check)
        return await trial(model, self._limits, self._rules)


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """A model, whether its file is here, and the last job that was to bring it."""

    model: Model
    state: State
    job: Job | None

    @property
    def can_install(self) -> bool:
        """Whether it comes in a package and is not here."""
        missing = self.state is not State.INSTALLED and self.model.origin is not Origin.SHIPPED
        return missing and self.model.manifest.source is not None


class ModelDesk:
    """Shows administrators the models, and has them brought here in the background."""

    def __init__(self, models: Models, db: Database, queue: Queue, clock: Clock) -> None:
        self.models = models
        self._db = db
        self._queue = queue
        self._clock = clock

    @property
    def handlers(self) -> Mapping[type[Task], Callable[[Any, JobContext], Awaitable[None]]]:
        """What does the jobs of this room."""
        return {InstallModel: self.install}

    async def states(self) -> list[ModelStanding]:
        """Every model that is known."""
        known = await asyncio.to_thread(lambda: [(model, model.state()) for model in self.models.registry.models()])
        async with self._db.read() as conn:
            jobs = await self._queue.list(conn, tuple(JobState), kind=InstallModel.kind, limit=JOBS_LOOKED_AT)
        latest = {str(job.payload["model_id"]): job for job in reversed(jobs)}
        return [ModelStanding(model, state, latest.get(model.id)) for model, state in known]

    async def ask(self, model_id: str, by: Actor) -> JobId | None:
        """Have a model brought here: the job that does it, None where one is on its way already. Raises `NotFound`,
        `ModelShipped`."""
        model = self.models.registry.get(model_id)
        if model.origin is Origin.SHIPPED:
            raise ModelShipped(model_id)
        line = f"model:{model.id}"
        async with self._db.write() as conn:
            job = await self._queue.add(conn, InstallModel(model.id), lock=line, queueing_lock=line, subject=line)
            entry = AuditEntry(self._clock(), Act.MODEL_ASKED_FOR, by, details={"model": model.id})
            await audit.insert(conn, entry)
        return job

    async def remove(self, model_id: str, by: Actor) -> bool:
        """Delete a model's file; whether it was there. Raises `NotFound`, `ModelShipped`, `ModelNotThere`."""
        model = self.models.registry.get(model_id)
        if removed := await asyncio.to_thread(self.models.remove, model):
            async with self._db.write() as conn:
                entry = AuditEntry(self._clock(), Act.MODEL_REMOVED, by, details={"model": model.id})
                await audit.insert(conn, entry)
        return removed

    async def install(self, task: InstallModel, job: JobContext) -> None:
        """The job: download, compare, put in place. Killed, it begins again; no half of a file ever lies there."""
        model, loop = self.models.registry.get(task.model_id), asyncio.get_running_loop()

        def say(line: str) -> None:
            loop.call_soon_threadsafe(job.report, 0.0, line)

        await asyncio.to_thread(self.models.install, model, None, say)
        async with self._db.write() as conn:
            await job.complete(conn)


def limits_of(settings: Settings) -> sandbox.Limits:
    """What the process of a screening may use."""
    jobs = settings.jobs
    return sandbox.Limits(
        memory=settings.models.memory,
        cpu_seconds=jobs.child_cpu_seconds,
        file_size=TINY_FILE,
        silence_seconds=jobs.child_silence_seconds,
        nice=jobs.child_nice,
    )
