"""Trains the text model: `python scripts/train_text.py FOLDER` (see text_data.py for what lies in the folder).

A logistic regression on hashed words, pairs of words and pieces of words (`streamhost.ml.grams`), by full-batch Adam,
its weights in 8 bits. The same data give the same file. Writes the model beside its manifest, corrects size and hash
there, measures it (`text_report`), and prints what it found.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import text_report
from streamhost.ml import grams
from streamhost.ml.words import words_of
from text_data import TRAINED, Example, Sources, WrongData, fragments, part, phrases

PLACE = Path(__file__).resolve().parents[1] / "src" / "streamhost" / "ml" / "manifests"
NAME = "toxicity-en"
SLOTS = 1 << 18
"""Enough that few of the 400,000 things that occur share one; the file has a byte for each."""
ROUNDS = 250
RATE = 0.3
SHRINK = 1e-5
"""Weight of the squared weights (L2): chosen by texts of other origin."""
SPREAD = 127
"""Steps of an 8-bit weight on either side of 0."""
CUT = 99.99
"""Percentile of the weights from which on they are cut off."""
IR, OPSET = 8, 17

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """A trained model: a weight for each slot, and what is added."""

    slots: Floats
    bias: float


class Rows:
    """Texts as rows of slots, each of length 1."""

    def __init__(self, texts: Sequence[str], slots: int) -> None:
        found = [grams.features(words_of(text), slots) for text in texts]
        lengths = np.array([len(row) for row in found])
        self.count = len(found)
        self._slots = slots
        self._column = np.concatenate([np.array(row, np.int64) for row in found])
        self._row = np.repeat(np.arange(self.count), lengths)
        self._value = (1 / np.sqrt(np.maximum(1, lengths)))[self._row]

    def times(self, weights: Floats) -> Floats:
        """A number for each row."""
        sums: Floats = np.bincount(self._row, weights[self._column] * self._value, self.count).astype(np.float64)
        return sums

    def back(self, errors: Floats) -> Floats:
        """A number for each slot."""
        sums: Floats = np.bincount(self._column, errors[self._row] * self._value, self._slots).astype(np.float64)
        return sums


def train(examples: Sequence[Example], slots: int = SLOTS, rounds: int = ROUNDS) -> Weights:
    """Fit the weights to the examples' scores (Kingma and Ba, Adam, algorithm 1; the rate falls to almost nothing)."""
    rows = Rows([one.text for one in examples], slots)
    wanted = np.array([one.score for one in examples])
    share = np.array([one.weight for one in examples])
    share /= share.sum()
    found = np.zeros(slots + 1)
    mean, square = np.zeros_like(found), np.zeros_like(found)
    for number in range(1, rounds + 1):
        errors = (1 / (1 + np.exp(-rows.times(found[:-1]) - found[-1])) - wanted) * share
        slope = np.append(rows.back(errors) + SHRINK * found[:-1], errors.sum())
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        rate = RATE * min(1.0, 2 * (1 - number / rounds) + 0.02)
        found -= rate * (mean / (1 - 0.9**number)) / (np.sqrt(square / (1 - 0.999**number)) + 1e-8)
    return Weights(found[:-1], float(found[-1]))


def export(weights: Weights) -> bytes:
    """The model as ONNX: rows of slots in, filled up with the number of slots; one score a row out."""
    slots = len(weights.slots)
    step = float(np.percentile(np.abs(weights.slots), CUT)) / SPREAD
    small = np.clip(np.round(weights.slots / step), -SPREAD, SPREAD).astype(np.int8)
    constants: dict[str, NDArray[Any]] = {
        "weights": np.append(small, np.int8(0)),
        "slots": np.asarray(slots, np.int64),
        "step": np.asarray(step, np.float32),
        "bias": np.asarray(weights.bias, np.float32),
        "one": np.asarray(1, np.float32),
        "axis": np.asarray([1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["weights", "grams"], ["small"], axis=0),
        helper.make_node("Cast", ["small"], ["found"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["found", "axis"], ["sum"], keepdims=1),
        helper.make_node("Less", ["grams", "slots"], ["there"]),
        helper.make_node("Cast", ["there"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["ones", "axis"], ["count"], keepdims=1),
        helper.make_node("Max", ["count", "one"], ["least"]),
        helper.make_node("Sqrt", ["least"], ["length"]),
        helper.make_node("Div", ["sum", "length"], ["mean"]),
        helper.make_node("Mul", ["mean", "step"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["toxicity"]),
    ]
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("grams", TensorProto.INT64, ["texts", "length"])],
        [helper.make_tensor_value_info("toxicity", TensorProto.FLOAT, ["texts", 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="streamhost"
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def lessons(sources: Sources, *, prompts: bool) -> list[Example]:
    """What the model learns from; of the prompts from the web one half, or nothing."""
    plain = part(sources.vader(), 0, TRAINED)
    tweets = part(sources.davidson(), 0, TRAINED)
    others = part(sources.prompts(), 0, 50) if prompts else []
    return [*tweets, *plain, *fragments(plain), *sources.profanity(), *phrases(), *others]


def describe(content: bytes) -> None:
    """Write the model, and its size and hash into its manifest."""
    (PLACE / f"{NAME}.onnx").write_bytes(content)
    page = PLACE / f"{NAME}.toml"
    text = re.sub(r"(?m)^size = \d+$", f"size = {len(content)}", page.read_text("utf-8"))
    sha = hashlib.sha256(content).hexdigest()
    page.write_text(re.sub(r'(?m)^sha256 = "[0-9a-f]*"$', f'sha256 = "{sha}"', text), "utf-8")


def main(words: Sequence[str]) -> int:
    """Train, write, measure."""
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        sources = Sources(Path(words[0]))
    except WrongData as error:
        print(error, file=sys.stderr)
        return 1
    stranger = export(train(lessons(sources, prompts=False)))
    content = export(train(lessons(sources, prompts=True)))
    describe(content)
    print(text_report.report(sources, content, stranger))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
