"""Words in pictures, by RapidOCR with the models that its package ships. For the child only; needs the extra `ocr`."""

from __future__ import annotations

import numpy as np
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

from streamhost.ml import pictures
from streamhost.model.moderation import Frame

SURE = 0.6
"""Confidence below which a line is more often noise than words."""
SHORTEST = 2
"""Characters of a line that may say something."""


class RapidReader:
    """Reads pictures one by one."""

    def __init__(self, engine: RapidOCR) -> None:
        self._engine = engine

    def words(self, frame: Frame) -> str:
        """The lines in a picture from top to bottom. Raises `pictures.Unreadable`."""
        pixels = np.asarray(pictures.read(frame))[..., ::-1]  # it expects the channels as OpenCV has them
        answer = self._engine(np.ascontiguousarray(pixels))
        if not isinstance(answer, RapidOCROutput):  # what it answers to other questions
            return ""
        lines = zip(answer.txts or (), answer.scores or (), strict=True)
        return "\n".join(text for text, sure in lines if sure >= SURE and len(text) >= SHORTEST)


def open_reader(threads: int) -> RapidReader:
    """Load the models."""
    return RapidReader(
        RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
    )
