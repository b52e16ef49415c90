"""What has changed in a folder since it was last searched. Pure: facts and rows in, changed rows out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from streamhost.features.imports.listing import Entry
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError, known_errors
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportFile, ImportState, Mark, Policy, Sidecar, Wishes, shown
from streamhost.model.videos import Failure

NO_MARK = Mark("", 0, 0)
ASIDE = (ImportState.TAKING,)
"""States in which whoever works on the file looks after it."""


class Change(NamedTuple):
    """A row as it was read, and as it is to be."""

    before: ImportFile
    after: ImportFile


@dataclass(slots=True)
class Changes:
    """Rows to write and to forget, and what is new to the catalog."""

    put: list[Change] = field(default_factory=list)
    forget: list[ImportFile] = field(default_factory=list)
    fresh: list[Entry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.put or self.forget or self.fresh)


def failure(error: StreamhostError) -> Failure:
    """An error as it is kept, with its sentence; one that a child process reports has that of its code."""
    sentence = next((kind.title() for kind in known_errors() if kind.code == error.code), error.title())
    return Failure(error.code, f"{sentence} {error.detail}".strip(), error.hint)


def compare(entries: Sequence[Entry], rows: Sequence[ImportFile], now: Timestamp, wishes: Wishes | None) -> Changes:
    """What to write down about one folder. `wishes`: what is said for its files now; None: nothing is."""
    changes = Changes()
    known: Mapping[bytes | None, ImportFile] = {row.path: row for row in rows}
    for entry in entries:
        row = known.get(entry.path)
        if row is None:
            changes.fresh.append(entry)
        elif row.state not in ASIDE:
            _met_again(entry, row, now, wishes, changes)
    here = {entry.path for entry in entries}
    for row in rows:
        if row.path not in here and row.state not in ASIDE:
            _gone(row, now, changes)
    return changes


def _met_again(entry: Entry, row: ImportFile, now: Timestamp, wishes: Wishes | None, changes: Changes) -> None:
    if entry.error is not None:
        if row.imported_at is None and (row.error is None or row.error.code != entry.error.code):
            after = replace(row, state=ImportState.FAILED, error=failure(entry.error), mark=entry.mark, updated_at=now)
            changes.put.append(Change(row, after))
        return
    if row.policy is Policy.MOVE and row.imported_at is not None and not entry.mark.same(row.mark):
        # The one that was here has moved on; another one has come in its place.
        changes.put.append(Change(row, replace(row, path=None, updated_at=now)))
        changes.fresh.append(entry)
        return
    sidecars = merged(entry.sidecars, row.sidecars)
    after = replace(row, sidecars=sidecars)
    if wishes is not None and row.imported_at is None:
        after = replace(after, wishes=wishes)
    if not entry.mark.same(row.mark):
        after = settling(after, entry, now)
    elif row.state is ImportState.MISSING:
        after = replace(after, state=ImportState.IMPORTED, error=None, updated_at=now)
    elif row.state is ImportState.FAILED and (after != row or _was_unreadable(row)):
        after = settling(after, entry, now)
    elif after == row:
        return
    changes.put.append(Change(row, replace(after, updated_at=now)))


def _was_unreadable(row: ImportFile) -> bool:
    return row.error is not None and row.error.code in ("import_unreadable", "import_outside") and row.mark.size == 0


def settling(row: ImportFile, entry: Entry, now: Timestamp) -> ImportFile:
    """The row of a file that is to be watched until it is whole."""
    return replace(
        row, state=ImportState.SETTLING, mark=entry.mark, error=None, retry_at=None, updated_at=now, sha256=None
    )


def _gone(row: ImportFile, now: Timestamp, changes: Changes) -> None:
    if row.imported_at is None:
        # With a place in storage it is half taken in: whoever does that comes back to it.
        if row.staged_key is None:
            changes.forget.append(row)
    elif row.policy is Policy.MOVE:
        changes.put.append(Change(row, replace(row, path=None, updated_at=now)))
    elif row.state is not ImportState.MISSING:
        changes.put.append(Change(row, replace(row, state=ImportState.MISSING, error=None, updated_at=now)))


def merged(found: Sequence[Sidecar], before: Sequence[Sidecar]) -> tuple[Sidecar, ...]:
    """What lies beside a file now, with what was made of it before."""
    known = {(one.kind, one.name): one for one in before}
    return tuple(
        replace(old, mark=one.mark, error=old.error if old.mark == one.mark else None)
        if (old := known.get((one.kind, one.name)))
        else one
        for one in found
    )


def first_seen(entry: Entry, root: bytes, file_id: ImportId, now: Timestamp, wishes: Wishes | None) -> ImportFile:
    """The row of a file that was never seen before."""
    folder, _, name = entry.path.rpartition(b"/")
    return ImportFile(
        id=file_id,
        root=root,
        folder=folder,
        path=entry.path,
        name=shown(name or folder.rpartition(b"/")[2] + b"/"),
        mark=entry.mark,
        state=ImportState.FAILED if entry.error else ImportState.SETTLING,
        created_at=now,
        updated_at=now,
        error=failure(entry.error) if entry.error else None,
        sidecars=entry.sidecars,
        wishes=wishes or Wishes(),
    )


def moved(row: ImportFile, entry: Entry, root: bytes, now: Timestamp) -> ImportFile:
    """The row of a file that lies elsewhere now, or is called otherwise: it stays the same video."""
    folder, _, name = entry.path.rpartition(b"/")
    back = row.state is ImportState.MISSING
    return replace(
        row,
        root=root,
        folder=folder,
        path=entry.path,
        name=shown(name),
        mark=entry.mark,
        state=ImportState.IMPORTED if back else row.state,
        sidecars=merged(entry.sidecars, row.sidecars),
        updated_at=now,
    )


def renamed(
    fresh: Sequence[Entry], known: Mapping[str, Sequence[ImportFile]], is_gone: Callable[[ImportFile], bool]
) -> tuple[list[tuple[ImportFile, Entry]], list[Entry]]:
    """Which of the new entries are known files under another name, and which are really new.

    `known` are rows by identity; `is_gone` asks whether the file of a row is no more where it was."""
    pairs: list[tuple[ImportFile, Entry]] = []
    new: list[Entry] = []
    for entry in fresh:
        candidates = [
            row
            for row in known.get(entry.mark.identity, ())
            if row.state not in ASIDE and row.mark.same(entry.mark) and row.path != entry.path and not entry.error
        ]
        row = next((row for row in candidates if is_gone(row)), None)
        if row is None:
            new.append(entry)
        else:
            pairs.append((row, entry))
    return pairs, new
