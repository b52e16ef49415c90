"""The room that minds where objects are stored: which storages there are, what they hold, and moving between them."""

from streamhost.features.storekeeping.building import LOCAL, S3, Places
from streamhost.features.storekeeping.checking import Checked, check
from streamhost.features.storekeeping.moving import Moved, MoveIncomplete, MoveRuns, WrongTarget
from streamhost.features.storekeeping.room import Storekeeping, try_storage

__all__ = [
    "LOCAL",
    "S3",
    "Checked",
    "MoveIncomplete",
    "MoveRuns",
    "Moved",
    "Places",
    "Storekeeping",
    "WrongTarget",
    "check",
    "try_storage",
]
