"""Videos behind a password, and links that open a video for a time."""

from streamhost.features.sharing.errors import LinkOver, PasswordRequired, WrongVideoPassword
from streamhost.features.sharing.room import Hashing, LinkView, NewPass, Sharing

__all__ = ["Hashing", "LinkOver", "LinkView", "NewPass", "PasswordRequired", "Sharing", "WrongVideoPassword"]
