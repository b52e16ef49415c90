"""The folders of the settings, as they are searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from streamhost.config import ImportSettings
from streamhost.model.imports import Policy


class WatchedFolder(NamedTuple):
    """A folder, links resolved, and what becomes of its files."""

    root: bytes
    policy: Policy


class Folders:
    """Reads the setting once: whoever asks later asks no file system, which may have gone away."""

    def __init__(self, settings: ImportSettings, data: Path, resolved: Callable[[Path], bytes]) -> None:
        """`resolved` answers with a folder as it is searched, or raises `FolderForbidden`."""
        self._settings = settings
        self._data = data
        self._resolved = resolved
        self._known: Sequence[WatchedFolder] | None = None

    def watched(self) -> Sequence[WatchedFolder]:
        """Every folder that is watched. Blocks the first time. Raises `FolderForbidden`."""
        if self._known is None:
            wanted = self._settings.folders if self._settings.enabled else ()
            self._known = [
                WatchedFolder(self._resolved(self._data / path), policy) for policy, path in map(self._parted, wanted)
            ]
        return self._known

    def policy(self, root: bytes) -> Policy:
        """What becomes of the files of a folder, if nobody has said otherwise for them."""
        found = next((folder.policy for folder in self.watched() if folder.root == root), None)
        return found or Policy(self._settings.policy)

    def _parted(self, text: str) -> tuple[Policy, str]:
        before, _, path = text.partition(":")
        if path and before in set(Policy):
            return Policy(before), path
        return Policy(self._settings.policy), text
