"""Foreign packages that are loaded when they are first used, because most starts of the program never use them.

    if TYPE_CHECKING:
        import jwt
    else:
        jwt = late("jwt")

Type checkers, the floors and readers see an import at the top; the interpreter sees a module that fetches its names
when somebody asks for them. A package that is missing still fails by name, only later. Which packages are worth it is a
table in `tests/house/test_floors.py`.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module until the first of its names is asked for."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def late(name: str) -> ModuleType:
    """The module of that dotted name, loaded at its first use. Raises `ImportError` then, if there is none."""
    return _Late(name)
