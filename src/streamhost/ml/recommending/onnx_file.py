"""The fitted model as an ONNX file that answers for one viewer at a time. For children only.

In: `rows` int64 [history], the videos somebody watched; `strengths` float32 [history]; `count` int64 [1]. Out: `scores`
float32 [count] and `found` int64 [count], best first; `near` int64 and `parts` float32, both [history, keep]: what each
video of the history adds to which, so that a reason can be told. What was watched is not found. The field numbers
below are those of onnx.proto (ONNX IR version 8, operator set 18).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamhost.ml.recommending.ease import Weights
from streamhost.ml.recommending.protobuf import content, number, text

IR_VERSION, OPSET = 8, 18
FLOAT, INT32, INT64 = 1, 6, 7
_TYPES: Mapping[str, int] = {"float32": FLOAT, "int32": INT32, "int64": INT64}
NEVER = np.float32(-3.0e38)
"""The score of what was watched."""
INPUTS = (("rows", INT64, ["history"]), ("strengths", FLOAT, ["history"]), ("count", INT64, [1]))
OUTPUTS = (
    ("scores", FLOAT, ["count"]),
    ("found", INT64, ["count"]),
    ("near", INT64, ["history", "keep"]),
    ("parts", FLOAT, ["history", "keep"]),
)


def written(model: Weights, about: Mapping[str, Any]) -> bytes:
    """The file. `about` goes into its metadata as JSON texts, as does `videos`, how many there are."""
    count = len(model.items)
    constants: dict[str, NDArray[Any]] = {
        "neighbours": model.neighbours.astype(np.int32),
        "weights": model.weights,
        "nothing": np.zeros(count, np.float32),
        "column": np.array([1], np.int64),
        "flat": np.array([-1], np.int64),
        "never": np.array([NEVER], np.float32),
    }
    nodes = [
        _node("Gather", ["neighbours", "rows"], ["near_small"], _integer("axis", 0)),
        _node("Cast", ["near_small"], ["near"], _integer("to", INT64)),
        _node("Gather", ["weights", "rows"], ["theirs"], _integer("axis", 0)),
        _node("Unsqueeze", ["strengths", "column"], ["tall"]),
        _node("Mul", ["theirs", "tall"], ["parts"]),
        _node("Reshape", ["near", "flat"], ["near_flat"]),
        _node("Reshape", ["parts", "flat"], ["parts_flat"]),
        _node(
            "ScatterElements",
            ["nothing", "near_flat", "parts_flat"],
            ["sums"],
            _integer("axis", 0) + _word("reduction", "add"),
        ),
        _node("Shape", ["rows"], ["length"]),
        _node("Expand", ["never", "length"], ["nevers"]),
        _node("ScatterElements", ["sums", "rows", "nevers"], ["unwatched"], _integer("axis", 0)),
        _node("TopK", ["unwatched", "count"], ["scores", "found"], _integer("axis", 0)),
    ]
    graph = b"".join(content(1, node) for node in nodes)
    graph += text(2, "recommender")
    graph += b"".join(content(5, _tensor(name, value)) for name, value in constants.items())
    graph += b"".join(content(11, _value(*value)) for value in INPUTS)
    graph += b"".join(content(12, _value(*value)) for value in OUTPUTS)
    file = number(1, IR_VERSION) + text(2, "streamhost") + content(7, graph)
    file += content(8, text(1, "") + number(2, OPSET))
    for key, value in {**about, "videos": count}.items():
        file += content(14, text(1, key) + text(2, json.dumps(value)))
    return file


def _node(kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: bytes = b"") -> bytes:
    """NodeProto."""
    names = b"".join(text(1, name) for name in inputs) + b"".join(text(2, name) for name in outputs)
    return names + text(4, kind) + attributes


def _integer(name: str, value: int) -> bytes:
    """An AttributeProto of type INT, as a field of its node."""
    return content(5, text(1, name) + number(3, value) + number(20, 2))


def _word(name: str, value: str) -> bytes:
    """An AttributeProto of type STRING, as a field of its node."""
    return content(5, text(1, name) + text(4, value) + number(20, 3))


def _tensor(name: str, value: NDArray[Any]) -> bytes:
    """TensorProto, little-endian."""
    little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
    sizes = b"".join(number(1, size) for size in value.shape)
    return sizes + number(2, _TYPES[value.dtype.name]) + text(8, name) + content(9, little.tobytes())


def _value(name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    """ValueInfoProto."""
    sizes = b"".join(content(1, text(2, size) if isinstance(size, str) else number(1, size)) for size in shape)
    return text(1, name) + content(2, content(1, number(1, kind) + content(2, sizes)))
