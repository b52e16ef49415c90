"""The room that minds where objects are stored: which storages there are, what they hold, and moving between them."""

from streamhost.features.storekeeping.building import Places
from streamhost.features.storekeeping.room import Storekeeping

__all__ = ["Places", "Storekeeping"]
