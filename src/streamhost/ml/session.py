"""A model in ONNX Runtime: read once, checked, and run the same way every time. For the child only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from streamhost.ml.manifest import Manifest
from streamhost.ports import ModelBroken, ModelMissing

Floats = NDArray[np.float32]
FATAL_ONLY = 4
"""Severity from which ONNX Runtime writes to the log; what matters comes as an exception."""


def load(manifest: Manifest, path: Path, threads: int) -> Session:
    """Read a model's file and make it ready. Raises `ModelMissing` or `ModelBroken`.

    The bytes whose hash was compared are the ones that are run; files beside them are never looked at.
    """
    try:
        with path.open("rb") as file:
            content = file.read(manifest.size + 1)
    except FileNotFoundError as error:
        raise ModelMissing(f"{path.name} is not there.") from error
    except OSError as error:
        raise ModelBroken(f"{path.name} cannot be read: {error.strerror or error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise ModelBroken(f"{path.name} is not the file that was installed: its SHA-256 is {found}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a dozen classes of its own, and none in common
        raise ModelBroken(f"{path.name} cannot be loaded: {_short(error)}") from error
    _fits(session, manifest)
    return Session(session, manifest)


class Session:
    """A model that is ready to run."""

    def __init__(self, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
        self._session = session
        self._output = manifest.output
        self._places = [manifest.output.labels.index(count.label) for count in manifest.counts]

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Floats:
        """Numbers 0..1 for each of the batch and each of the manifest's `counts`. Raises `ModelBroken`."""
        try:
            [raw] = self._session.run([self._output.name], dict(inputs))
        except MemoryError:
            raise
        except Exception as error:  # as above
            raise ModelBroken(f"It failed: {_short(error)}") from error
        values = np.asarray(raw, np.float32)
        batch = len(next(iter(inputs.values())))
        if values.shape != (batch, len(self._output.labels)):
            wanted = (batch, len(self._output.labels))
            raise ModelBroken(f"{self._output.name} has the shape {values.shape}, and should have {wanted}.")
        if not np.isfinite(values).all():
            raise ModelBroken("It answered with numbers that are none.")
        chosen: Floats = np.clip(activated(values, self._output.activation)[:, self._places], 0.0, 1.0)
        return chosen


def activated(values: Floats, activation: str) -> Floats:
    """The model's numbers as probabilities."""
    if activation == "softmax":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
    if activation == "sigmoid":
        return np.asarray(1.0 / (1.0 + np.exp(-values)), np.float32)
    return values


def _fits(session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """The model has the input and output that its manifest names. Raises `ModelBroken`."""
    outputs = [one.name for one in session.get_outputs()]
    if manifest.output.name not in outputs:
        raise ModelBroken(f"It has no output {manifest.output.name!r}, but {', '.join(outputs)[:200]}.")
    given = manifest.picture or manifest.text
    inputs = [one.name for one in session.get_inputs()]
    assert given is not None, "a manifest has one of the two"
    if given.name not in inputs:
        raise ModelBroken(f"It has no input {given.name!r}, but {', '.join(inputs)[:200]}.")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
