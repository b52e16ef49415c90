"""The contract of the classifier port, run on every implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost import sandbox
from streamhost.ml.combined import CombinedClassifier
from streamhost.ml.registry import Registry
from streamhost.ml.run import OnnxClassifier
from streamhost.ml.work import Rules
from streamhost.model.moderation import Material, Text, TextSource
from streamhost.ports import Classifier
from streamhost.testing.classifier_contract import ClassifierContract
from tests.support import onnx_models, stills

LIMITS = sandbox.Limits(memory=2048 * sandbox.MIB, silence_seconds=60.0)


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
