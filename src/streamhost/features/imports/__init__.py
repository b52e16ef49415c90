"""Imports: files that lie in a folder become videos, once each, and stay known."""

from streamhost.features.imports.assembling import imports_of
from streamhost.features.imports.desk import MAX_PAGE, FolderStatus, ImportDesk, ImportPage, Item, Status
from streamhost.features.imports.errors import FolderMissing, ImportNoOwner
from streamhost.features.imports.neighbours import Neighbours
from streamhost.features.imports.room import Imports

__all__ = [
    "MAX_PAGE",
    "FolderMissing",
    "FolderStatus",
    "ImportDesk",
    "ImportNoOwner",
    "ImportPage",
    "Imports",
    "Item",
    "Neighbours",
    "Status",
    "imports_of",
]
