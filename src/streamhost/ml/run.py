"""Screening with ONNX models in a child process of its own: whatever becomes of it, the server stays well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from streamhost import log, sandbox
from streamhost.ml.combining import Said, frames_of, texts_of
from streamhost.ml.manifest import Manifest
from streamhost.ml.registry import Model, Registry, State
from streamhost.ml.work import READING, Failed, Looked, ModelFile, Rules, Work, plain
from streamhost.model.moderation import OF_TEXTS, Aspect, Findings, Gap, Material, ModelUse, Text
from streamhost.ports import ClassifierUnavailable, ModelBroken, ModelMissing

CHILD = "streamhost.ml.child"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Libraries reserve memory for each core of the machine, unless they are told how many threads there will be."""

_logger = log.get("ml")


@dataclass(slots=True)
class _Course:
    """What is known so far of one screening, over as many child processes as it takes."""

    work: Work
    step: str = ""
    share: float = 0.0
    looked: list[Looked] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    read: tuple[Text, ...] = ()

    def hear(self, message: dict[str, Any]) -> None:
        """Take a message of the child; one that is not as agreed is no message."""
        if "looked" in message:
            self.looked.append(msgspec.convert(message["looked"], Looked))
        elif "failed" in message:
            self.failed.append(msgspec.convert(message["failed"], Failed))
        elif "read" in message:
            self.read = msgspec.convert(message["read"], tuple[Text, ...])
        else:
            self.step = str(message.get("step", ""))
            self.share = max(self.share, float(message.get("progress", 0.0)))

    def left(self) -> Work:
        """What is still to do, without what is done or has failed."""
        over = {one.model for one in self.looked} | {one.model for one in self.failed}
        texts = self.work.texts + self.read
        legible = () if self.read or READING in over else self.work.legible
        models = tuple(model for model in self.work.models if model.manifest.id not in over)
        return msgspec.structs.replace(self.work, models=models, texts=texts, legible=legible)


class OnnxClassifier:
    """Looks with every model of a registry that is installed; a `Classifier`."""

    def __init__(self, registry: Registry, limits: sandbox.Limits, rules: Rules) -> None:
        """`limits` of a child: memory, time without a word from it, and so on."""
        self._registry = registry
        self._limits = limits
        self._rules = rules

    @property
    def aspects(self) -> frozenset[Aspect]:
        """What all known models together look for, installed or not."""
        return frozenset(aspect for model in self._registry.models() for aspect in model.manifest.aspects)

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """Look at everything, in one child process; in one more for each model that breaks it."""
        models = [model for model in self._registry.models() if material.concerns(model.manifest.aspects)]
        present = [model for model in models if model.state() is not State.NOT_INSTALLED]
        course = _Course(self._work(material, present))
        while self._is_left(course):
            await self._run(course, report)
        absent = [Failed(model.id, ModelMissing.code) for model in models if model not in present]
        return _findings(material, course, models, absent)

    def _work(self, material: Material, models: Sequence[Model]) -> Work:
        reads = self._rules.read_pictures and any(model.manifest.text for model in models)
        return Work(
            tuple(ModelFile(model.manifest, str(model.path.absolute())) for model in models),
            material.frames,
            material.texts,
            material.legible if reads else (),
            self._rules,
        )

    @staticmethod
    def _is_left(course: _Course) -> bool:
        left = course.left()
        pictures = left.frames and any(model.manifest.picture for model in left.models)
        words = left.texts and any(model.manifest.text for model in left.models)
        return bool(pictures or words or left.legible)

    async def _run(self, course: _Course, report: Callable[[float], None]) -> None:
        """One child process, which does what is left or breaks at a model that is then left out."""
        work = course.left()
        course.step = ""

        def hear(message: dict[str, Any]) -> None:
            course.hear(message)
            report(course.share)

        files = {Path(frame.path) for frame in (*work.frames, *work.legible)} | {Path(m.path) for m in work.models}
        try:
            await sandbox.run(
                CHILD, plain(work), limits=self._limits, on_message=hear, env=ONE_THREAD, readable=sorted(files)
            )
        except (sandbox.ChildNotStarted, sandbox.ChildNotConfined) as error:
            raise ClassifierUnavailable(str(error)) from error
        except sandbox.ChildError as error:
            if not course.step:
                raise ClassifierUnavailable(str(error)) from error
            _logger.warning("a model broke its process", action="screen", model=course.step, error=str(error))
            course.failed.append(Failed(course.step, ModelBroken.code, str(error)))
        else:
            for model in course.left().models:
                course.failed.append(Failed(model.manifest.id, ModelBroken.code, "It gave no answer."))


async def trial(model: Model, limits: sandbox.Limits, rules: Rules) -> float:
    """Let a model look at something empty in a process of its own; returns milliseconds of a look.

    Raises `ModelBroken`, `ModelMissing` or `ClassifierUnavailable`."""
    tried: list[float] = []
    failed: list[Failed] = []

    def hear(message: dict[str, Any]) -> None:
        if "tried" in message:
            tried.append(float(message["tried"]["milliseconds"]))
        elif "failed" in message:
            failed.append(msgspec.convert(message["failed"], Failed))

    work = Work((ModelFile(model.manifest, str(model.path.absolute())),), rules=rules, trial=True)
    try:
        await sandbox.run(CHILD, plain(work), limits=limits, on_message=hear, env=ONE_THREAD, readable=[model.path])
    except (sandbox.ChildNotStarted, sandbox.ChildNotConfined) as error:
        raise ClassifierUnavailable(str(error)) from error
    except sandbox.ChildError as error:
        raise ModelBroken(f"{model.id}: {error}") from error
    for one in failed:
        raise (ModelMissing if one.code == ModelMissing.code else ModelBroken)(f"{model.id}: {one.detail}")
    if not tried:
        raise ModelBroken(f"{model.id}: It gave no answer.")
    return tried[0]


def _findings(material: Material, course: _Course, models: Sequence[Model], absent: Sequence[Failed]) -> Findings:
    by_id = {model.id: model.manifest for model in models}
    said = [Said(by_id[one.model], one) for one in course.looked]
    uses = tuple(ModelUse(one.manifest.id, one.manifest.version, one.manifest.sha256) for one in said)
    return Findings(
        frames_of(material.frames, [one for one in said if one.manifest.picture]),
        texts_of(material.texts + course.read, [one for one in said if one.manifest.text]),
        uses,
        tuple(gap for one in (*absent, *course.failed) for gap in _gaps(one, by_id)),
    )


def _gaps(failed: Failed, by_id: Mapping[str, Manifest]) -> list[Gap]:
    """What is missing because of one model, or because no words could be read out of pictures."""
    aspects = sorted(by_id[failed.model].aspects) if failed.model in by_id else sorted(OF_TEXTS)
    return [Gap(aspect, failed.model, failed.code, failed.detail) for aspect in aspects]
