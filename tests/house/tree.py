"""The tree as the house tests see it: tracked files, parsed modules, imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "streamhost"


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a module imports."""

    name: str
    """Dotted name of the module, or of the thing in it."""
    line: int
    inside: str
    """Name of the function it stands in; empty at the top of the module."""


@cache
def kept_files() -> tuple[Path, ...]:
    """Every file that belongs to the project: what git keeps or would keep, else what lies in the unpacked archive."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        names = filter(None, listed.stdout.split("\0"))
        return tuple(sorted(path for name in names if (path := ROOT / name).is_file()))
    hidden = {".venv", "node_modules", "__pycache__", "dist", "build", ".cache", ".make"}
    return tuple(sorted(p for p in ROOT.rglob("*") if p.is_file() and not hidden & set(p.relative_to(ROOT).parts)))


def python_files(*under: str) -> tuple[Path, ...]:
    """The project's Python files below these folders, such as `src` or `tests/unit`."""
    tops = tuple(ROOT / name for name in under)
    return tuple(p for p in kept_files() if p.suffix == ".py" and any(p.is_relative_to(top) for top in tops))


def short(path: Path) -> str:
    """A file's name as people say it, from the top of the checkout."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """What a module imports, at the top and inside functions."""
    yield from _imports(parsed(path), "")


def _imports(node: ast.AST, inside: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, inside)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield Import(f"{child.module}.{alias.name}", child.lineno, inside)
        else:
            yield from _imports(
                child, child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else inside
            )
