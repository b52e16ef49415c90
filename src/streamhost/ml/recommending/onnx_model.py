"""The model in ONNX Runtime. For children only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from streamhost.ml.recommending.table import Ints, Singles
from streamhost.ports import ModelBroken

FATAL_ONLY = 4
"""Severity from which ONNX Runtime writes to the log; what matters comes as an exception."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the file's outputs say; see `onnx_file`."""

    scores: Singles
    found: Ints
    near: Ints
    parts: Singles


class OnnxModel:
    """A model that is ready. `about` is its metadata, `size` how many videos it knows."""

    def __init__(self, content: bytes) -> None:
        """Raises `ModelBroken`."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL_ONLY
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            texts = self._session.get_modelmeta().custom_metadata_map
            self.about: dict[str, Any] = {name: json.loads(text) for name, text in texts.items()}
            self.size = int(self.about["videos"])
        except Exception as error:  # ONNX Runtime has a dozen classes of its own, and none in common
            raise ModelBroken(f"The recommender cannot be loaded: {' '.join(str(error).split())[:300]}") from error

    def run(self, rows: Ints, strengths: Singles, count: int) -> Answer:
        """At most `count` videos for somebody who watched these rows."""
        left = self.size - len(np.unique(rows))
        if left <= 0:
            nothing = np.zeros(0, np.int64)
            return Answer(nothing.astype(np.float32), nothing, nothing, nothing.astype(np.float32))
        given = {"rows": rows, "strengths": strengths, "count": np.array([min(count, left)], np.int64)}
        return Answer(*self._session.run(["scores", "found", "near", "parts"], given))
