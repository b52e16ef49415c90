"""The process that answers for single viewers: one request a line, one answer a line, until its input ends.

First it is told the model's file, `{"model": path}`, and says `{"ready": {…}}` or `{"failed": why}`. Requests are
`{"history": [[id, strength], …], "count": n}`, answers `{"found": [[id, score, because], …]}` or `{"failed": why}`.
Started by `streamhost.sandbox`: it has no network, and sees no files but the model.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from streamhost.ml.recommending.onnx_model import OnnxModel


def main() -> int:
    """Answer until nobody asks any more."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the server, not with a signal to everything around it
    lines = iter(sys.stdin.buffer)
    try:
        model = Served(Path(msgspec.json.decode(next(lines))["model"]).read_bytes())
    except Exception as error:
        _say({"failed": f"{type(error).__name__}: {error}"[:500]})
        return 1
    _say({"ready": model.about})
    for line in lines:
        try:
            request = msgspec.json.decode(line)
            _say({"found": model.answer(request["history"], request["count"])})
        except Exception as error:
            _say({"failed": f"{type(error).__name__}: {error}"[:500]})
    return 0


class Served:
    """A model with the ids of its videos."""

    def __init__(self, content: bytes) -> None:
        self._model = OnnxModel(content)
        about = dict(self._model.about)
        self._ids: list[str] = about.pop("ids")
        self._rows = {video_id: row for row, video_id in enumerate(self._ids)}
        self.about = about

    def answer(self, history: list[tuple[str, float]], count: int) -> list[tuple[str, float, str]]:
        """The best videos: id, score, and what of the history said most for it."""
        known = {self._rows[one]: strength for one, strength in history if one in self._rows}
        if not known:
            return []
        rows = np.array(list(known), np.int64)
        answer = self._model.run(rows, np.array(list(known.values()), np.float32), count)
        said = np.zeros(len(self._ids), np.float32)
        who = np.full(len(self._ids), -1, np.int64)
        for row, near, parts in zip(rows, answer.near, answer.parts, strict=True):
            more = parts > said[near]
            said[near[more]] = parts[more]
            who[near[more]] = row
        return [
            (self._ids[found], float(score), self._ids[who[found]] if who[found] >= 0 else "")
            for found, score in zip(answer.found, answer.scores, strict=True)
            if score > 0
        ]


def _say(answer: dict[str, Any]) -> None:
    # One write for all of it, whatever its length: a pipe may take less at once.
    rest = memoryview(msgspec.json.encode(answer) + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]
