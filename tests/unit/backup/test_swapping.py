"""Taking the place of files, killed at every step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from streamhost import swapping
from streamhost.instance import DataDirectoryUnusable, InstanceLocked, end_swap, open_instance
from streamhost.swapping import JOURNAL, Swap

OLD = {"a": "old", "b/deep/c": "old", "only-old": "old", "untouched": "old"}
NEW = {"a": "new", "b/deep/c": "new", "d/e": "new", "untouched": "old"}
PLAN = Swap(".work/stage", "aside", ("d", "b", "a"), ("b", "a", "only-old"))


class Killed(BaseException):
    """The process is no more."""


class KillsAfter:
    """The module `os`, until so many things were moved or removed."""

    def __init__(self, moves: int) -> None:
        self.left = moves

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in ("rename", "replace", "unlink"):
            return real

        def counted(*words: Any) -> Any:
            if not self.left:
                raise Killed
            self.left -= 1
            return real(*words)

        return counted


def write(folder: Path, files: dict[str, str]) -> None:
    """Files with folders above them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def found(folder: Path) -> dict[str, str]:
    """What is there, but for what was put aside and what is at work."""
    files = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    return {name: text for name, text in files.items() if not name.startswith(("aside", ".work", "instance.lock"))}


def begin(data: Path) -> None:
    """The old state, and the new one beside it."""
    write(data, OLD)
    write(data / ".work" / "stage", {name: text for name, text in NEW.items() if text == "new"})


@pytest.mark.parametrize("again", [False, True], ids=["once", "killed again"])
def test_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    """Killed after any number of moves, and once more while going on: it is the old state until the journal is there,
    and the new one after that. What was replaced lies aside."""
    for moves in range(30):
        data = tmp_path / str(moves)
        begin(data)
        with monkeypatch.context() as patched:
            patched.setattr(swapping, "os", KillsAfter(moves))
            try:
                swapping.swap(data, PLAN)
            except Killed:
                done = False
            else:
                done = True
        if again:
            with monkeypatch.context() as patched:
                patched.setattr(swapping, "os", KillsAfter(2))
                try:
                    end_swap(data)
                except Killed:
                    assert swapping.is_begun(data)
        end_swap(data)
        assert found(data) == (NEW if moves else OLD), moves
        if moves:
            assert {p.name: p.is_dir() for p in (data / "aside").iterdir()} == {
                "a": False,
                "b": True,
                "only-old": False,
            }
        if done:
            assert moves == 1 + 3 + 3 + 1 and not (data / ".work").exists()
            return
    raise AssertionError("it never came through")


def test_nobody_works_with_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a restoration is at work others are told; a journal that cannot be followed is told of, and no secrets are
    made."""
    begin(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(swapping, "os", KillsAfter(3))
        with pytest.raises(Killed):
            swapping.swap(tmp_path, PLAN)
    (tmp_path / "instance.lock").touch()
    other = tmp_path.parent / "other"
    other.mkdir()
    with open_instance(other).lock() as lock:
        lock.announce("")
        (other / JOURNAL).write_bytes((tmp_path / JOURNAL).read_bytes())
        with pytest.raises(InstanceLocked):
            open_instance(other)
    for text in ("", "[]", '{"stage": "x"}'):
        (tmp_path / JOURNAL).write_text(text)
        with pytest.raises(DataDirectoryUnusable, match="restoration"):
            open_instance(tmp_path)
    assert not (tmp_path / "secrets.json").exists()
