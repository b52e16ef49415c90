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
import sys
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module until the first of its names is asked for."""

    def __init__(self, name: str, without: str) -> None:
        super().__init__(name)
        self._without = without

    def __getattr__(self, name: str) -> Any:
        value = getattr(_loaded(self.__name__, self._without), name)
        setattr(self, name, value)
        return value


def late(name: str, *, without: str = "") -> ModuleType:
    """The module of that dotted name, loaded at its first use. Raises `ImportError` then, if there is none.

    `without`: loaded as if this package were not installed, which it would use for what we have no need of."""
    return _Late(name, without)


def _loaded(name: str, without: str) -> ModuleType:
    hide = bool(without) and name not in sys.modules and without not in sys.modules
    if hide:
        sys.modules[without] = None  # type: ignore[assignment]  # that is how to say it
    try:
        return importlib.import_module(name)
    finally:
        if hide:
            del sys.modules[without]
