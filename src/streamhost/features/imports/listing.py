"""Looks into folders. Everything here blocks, and is called in threads; it only asks for facts, and opens no file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streamhost.features.imports import names
from streamhost.features.imports.errors import ImportOutside, ImportUnreadable
from streamhost.model.errors import StreamhostError
from streamhost.model.imports import Mark, Sidecar


@dataclass(frozen=True, slots=True)
class Entry:
    """A media file in a folder, with what lies beside it; `error` says why it cannot be taken."""

    path: bytes
    mark: Mark
    sidecars: tuple[Sidecar, ...] = ()
    error: StreamhostError | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in one folder: its media files, and the folders below. `error` says why it cannot be searched."""

    folder: bytes
    entries: tuple[Entry, ...] = ()
    folders: tuple[bytes, ...] = ()
    error: StreamhostError | None = None
    gone: bool = False


_NO_MARK = Mark("", 0, 0)
_LATEST = 2**63 - 1


def mark_of(facts: os.stat_result) -> Mark:
    """By what a file is known again."""
    return Mark(f"{facts.st_dev:x}:{facts.st_ino:x}", facts.st_size, max(-_LATEST, min(_LATEST, facts.st_mtime_ns)))


def sidecar_mark(facts: os.stat_result) -> str:
    """By what it is seen that a file beside is another one."""
    return f"{facts.st_size} {facts.st_mtime_ns}"


def look(path: bytes) -> Mark | None:
    """The mark of a regular file, None if there is none. Raises `ImportOutside`, `ImportUnreadable`."""
    try:
        facts = os.lstat(path)
        if stat.S_ISREG(facts.st_mode) and os.path.realpath(path) != path:
            raise ImportOutside
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ImportUnreadable(f"{error.strerror}.") from error
    return mark_of(facts) if stat.S_ISREG(facts.st_mode) else None


def listing(folder: bytes, skip: Callable[[bytes], bool] = lambda _folder: False) -> Listing:
    """What is in a folder. Links are named as such and not followed; `skip` names folders that are left out."""
    try:
        with os.scandir(folder) as found:
            items = {os.fsdecode(item.name): item for item in found}
    except (FileNotFoundError, NotADirectoryError):
        return Listing(folder, gone=True)
    except OSError as error:
        return Listing(folder, error=ImportUnreadable(f"{error.strerror}."))
    files: dict[str, os.DirEntry[bytes]] = {}
    folders: list[bytes] = []
    for name, item in items.items():
        if _is_folder(item):
            if not names.ignored_folder(name) and not skip(item.path):
                folders.append(item.path)
        else:
            files[name] = item
    entries = [_entry(files, name, beside) for name, beside in names.beside(files).items()]
    return Listing(folder, tuple(entry for entry in entries if entry is not None), tuple(sorted(folders)))


def _is_folder(item: os.DirEntry[bytes]) -> bool:
    try:
        return item.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _entry(files: dict[str, os.DirEntry[bytes]], name: str, beside: list[names.Beside]) -> Entry | None:
    item = files[name]
    try:
        facts = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Entry(item.path, _NO_MARK, error=ImportUnreadable(f"{error.strerror}."))
    if stat.S_ISLNK(facts.st_mode):
        return Entry(item.path, mark_of(facts), error=ImportOutside("It is a link."))
    if not stat.S_ISREG(facts.st_mode):
        return None
    return Entry(item.path, mark_of(facts), tuple(_sidecars(files, beside)))


def _sidecars(files: dict[str, os.DirEntry[bytes]], beside: list[names.Beside]) -> Iterator[Sidecar]:
    for kind, name in beside:
        try:
            facts = files[name].stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(facts.st_mode):
            yield Sidecar(kind, name, sidecar_mark(facts))
