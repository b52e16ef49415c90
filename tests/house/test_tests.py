"""The tests themselves: each says which behaviour it guards, and each is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import parsed, python_files, short

SKIPPING = re.compile(r"\b(skip|skipif|xfail|importorskip|skipTest)\b")


def cases() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test function with its file."""
    for path in python_files("tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield path, node


def test_every_test_says_what_it_guards() -> None:
    """The docstring of a test is the behaviour it holds fast, in a sentence."""
    mute = [f"{short(path)}:{node.lineno} {node.name}" for path, node in cases() if not ast.get_docstring(node)]
    assert mute == []


def test_no_test_is_left_out() -> None:
    """A test that does not run here is set up by `make test`, or it is deleted; none is skipped or expected to fail."""
    skipped = [
        f"{short(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in python_files("tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and SKIPPING.fullmatch(node.attr) and ast.unparse(node).startswith("pytest")
    ]
    assert skipped == []


def test_every_test_file_is_collected() -> None:
    """A file with tests in it has a name that pytest collects."""
    lost = {short(path) for path, _ in cases() if not path.name.startswith("test_")}
    assert {name for name in lost if not name.startswith("tests/benchmarks/")} == set()
