"""The models of one instance: which there are, whether they work, and what screens with them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streamhost import sandbox
from streamhost.config import Settings
from streamhost.ml.combined import CombinedClassifier
from streamhost.ml.install import install, remove
from streamhost.ml.manifest import Manifest
from streamhost.ml.registry import Model, Registry, State
from streamhost.ml.run import OnnxClassifier, trial
from streamhost.ml.work import Rules
from streamhost.model.moderation import Aspect
from streamhost.ports import Classifier

MODELS_FOLDER = "models"
"""Name of the models' folder in the data directory."""
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
        self.classifier = CombinedClassifier(list(classifiers.values()))
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
