"""Small models for tests, written as ONNX: some look at pictures or words, some misbehave."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MEMBER = "a_package/models/mine.onnx"
"""Where the package `a-package` has a model."""
SIDE = 16
OPSET = 17
IR = 8


def saved(path: Path, nodes: Sequence[onnx.NodeProto], given: onnx.ValueInfoProto, **constants: NDArray[Any]) -> bytes:
    """Write a model with one input, the output `scores` and these constants; returns the file's content."""
    initial = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "test", [given], [scores], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    content: bytes = model.SerializeToString()
    path.write_bytes(content)
    return content


def picture_input() -> onnx.ValueInfoProto:
    """Pictures of SIDE x SIDE, channels first."""
    return helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])


def redness(path: Path) -> bytes:
    """Two labels, `red` and `blue`: the shares of the mean red and blue, 0..1."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Gather", ["means", "which"], ["chosen"], axis=1),
        helper.make_node("Div", ["chosen", "full"], ["scores"]),
    ]
    return saved(path, nodes, picture_input(), which=np.asarray([0, 2], np.int64), full=np.asarray(255, np.float32))


def hungry(path: Path) -> bytes:
    """Wants 40 GB as soon as it looks."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["top"], keepdims=0),
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Add", ["means", "top"], ["sum"]),
        helper.make_node("Unsqueeze", ["sum", "last"], ["scores"]),
    ]
    return saved(
        path, nodes, picture_input(), shape=np.asarray([100_000, 100_000], np.int64), last=np.asarray([1], np.int64)
    )


def endless(path: Path) -> bytes:
    """Counts to 2**62 before it answers."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Sin", ["value"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Loop", ["rounds", "yes", "means"], ["scores"], body=body),
    ]
    return saved(path, nodes, picture_input(), rounds=np.asarray(2**62, np.int64), yes=np.asarray(True, np.bool_))


def not_numbers(path: Path) -> bytes:
    """Answers with what is no number."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["means", "zero"], ["nothing"]),
        helper.make_node("Div", ["nothing", "zero"], ["scores"]),
    ]
    return saved(path, nodes, picture_input(), zero=np.asarray(0, np.float32))


def manifest(
    name: str, content: bytes, *, labels: Sequence[str], aspect: str, extra: str = "", vote: str = "alone"
) -> str:
    """The description of one of these; its first label counts for `aspect`."""
    return f"""
id = "{name}"
version = "1"
title = "A model of tests"
licence = "MIT"
file = "{name}.onnx"
size = {len(content)}
sha256 = "{hashlib.sha256(content).hexdigest()}"
{extra}

[picture]
name = "image"
width = {SIDE}
height = {SIDE}

[output]
name = "scores"
labels = [{", ".join(f'"{label}"' for label in labels)}]

[[counts]]
label = "{labels[0]}"
aspect = "{aspect}"
vote = "{vote}"
medium = 0.5
high = 0.9
"""


def packaged(content: bytes, *, labels: Sequence[str], aspect: str) -> str:
    """The description of `mine`, which comes in the package `a-package` 1.0."""
    source = f'[source]\npackage = "a-package"\nversion = "1.0"\nmember = "{MEMBER}"\n\n[picture]'
    return manifest("mine", content, labels=labels, aspect=aspect).replace("[picture]", source)


def wheel(folder: Path, content: bytes, member: str = MEMBER) -> Path:
    """That package with a model in it; importing it would be noticed."""
    path = folder / "a_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr("a_package/__init__.py", "raise SystemExit('imported')")
        info = "a_package-1.0.dist-info/"
        about = ("Metadata-Version: 2.1", "Name: a-package", "Version: 1.0", "Requires-Dist: nobody", "")
        archive.writestr(info + "METADATA", "\n".join(about))
        about = ("Wheel-Version: 1.0", "Generator: test", "Root-Is-Purelib: true", "Tag: py3-none-any", "")
        archive.writestr(info + "WHEEL", "\n".join(about))
        archive.writestr(info + "RECORD", "")
    return path
