"""Taking the place of files in a data directory, all or nothing, whenever it is killed.

What is to come lies in a folder of the same directory. A journal, on disk before anything is moved, tells what goes
aside and what takes its place; until it is there the old state stands, from then on the new one comes. Whoever opens
the directory next goes on by the journal, and nobody works with half of it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

JOURNAL = ".replacing.json"
PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Swap:
    """Names in a data directory: `coming` move out of `stage`, in that order, after `going` were moved into the folder
    `aside`. `stage` is a folder in a folder, and that one is removed at the end."""

    stage: str
    aside: str
    coming: Sequence[str]
    going: Sequence[str]


def swap(data: Path, plan: Swap) -> None:
    """Do it. Whoever calls holds the lock of the directory. Raises `OSError`; what was begun is gone on with later."""
    for folder in _folders(data / plan.stage):
        synced(folder)
    fresh = (data / plan.stage).parent / JOURNAL
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(plan), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, data / JOURNAL)
    synced(data)
    _carry_out(data, plan)


def is_begun(data: Path) -> bool:
    """Whether a swap was begun here, and not ended."""
    return (data / JOURNAL).exists()


def go_on(data: Path) -> None:
    """End what was begun, if anything was. Whoever calls holds the lock of the directory. Raises `OSError`, and
    `ValueError` for a journal that is none."""
    try:
        text = (data / JOURNAL).read_text("utf-8")
    except FileNotFoundError:
        return
    try:
        plan = Swap(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{JOURNAL} is no journal") from error
    _carry_out(data, plan)


def _carry_out(data: Path, plan: Swap) -> None:
    """Every move that was not made yet. What has gone aside does not go again: what stands in its place has come."""
    aside, stage = data / plan.aside, data / plan.stage
    if plan.going:
        aside.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    for name in plan.going:
        if os.path.lexists(data / name) and not os.path.lexists(aside / name):
            os.rename(data / name, aside / name)
    for name in plan.coming:
        if os.path.lexists(stage / name):
            os.rename(stage / name, data / name)
    synced(data)
    os.unlink(data / JOURNAL)
    synced(data)
    shutil.rmtree(stage.parent, ignore_errors=True)


def _folders(root: Path) -> list[Path]:
    return [root, *(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())]


def synced(folder: Path) -> None:
    """Make the names in a folder survive power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
