"""What the doctor finds: one line for each thing that was looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from streamhost.config import Settings
from streamhost.host import Host
from streamhost.model.errors import StreamhostError


class Level(StrEnum):
    """How it stands: well; worth a look; broken; not looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding, and what to do about it."""

    name: str
    level: Level
    detail: str
    hint: str = ""


def ok(name: str, detail: str) -> Line:
    """It is well."""
    return Line(name, Level.OK, detail)


def warn(name: str, detail: str, hint: str = "") -> Line:
    """It works, and could be better."""
    return Line(name, Level.WARN, detail, hint)


def fail(name: str, detail: str, hint: str = "") -> Line:
    """It does not work."""
    return Line(name, Level.FAIL, detail, hint)


def skip(name: str, detail: str, hint: str = "") -> Line:
    """It was not looked at."""
    return Line(name, Level.SKIP, detail, hint)


def failed(name: str, error: StreamhostError) -> Line:
    """It does not work, as an error of ours says."""
    return fail(name, str(error), error.hint or "")


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at: a data directory, the house on it if one could be built, and the address of its server if one
    answers. `outside`: other people's machines may be asked too."""

    settings: Settings
    host: Host | None
    address: str
    outside: bool
    mail_to: str


Look = Callable[[Case], AsyncIterator[Line]]
