"""Content keys, the keys that sign grants, and licences."""

from streamhost.features.protection.clearkey import ClearKeyLicenceProxy
from streamhost.features.protection.desk import KeyDesk, KeyState, Replaced
from streamhost.features.protection.local import LocalKeySource, Wrapping
from streamhost.features.protection.memory import DerivedKeySource
from streamhost.features.protection.room import Protections
from streamhost.features.protection.sources import KeySources
from streamhost.features.protection.watching import KeyWatch, grants_of

__all__ = [
    "ClearKeyLicenceProxy",
    "DerivedKeySource",
    "KeyDesk",
    "KeySources",
    "KeyState",
    "KeyWatch",
    "LocalKeySource",
    "Protections",
    "Replaced",
    "Wrapping",
    "grants_of",
]
