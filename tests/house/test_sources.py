"""The shape of the sources: short files, no notes to oneself, settings handed in, exceptions that say why."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import kept_files, parsed, python_files, short

LONGEST = 400
HAND_WRITTEN = {".py", ".ts", ".css", ".html", ".mjs", ".js"}
NOTES = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|NotImplemented" + r"Error")

# Doors may look at the environment, and so may those who hand it on to a child.
ENVIRONMENT_READERS = ("config/loading.py", "cli/", "server/run.py", "sandbox", "db/migrate.py", "__main__.py")


def written() -> tuple[Path, ...]:
    """Every file a person writes by hand."""
    return tuple(path for path in kept_files() if path.suffix in HAND_WRITTEN)


def test_files_are_short() -> None:
    """One idea a file, and room on the screen for it."""
    long = {short(p): n for p in written() if (n := len(p.read_text("utf-8").splitlines())) > LONGEST}
    assert long == {}


def test_no_notes_to_oneself() -> None:
    """What is left to do is an issue; what is not done is not there."""
    found = [
        f"{short(path)}:{number}: {line.strip()}"
        for path in written()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if NOTES.search(line)
    ]
    assert found == []


def test_settings_are_handed_in() -> None:
    """Only the doors read the environment; everything else is told what it needs."""
    readers = [
        f"{short(path)}:{node.lineno}"
        for path in python_files("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        if not any(place in short(path) for place in ENVIRONMENT_READERS)
    ]
    assert readers == []


def test_nothing_happens_at_import() -> None:
    """Importing a module reads no settings, opens nothing and starts nothing: its top level only names things."""
    busy = re.compile(r"\b(load|open|connect|assemble|run|start|register)\(")
    wrong = [
        f"{short(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in python_files("src")
        for node in parsed(path).body
        if isinstance(node, ast.Expr | ast.Assign)
        and isinstance(node.value, ast.Call)
        and busy.match(ast.unparse(node.value))
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["src", "scripts"])
def test_every_lint_exception_says_why(folder: str) -> None:
    """Whoever silences a check names it, and tells the next reader the reason on the same line."""
    silent = [
        f"{short(path)}:{number}: {line.strip()}"
        for path in python_files(folder)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"#\s*(noqa|type:\s*ignore)", line)
        and not re.search(r"#\s*(noqa:\s*[A-Z0-9, ]+?|type:\s*ignore\[[a-z, -]+\])\s+[-—#]+ *\W?\w{2,}", line)
    ]
    assert silent == []
