"""The contract of the classifier port, run on every implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.db.errors import CatalogUnavailable
from streamhost.ml import run
from streamhost.ml.combined import CombinedClassifier
from streamhost.ml.registry import Registry
from streamhost.ml.run import OnnxClassifier
from streamhost.ml.work import Rules
from streamhost.model.moderation import Aspect, Findings, Material, Text, TextSource
from streamhost.ports import Classifier
from streamhost.testing.classifier_contract import ClassifierContract, FaultyClassifierContract
from tests.support import onnx_models, stills

LIMITS = sandbox.Limits(memory=2048 * sandbox.MIB, silence_seconds=60.0)
TROUBLES = ["never ends", "answers with no numbers", "other bytes", "no process"]


@pytest.fixture
def onnx(tmp_path: Path) -> OnnxClassifier:
    """The text model, and a model of tests that looks at pictures; the known ones are not installed."""
    folder = tmp_path / "models"
    folder.mkdir()
    content = onnx_models.redness(folder / "redness.onnx")
    description = onnx_models.manifest("redness", content, labels=["red", "blue"], aspect="gore")
    (folder / "redness.toml").write_text(description)
    return OnnxClassifier(Registry(folder), LIMITS, Rules())


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Two pictures and two texts."""
    frames = stills.pack(tmp_path / "frames.jpgs", [(2.0, (40, 90, 40)), (4.0, (90, 90, 200))])
    texts = (Text(TextSource.TITLE, "A walk in the park"), Text(TextSource.CAPTIONS, "Good morning, everybody.", 3.0))
    return Material(frames, texts)


class TestOnnxClassifier(ClassifierContract):
    """`OnnxClassifier`."""

    @pytest.fixture
    def classifier(self, onnx: OnnxClassifier) -> Classifier:
        """With a data directory of its own."""
        return onnx


class TestCombinedClassifier(ClassifierContract):
    """`CombinedClassifier`."""

    @pytest.fixture
    def classifier(self, onnx: OnnxClassifier, tmp_path: Path) -> Classifier:
        """Of two, one of which knows no model at all."""
        nothing = OnnxClassifier(Registry(tmp_path / "none", known=tmp_path / "none"), LIMITS, Rules())
        return CombinedClassifier([onnx, nothing])


@pytest.fixture(params=TROUBLES)
def spoiled(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OnnxClassifier:
    """A classifier whose only model, which looks at pictures, cannot do its part."""
    folder = tmp_path / "spoiled"
    folder.mkdir()
    make = {"never ends": onnx_models.endless, "answers with no numbers": onnx_models.not_numbers}
    content = make.get(request.param, onnx_models.redness)(folder / "bad.onnx")
    labels = ["bad", "b", "c"] if request.param in make else ["red", "blue"]
    (folder / "bad.toml").write_text(onnx_models.manifest("bad", content, labels=labels, aspect="gore"))
    if request.param == "other bytes":
        (folder / "bad.onnx").write_bytes(content[:-10] + bytes(10))
    if request.param == "no process":
        monkeypatch.setattr(run, "CHILD", "no.such.module")
    return OnnxClassifier(Registry(folder, known=folder / "none"), replace(LIMITS, cpu_seconds=1), Rules())


class TestOnnxClassifierInTrouble(FaultyClassifierContract):
    """`OnnxClassifier`."""

    @pytest.fixture
    def troubled(self, spoiled: OnnxClassifier) -> Classifier:
        """As it is."""
        return spoiled


class Crashing:
    """A classifier of somebody's that breaks its word: it raises what is none of the port's errors."""

    aspects = frozenset({Aspect.GORE})

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """Fail."""
        raise CatalogUnavailable("Somebody else's trouble.")


class TestCombinedClassifierInTrouble(FaultyClassifierContract):
    """`CombinedClassifier`, of two in trouble."""

    @pytest.fixture
    def troubled(self, spoiled: OnnxClassifier) -> Classifier:
        """Beside one that raises another error than it may."""
        return CombinedClassifier([Crashing(), spoiled])
